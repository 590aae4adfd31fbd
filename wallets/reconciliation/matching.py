"""Matching what is open by the rules, in their order, and keeping what was found as matches."""

from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from uuid_utils.compat import uuid7

from ledger import sql
from users.callers import Actor
from wallets.models import MatchRule, ReconciledAccount
from wallets.reconciliation import contra, groups, pairs
from wallets.reconciliation.workspace import Tolerance

Told = Callable[[str], object]


class Outcome(NamedTuple):
    """What a rule matched: how many matches, of how many lines and items, and the sum of their differences."""

    rule: str
    matches: int
    lines: int
    items: int
    difference: int


KEEP = """
INSERT INTO wallets_match (id, account_id, rule, lines, items, theirs, ours, difference, first_on, last_on, made_by,
                           made_because, made_at, undone_by, undone_because)
SELECT ids.id, %(account)s, min(f.rule), count(f.line), count(f.item), coalesce(sum(l.amount), 0)::int8,
       coalesce(sum(i.amount), 0)::int8, (coalesce(sum(i.amount), 0) - coalesce(sum(l.amount), 0))::int8,
       min(coalesce(l.booked_on, i.effective_on)), max(coalesce(l.booked_on, i.effective_on)), %(by)s, '', %(now)s,
       '', ''
FROM found f
JOIN unnest(%(ids)s::uuid[]) WITH ORDINALITY AS ids (id, number) USING (number)
LEFT JOIN wallets_statementline l ON l.id = f.line
LEFT JOIN wallets_booksitem i ON i.id = f.item
GROUP BY ids.id
"""
JOIN_LINES = """
UPDATE wallets_statementline l SET match_id = ids.id
FROM found f JOIN unnest(%(ids)s::uuid[]) WITH ORDINALITY AS ids (id, number) USING (number)
WHERE l.id = f.line
"""
JOIN_ITEMS = """
UPDATE wallets_booksitem i SET match_id = ids.id
FROM found f JOIN unnest(%(ids)s::uuid[]) WITH ORDINALITY AS ids (id, number) USING (number)
WHERE i.id = f.item
"""
OUTCOMES = """
SELECT m.rule, count(*), sum(m.lines)::int8, sum(m.items)::int8, sum(m.difference)::int8
FROM wallets_match m WHERE m.id = ANY (%(ids)s::uuid[]) GROUP BY m.rule ORDER BY m.rule
"""


def rules(account: ReconciledAccount) -> list[MatchRule]:
    """The active rules for an account, in order."""
    found = MatchRule.objects.filter(active=True, provider__in=("", account.provider))
    return list(found.filter(currency__in=("", account.currency)).order_by("position", "name"))


def apply(by: list[MatchRule], *, settled: date, told: Told) -> None:
    """Let each rule find what it can of what is open. Up to `settled` every statement that may come has come."""
    for rule in by:
        told(rule.name)
        tolerance = Tolerance(rule.tolerance, rule.basis_points, rule.stated_fee)
        match rule.kind:
            case MatchRule.Kind.PAIR if tolerance:
                pairs.near(rule.name, days=rule.days, tolerance=tolerance)
            case MatchRule.Kind.GROUP:
                groups.agreeing(rule.name, days=rule.days, tolerance=tolerance)
            case _:
                pairs.equal(rule.name, days=rule.days, by_name=rule.kind == MatchRule.Kind.PAIR)
    told(contra.RULE)
    contra.opposite(settled=settled)


def keep(account: ReconciledAccount, *, by: Actor, now: datetime) -> list[Outcome]:
    """Write down what was found, as matches; returns what each rule did."""
    count = sql.rows("SELECT coalesce(max(number), 0) FROM found")[0][0]
    ids = {"ids": sql.uuids(uuid7() for _ in range(count))}
    sql.run("ANALYZE found")
    sql.run(KEEP, ids | {"account": account.pk, "by": ":".join(by.actor)[:60], "now": now})
    sql.run(JOIN_LINES, ids)
    sql.run(JOIN_ITEMS, ids)
    return [Outcome(*row) for row in sql.rows(OUTCOMES, ids)]
