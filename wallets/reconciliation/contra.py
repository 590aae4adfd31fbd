"""What was undone on one side and never shown on the other: a payment and its return explain each other.

Only where every statement that may still show them has come; until then each waits for its own counterpart.
"""

from datetime import date

from ledger import sql
from wallets.reconciliation import workspace

RULE = "Sent and sent back"

# What undid another of ours, where the statements that should show the two show neither.
OURS_TWICE = """
INSERT INTO found
SELECT nth + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, NULL, item
FROM (
    SELECT a.id AS first, b.id AS second, row_number() OVER (ORDER BY a.tie) AS nth
    FROM open_item a JOIN open_item b ON b.reverses = a.tie AND b.amount = -a.amount
    WHERE NOT a.by_hand AND NOT b.by_hand AND greatest(a.day, b.day) <= %(settled)s::date
) AS both_of, LATERAL (VALUES (first), (second)) AS side (item)
"""
# What the provider took and gave back under one reference, of which we never heard.
THEIRS_TWICE = """
WITH ranked AS (
    SELECT o.id, o.amount, l.reference,
           row_number() OVER (PARTITION BY l.reference, o.amount ORDER BY o.day, o.tie) AS nth
    FROM open_line o JOIN wallets_statementline l ON l.id = o.id
    WHERE o.referenced AND NOT o.by_hand AND o.day <= %(settled)s::date
)
INSERT INTO found
SELECT nth + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, line, NULL
FROM (
    SELECT a.id AS first, b.id AS second, row_number() OVER (ORDER BY a.id) AS nth
    FROM ranked a JOIN ranked b ON b.reference = a.reference AND b.amount = -a.amount AND b.nth = a.nth
    WHERE a.amount < 0
) AS both_of, LATERAL (VALUES (first), (second)) AS side (line)
"""


def opposite(*, settled: date) -> None:
    """Find what undoes each other among ours, and among theirs, up to a day."""
    for statement in (OURS_TWICE, THEIRS_TWICE):
        if sql.run(statement, {"rule": RULE, "settled": settled}).rowcount:
            workspace.take()
