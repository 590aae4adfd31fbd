"""One of theirs and one of ours: the same amount under a name that both have, or on nearly the same day.

Where several look the same they are paired in the order of their days, which is the same whoever counts; never those
that are further apart than the rule allows.
"""

from typing import Any

from ledger import sql
from wallets.reconciliation import workspace
from wallets.reconciliation.workspace import Tolerance

# Where more of either side share a name, it names no payment.
CROWD = 10

# Both sides that share a key and an amount, in clusters with no gap of more than so many days; in each the first of
# theirs belongs to the first of ours, the second to the second.
EQUAL = """
WITH side AS (
    {lines}
    UNION ALL
    {items}
), begun AS (
    SELECT *, CASE WHEN day - lag(day) OVER (PARTITION BY key, amount ORDER BY day) > %(days)s::int4 THEN 1 ELSE 0 END
        AS begins
    FROM side
), clustered AS (
    SELECT *, sum(begins) OVER (PARTITION BY key, amount ORDER BY day RANGE UNBOUNDED PRECEDING) AS cluster FROM begun
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY key, amount, cluster, ours ORDER BY day, tie) AS nth,
           count(*) FILTER (WHERE ours) OVER (PARTITION BY key, amount, cluster) AS items,
           count(*) FILTER (WHERE NOT ours) OVER (PARTITION BY key, amount, cluster) AS lines
    FROM clustered
)
INSERT INTO pair
SELECT DISTINCT l.id, i.id, 0::int8, abs(l.day - i.day), l.tie, i.tie
FROM ranked l JOIN ranked i USING (key, amount, cluster, nth)
WHERE NOT l.ours AND i.ours AND abs(l.day - i.day) <= %(days)s::int4 AND {counts}
"""
NAMED_LINES = """
    SELECT n.name AS key, o.amount, o.day, false AS ours, o.id, encode(o.tie, 'hex') AS tie
    FROM open_line o JOIN line_name n USING (id) WHERE NOT o.by_hand
"""
NAMED_ITEMS = """
    SELECT n.name, o.amount, o.day, true, o.id, o.tie::text FROM open_item o JOIN item_name n USING (id)
    WHERE NOT o.by_hand
"""
NAMELESS_LINES = """
    SELECT '' AS key, o.amount, o.day, false AS ours, o.id, encode(o.tie, 'hex') AS tie
    FROM open_line o WHERE NOT o.referenced AND NOT o.by_hand
"""
ANY_ITEMS = "SELECT '', o.amount, o.day, true, o.id, o.tie::text FROM open_item o WHERE NOT o.by_hand"

BY_NAME = EQUAL.format(lines=NAMED_LINES, items=NAMED_ITEMS, counts="true")
# Who has no name is never guessed: as many of theirs as of ours, or none.
BY_DAY = EQUAL.format(lines=NAMELESS_LINES, items=ANY_ITEMS, counts="l.lines = l.items")

# Amounts that differ, by no more than the fee that the line states or than the rule tolerates.
NEAR = """
WITH named AS (
    SELECT l.id AS line, i.id AS item, n.name
    FROM line_name n JOIN item_name m USING (name) JOIN open_line l ON l.id = n.id JOIN open_item i ON i.id = m.id
    WHERE NOT l.by_hand AND NOT i.by_hand AND n.name IN (
        SELECT name FROM line_name JOIN open_line USING (id) GROUP BY name HAVING count(*) <= %(crowd)s::int8
        INTERSECT SELECT name FROM item_name JOIN open_item USING (id) GROUP BY name HAVING count(*) <= %(crowd)s::int8)
)
INSERT INTO pair
SELECT DISTINCT l.id, i.id, abs(i.amount - l.amount), abs(l.day - i.day), encode(l.tie, 'hex'), i.tie::text
FROM named JOIN open_line l ON l.id = named.line JOIN open_item i ON i.id = named.item
WHERE sign(l.amount) = sign(i.amount) AND abs(l.day - i.day) <= %(days)s::int4
  AND (abs(i.amount - l.amount) <= %(amount)s::int8 + abs(i.amount) * %(basis_points)s::int8 / 10000
       OR %(stated_fee)s::bool AND i.amount - l.amount = l.fee)
"""

# Each is the other's best: the best pair of all is always one, so this comes to an end.
BEST = """
WITH ranked AS (
    SELECT line, item,
           row_number() OVER (PARTITION BY line ORDER BY differs, apart, line_tie, item_tie) AS of_line,
           row_number() OVER (PARTITION BY item ORDER BY differs, apart, line_tie, item_tie) AS of_item
    FROM pair
), best AS (
    SELECT line, item, row_number() OVER (ORDER BY line, item) AS nth FROM ranked WHERE of_line = 1 AND of_item = 1
)
INSERT INTO found
SELECT nth + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, side.line, side.item
FROM best, LATERAL (VALUES (best.line, NULL::uuid), (NULL::uuid, best.item)) AS side (line, item)
"""
TAKEN = """
DELETE FROM pair
WHERE line IN (SELECT line FROM found WHERE line IS NOT NULL) OR item IN (SELECT item FROM found WHERE item IS NOT NULL)
"""
TABLE = """
DROP TABLE IF EXISTS pair;
CREATE TEMP TABLE pair (line uuid, item uuid, differs int8, apart int4, line_tie text, item_tie text) ON COMMIT DROP
"""


def equal(rule: str, *, days: int, by_name: bool) -> None:
    """Find pairs of the same amount: first those of the same day, then those at most so many days apart."""
    statement = BY_NAME if by_name else BY_DAY
    for apart in sorted({0, days}):
        _find(rule, statement, {"days": apart})


def near(rule: str, *, days: int, tolerance: Tolerance) -> None:
    """Find pairs that share a name and nearly an amount, the closest first."""
    _find(rule, NEAR, {"days": days, "crowd": CROWD} | tolerance.parameters)


def _find(rule: str, statement: str, parameters: dict[str, Any]) -> None:
    for each in TABLE.split(";"):
        sql.run(each)
    left = found = sql.run(statement, parameters).rowcount
    while left:
        sql.run(BEST, {"rule": rule})
        left -= sql.run(TAKEN).rowcount
    if found:
        workspace.take()
