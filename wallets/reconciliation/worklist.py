"""The breaks as they stay from run to run: found again, changed, opened anew, or explained by now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Sum
from uuid_utils.compat import uuid7

from ledger import sql
from users.callers import Actor, System
from wallets.models import Break, BreakNote, ReconciledAccount

RECONCILIATION = System("reconciliation")
Kind = Break.Kind

# Each finding with its sums, and the breaks that its members were part of, the oldest first.
FINDINGS = """
SELECT f.number, min(f.rule), count(f.line), count(f.item),
       coalesce(sum(CASE WHEN l.status = 'booked' THEN l.amount ELSE 0 END), 0)::int8, coalesce(sum(i.amount), 0)::int8,
       min(coalesce(l.booked_on, i.effective_on)),
       array_remove(array_agg(DISTINCT b.id) FILTER (WHERE b.state = 'open'), NULL),
       array_remove(array_agg(DISTINCT b.id) FILTER (WHERE b.resolution IN ('matched', 'note', 'posting')), NULL)
FROM found f
LEFT JOIN wallets_statementline l ON l.id = f.line
LEFT JOIN wallets_booksitem i ON i.id = f.item
LEFT JOIN wallets_break b ON b.id = coalesce(l.found_id, i.found_id)
GROUP BY f.number
ORDER BY f.number
"""
SAVE = """
INSERT INTO wallets_break AS known (id, account_id, kind, state, lines, items, theirs, ours, first_on, opened_at,
                                    resolution, resolved_by, requested_by, reason)
SELECT id, %(account)s, kind, 'open', lines, items, theirs, ours, first_on, %(now)s, '', '', '', ''
FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(lines)s::int4[], %(items)s::int4[], %(theirs)s::int8[],
            %(ours)s::int8[], %(days)s::date[]) AS t (id, kind, lines, items, theirs, ours, first_on)
ON CONFLICT (id) DO UPDATE SET kind = EXCLUDED.kind, state = 'open', lines = EXCLUDED.lines, items = EXCLUDED.items,
    theirs = EXCLUDED.theirs, ours = EXCLUDED.ours, first_on = EXCLUDED.first_on, resolution = '', resolved_at = NULL,
    resolved_by = '', requested_by = '', reason = '', transaction_id = NULL, merged_into_id = NULL
WHERE (known.kind, known.state, known.lines, known.items, known.theirs, known.ours, known.first_on) IS DISTINCT FROM
      (EXCLUDED.kind, 'open', EXCLUDED.lines, EXCLUDED.items, EXCLUDED.theirs, EXCLUDED.ours, EXCLUDED.first_on)
"""
JOIN_LINES = """
UPDATE wallets_statementline l SET found_id = t.id
FROM unnest(%(numbers)s::int4[], %(ids)s::uuid[]) AS t (number, id) JOIN found f USING (number)
WHERE l.id = f.line AND l.found_id IS DISTINCT FROM t.id
"""
JOIN_ITEMS = """
UPDATE wallets_booksitem i SET found_id = t.id
FROM unnest(%(numbers)s::int4[], %(ids)s::uuid[]) AS t (number, id) JOIN found f USING (number)
WHERE i.id = f.item AND i.found_id IS DISTINCT FROM t.id
"""
MERGE = """
UPDATE wallets_break b SET state = 'resolved', resolution = 'merged', merged_into_id = t.other, resolved_at = %(now)s,
                           resolved_by = %(by)s
FROM unnest(%(ids)s::uuid[], %(others)s::uuid[]) AS t (id, other) WHERE b.id = t.id AND b.state = 'open'
"""
# Nothing of it is open any more. Counted break by break: there are few breaks, and no plan shall begin with all lines.
EXPLAINED = """
UPDATE wallets_break b SET state = 'resolved', resolution = 'matched', resolved_at = %(now)s, resolved_by = %(by)s
WHERE b.account_id = %(account)s AND b.state = 'open'
  AND 0 = (SELECT count(*) FROM wallets_statementline l
           WHERE l.found_id = b.id AND l.match_id IS NULL AND l.status = 'booked')
  AND 0 = (SELECT count(*) FROM wallets_booksitem i WHERE i.found_id = b.id AND i.match_id IS NULL)
