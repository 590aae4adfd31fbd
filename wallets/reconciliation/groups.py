"""Several of theirs and several of ours under one name, by their sums: what a provider settled at once, say."""

from typing import Any

from ledger import sql
from wallets.reconciliation import workspace
from wallets.reconciliation.workspace import Tolerance

TABLE = """
DROP TABLE IF EXISTS member, named;
CREATE TEMP TABLE named (name text, differs int8, members int8) ON COMMIT DROP;
CREATE TEMP TABLE member (name text, line uuid, item uuid) ON COMMIT DROP
"""

# What each name has of both sides, and over how many days.
SUMS = """
WITH theirs AS (
    SELECT n.name, count(*) AS members, sum(o.amount)::int8 AS total, sum(o.fee)::int8 AS fee, min(o.day) AS first,
           max(o.day) AS last
    FROM line_name n JOIN open_line o USING (id) WHERE NOT o.by_hand GROUP BY n.name
), ours AS (
    SELECT n.name, count(*) AS members, sum(o.amount)::int8 AS total, min(o.day) AS first, max(o.day) AS last
    FROM item_name n JOIN open_item o USING (id) WHERE NOT o.by_hand GROUP BY n.name
)
INSERT INTO named
SELECT name, abs(ours.total - theirs.total), theirs.members + ours.members
FROM theirs JOIN ours USING (name)
"""
# One and one is for the rules of pairs.
AGREE = """
WHERE theirs.members + ours.members > 2
  AND greatest(theirs.last, ours.last) - least(theirs.first, ours.first) <= %(days)s::int4
  AND (abs(ours.total - theirs.total) <= %(amount)s::int8 + abs(ours.total) * %(basis_points)s::int8 / 10000
       OR %(stated_fee)s::bool AND ours.total - theirs.total = theirs.fee)
"""
# Where more of either side share a name, it names no payment.
ANYHOW = "WHERE theirs.members <= %(crowd)s::int8 AND ours.members <= %(crowd)s::int8"
LINES = """
INSERT INTO member SELECT n.name, o.id, NULL FROM named JOIN line_name n USING (name) JOIN open_line o USING (id)
WHERE NOT o.by_hand
"""
ITEMS = """
INSERT INTO member SELECT n.name, NULL, o.id FROM named JOIN item_name n USING (name) JOIN open_item o USING (id)
WHERE NOT o.by_hand
"""
# A name is believed when none of its members would rather go by another: a closer one, then a larger one.
BEST = """
WITH choice AS (
    SELECT m.name, m.line, m.item,
           row_number() OVER (PARTITION BY m.line, m.item ORDER BY n.differs, n.members DESC, m.name) AS nth
    FROM member m JOIN named n USING (name)
), agreed AS (
    SELECT name, row_number() OVER (ORDER BY name) AS nth FROM choice GROUP BY name HAVING max(nth) = 1
)
INSERT INTO found
SELECT a.nth + (SELECT coalesce(max(number), 0) FROM found), %(rule)s::text, m.line, m.item
FROM agreed a JOIN member m USING (name)
"""


def agreeing(rule: str, *, days: int, tolerance: Tolerance) -> None:
    """Find groups within so many days whose sums agree, as far as is tolerated."""
    _find(rule, SUMS + AGREE, {"days": days} | tolerance.parameters)


def anyhow(rule: str, *, crowd: int) -> None:
    """Find what shares a name, whatever it sums to."""
    _find(rule, SUMS + ANYHOW, {"crowd": crowd})


def _find(rule: str, statement: str, parameters: dict[str, Any]) -> None:
    taken = 1
    while taken:
        for each in TABLE.split(";"):
            sql.run(each)
        sql.run(statement, parameters)
        sql.run(LINES)
        sql.run(ITEMS)
        taken = sql.run(BEST, {"rule": rule}).rowcount
        if taken:
            workspace.take()
