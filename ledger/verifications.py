"""Proving the books and keeping a record of it: when, how long it took, over how much, and what was found."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from uuid_utils.compat import uuid7

from ledger import sql, verify
from ledger.seals.sealing import Head, head
from ledger.verify import Finding


@dataclass(frozen=True, slots=True)
class Verification:
    """One run of all checks over all rows. `report` has the first offenders of each check, in words; `head` is the
    newest seal that was checked, as text, or empty.
    """

    started_at: datetime
    took: timedelta
    rows: dict[str, int]
    broken: int
    report: list[str]
    head: str


def nothing(_: Any) -> None:
    """For those who needn't be told."""


def prove(
    *,
    clock: Callable[[], datetime],
    kept: Head | None = None,
    told: Callable[[Finding], object] = nothing,
    day: Callable[[date], object] = nothing,
    recorded: bool = True,
) -> Verification:
    """Run every check, and keep a record of it. Each finding is `told` as it is made, each sealed `day` as it is read.

    `kept` is a head of the seals that was kept elsewhere.
    """
    with sql.snapshot(writable=recorded):
        made = _prove(clock, kept, told, day)
        if recorded:
            _record(made)
    return made


LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('ledger_verification'))"


def prove_if_due(*, since: datetime, clock: Callable[[], datetime]) -> Verification | None:
    """Prove the books unless that was begun since a moment, or somebody is at it here. None where there was no need."""
    with sql.snapshot(writable=True):
        (free,) = sql.rows(LOCK)[0]
        last = last_verification()
        if not free or (last and last.started_at >= since):
            return None
        made = _prove(clock, None, nothing, nothing)
        _record(made)
    return made


LAST = """
SELECT started_at, took, rows::text, broken, report::text, head
FROM ledger_verification ORDER BY started_at DESC LIMIT 1
"""


def last_verification() -> Verification | None:
    """The newest one; None before the first."""
    for started_at, took, rows, broken, report, newest in sql.rows(LAST):
        return Verification(started_at, took, json.loads(rows), broken, json.loads(report), newest)
    return None


def _prove(
    clock: Callable[[], datetime],
    kept: Head | None,
    told: Callable[[Finding], object],
    day: Callable[[date], object],
) -> Verification:
    started_at, broken, report = clock(), 0, []
    for finding in verify.verify(kept=kept, told=day):
        told(finding)
        broken += finding.total
        report += [f"law {finding.check.law}: {offender}" for offender in finding.shown]
    return Verification(started_at, clock() - started_at, verify.size(), broken, report, str(head() or ""))


def _record(made: Verification) -> None:
    sql.run(
        "INSERT INTO ledger_verification (id, started_at, took, rows, broken, report, head)"
        " VALUES (%s, %s, %s, %s::jsonb, %s, %s::jsonb, %s)",
        (
            uuid7(), made.started_at, made.took, json.dumps(made.rows), made.broken, json.dumps(made.report), made.head,
        ),
    )  # fmt: skip