"""


class Finding(NamedTuple):
    """Something that doesn't match, as the run has found it, and the breaks that it may be."""

    number: int
    kind: str
    lines: int
    items: int
    theirs: int
    ours: int
    first_on: date
    open: Sequence[UUID] | None
    resolved: Sequence[UUID] | None


class Written(NamedTuple):
    """How many breaks were opened, some of them again, and how many are explained."""

    opened: int
    resolved: int


@dataclass
class _Names:
    """Which break each finding is, an open one before one that was resolved before a new one; each is one finding."""

    taken: set[UUID] = field(default_factory=set)
    reopened: list[UUID] = field(default_factory=list)
    new: int = 0

    def name(self, finding: Finding) -> UUID:
        free = [known for known in sorted(finding.open or ()) if known not in self.taken]
        if not free:
            free = [known for known in sorted(finding.resolved or (), reverse=True) if known not in self.taken][:1]
            self.reopened += free
        self.new += not free
        chosen = free[0] if free else uuid7()
        self.taken.add(chosen)
        return chosen


def write(account: ReconciledAccount, *, now: datetime) -> Written:
    """Make the breaks be what was found, inside the caller's transaction."""
    findings = [Finding(*row) for row in sql.rows(FINDINGS)]
    names = _Names()
    ids = [names.name(finding) for finding in findings]
    _save(account, findings, ids, now)
    members = {"numbers": sql.integers(finding.number for finding in findings), "ids": sql.uuids(ids)}
    sql.run(JOIN_LINES, members)
    sql.run(JOIN_ITEMS, members)
    known = [(old, id) for finding, id in zip(findings, ids, strict=True) for old in finding.open or ()]
    merged = {old: id for old, id in known if old not in names.taken}
    by = {"now": now, "by": ":".join(RECONCILIATION.actor)}
    resolved = sql.run(MERGE, by | {"ids": sql.uuids(merged), "others": sql.uuids(merged.values())}).rowcount
    resolved += close_explained(account, by=RECONCILIATION, now=now)
    _note_reopened(names.reopened, now)
    return Written(names.new + len(names.reopened), resolved)


def open_by_kind(account: ReconciledAccount) -> dict[str, dict[str, int]]:
    """The account's open breaks by kind: how many, and what theirs and ours of them sum to."""
    found = Break.objects.filter(account=account, state=Break.State.OPEN).order_by("kind").values("kind")
    rows = found.annotate(count=Count("pk"), their_sum=Sum("theirs"), our_sum=Sum("ours"))
    return {
        kind: {"count": count, "theirs": int(theirs), "ours": int(ours)}
        for kind, count, theirs, ours in rows.values_list("kind", "count", "their_sum", "our_sum")
    }


def close_explained(account: ReconciledAccount, *, by: Actor, now: datetime) -> int:
    """Resolve the open breaks of which nothing is open any more; returns how many those are."""
    who = {"account": account.pk, "now": now, "by": ":".join(by.actor)[:60]}
    return int(sql.run(EXPLAINED, who).rowcount)


def _save(account: ReconciledAccount, findings: Sequence[Finding], ids: Sequence[UUID], now: datetime) -> None:
    words = {
        "account": account.pk, "now": now, "ids": sql.uuids(ids),
        "kinds": sql.texts(finding.kind for finding in findings),
        "lines": sql.integers(finding.lines for finding in findings),
        "items": sql.integers(finding.items for finding in findings),
        "theirs": sql.integers(finding.theirs for finding in findings),
        "ours": sql.integers(finding.ours for finding in findings),
        "days": sql.days(finding.first_on for finding in findings),
    }  # fmt: skip
    sql.run(SAVE, words)


def _note_reopened(breaks: Sequence[UUID], now: datetime) -> None:
    text = "Open again: what explained it was undone."
    BreakNote.objects.bulk_create([
        BreakNote(of_id=id, author=":".join(RECONCILIATION.actor), text=text, at=now) for id in breaks
    ])  # fmt: skip
