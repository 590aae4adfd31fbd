"""What the rules left, by kind: each line and each transaction of ours is part of one finding at most.

They are looked for in order of how much they explain. What is only ours is no finding before so many days of
statements have passed that the line should have come, and what is only theirs is none while we are about to book it.
"""

from datetime import date, timedelta

from ledger import sql
from wallets.models import Break, ReconciledAccount
from wallets.reconciliation import groups, pairs, workspace
from wallets.reconciliation.workspace import Period

Kind = Break.Kind
# As far as that two days may lie apart and still be told to be the same payment.
EVER = 100_000

# Theirs failed or came back, and ours is paid, and wasn't undone.
FAILED_THERE = """
WITH ours AS (
    SELECT i.id, i.amount, i.effective_on, i.transaction_id, name
    FROM open_item o JOIN wallets_booksitem i ON i.id = o.id, unnest(i.names) AS name
    WHERE NOT EXISTS (SELECT FROM open_item b WHERE b.reverses = o.tie)
), theirs AS (
    SELECT l.id, l.amount, l.booked_on, l.identity, name FROM wallets_statementline l, unnest(l.names) AS name
    WHERE l.account_id = %(account)s AND l.status IN ('failed', 'reversed')
      AND l.booked_on BETWEEN (SELECT min(day) FROM open_item) - %(reach)s::int4 AND %(until)s::date
), both_of AS (
    SELECT DISTINCT i.id AS item, l.id AS line, i.effective_on, i.transaction_id, l.booked_on, l.identity
    FROM ours i JOIN theirs l USING (name, amount)
), pair AS (
    SELECT item, line, row_number() OVER (PARTITION BY item ORDER BY booked_on DESC, identity) AS of_item,
           row_number() OVER (PARTITION BY line ORDER BY effective_on, transaction_id) AS of_line
    FROM both_of
)
INSERT INTO found
SELECT nth + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, side.line, side.item
FROM (SELECT line, item, row_number() OVER (ORDER BY item) AS nth FROM pair WHERE of_item = 1 AND of_line = 1) AS best,
     LATERAL (VALUES (best.line, NULL::uuid), (NULL::uuid, best.item)) AS side (line, item)
"""
# Lines by which a payment of ours is meant that isn't booked, and whether it is over: it failed or was cancelled, or
# the bank refused this attempt at it and another one followed.
UNBOOKED = """
WITH told AS (
    SELECT o.id, o.day, w.status IN ('failed', 'cancelled') OR later.number IS NOT NULL AS over
    FROM open_line o
    JOIN wallets_statementline l ON l.id = o.id
    JOIN wallets_payoutattempt a ON a.provider = %(provider)s AND a.reference IN (l.reference, l.external_id)
    JOIN wallets_withdrawal w ON w.id = a.withdrawal_id AND w.currency = %(currency)s
    LEFT JOIN wallets_payoutattempt later ON later.withdrawal_id = a.withdrawal_id AND later.number = a.number + 1
    WHERE w.transaction_id IS NULL OR a.outcome = 'refused' AND later.number IS NOT NULL
    UNION
    SELECT o.id, o.day, t.status IN ('failed', 'expired')
    FROM open_line o
    JOIN wallets_statementline l ON l.id = o.id
    JOIN wallets_topup t ON t.provider = %(provider)s AND t.reference IN (l.reference, l.external_id)
         AND t.currency = %(currency)s AND t.transaction_id IS NULL
)
"""
# Theirs is booked, and ours failed or was cancelled; or is still under way after all this time.
UNPAID_HERE = (
    UNBOOKED
    + """
INSERT INTO found
SELECT row_number() OVER (ORDER BY id) + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, id, NULL
FROM told GROUP BY id HAVING bool_or(over OR day <= %(settled)s::date)
"""
)
# Theirs is booked, and ours will be any day.
UNDER_WAY = UNBOOKED + "DELETE FROM open_line WHERE id IN (SELECT id FROM told)"
# Another line of the same reference and amount, or that looks the same, was matched or came before it.
TWICE_THERE = """
INSERT INTO found
SELECT row_number() OVER (ORDER BY o.id) + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, o.id, NULL
FROM open_line o JOIN wallets_statementline l ON l.id = o.id
WHERE l.reference <> '' AND EXISTS (
    SELECT FROM wallets_statementline x
    WHERE x.account_id = %(account)s AND x.reference = l.reference AND x.reference <> '' AND x.amount = l.amount
      AND x.id <> l.id AND x.status = 'booked'
      AND (x.match_id IS NOT NULL OR (x.booked_on, x.identity) < (l.booked_on, l.identity)))
  OR EXISTS (
    SELECT FROM wallets_statementline x
    WHERE x.account_id = %(account)s AND x.booked_on = l.booked_on AND x.amount = l.amount AND x.id <> l.id
      AND (x.reference, x.batch, x.description) = (l.reference, l.batch, l.description) AND x.match_id IS NOT NULL)
"""
TWICE_HERE = """
INSERT INTO found
SELECT row_number() OVER (ORDER BY o.tie) + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, NULL, o.id
FROM open_item o JOIN wallets_booksitem i ON i.id = o.id
WHERE o.day BETWEEN %(since)s::date AND %(settled)s::date AND i.external_reference <> '' AND i.reverses IS NULL
  AND EXISTS (
    SELECT FROM wallets_booksitem x
    WHERE x.account_id = %(account)s AND x.external_reference = i.external_reference AND x.external_reference <> ''
      AND x.amount = i.amount AND x.id <> i.id AND x.reverses IS NULL
      AND (x.match_id IS NOT NULL OR (x.effective_on, x.transaction_id) < (i.effective_on, i.transaction_id)))
"""
ONLY_THEIRS = """
INSERT INTO found
SELECT row_number() OVER (ORDER BY id) + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, id, NULL
FROM open_line
"""
ONLY_OURS = """
INSERT INTO found
SELECT row_number() OVER (ORDER BY id) + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, NULL, id
FROM open_item WHERE day BETWEEN %(since)s::date AND %(settled)s::date
"""


def find(account: ReconciledAccount, period: Period) -> None:
    """Fill `found` with the findings; `rule` is the kind of each."""
    sql.run("TRUNCATE found")
    known = period.bounds | {
        "provider": account.provider, "currency": account.currency, "settled": settled(account, period.until)
    }  # fmt: skip
    _add(Kind.STATUS, FAILED_THERE, known)
    _add(Kind.STATUS, UNPAID_HERE, known)
    sql.run(UNDER_WAY, {name: known[name] for name in ("provider", "currency")})
    pairs.equal(Kind.DATE, days=EVER, by_name=True)
    _add(Kind.DUPLICATE, TWICE_THERE, known)
    _add(Kind.DUPLICATE, TWICE_HERE, known)
    groups.anyhow(Kind.AMOUNT, crowd=pairs.CROWD)
    _add(Kind.MISSING_HERE, ONLY_THEIRS, known)
    _add(Kind.MISSING_THERE, ONLY_OURS, known)


def settled(account: ReconciledAccount, until: date) -> date:
    """The day up to which whatever their statements will ever tell should have been told."""
    return until - timedelta(days=account.grace_days)


def _add(kind: Kind, statement: str, known: dict[str, object]) -> None:
    wanted = {name: value for name, value in known.items() if f"%({name})s" in statement}
    if sql.run(statement, {"rule": kind.value} | wanted).rowcount:
        workspace.take()
