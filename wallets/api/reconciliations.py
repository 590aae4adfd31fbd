"""Reconciliations over HTTP: what each run matched, what it left, and how the balances are explained."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from wallets.api.lists import ListView, Page
from wallets.models import Break, Reconciliation
from wallets.reconciliation import reading

TAGS = ("reconciliation",)
Kind = Literal["missing_here", "missing_there", "amount", "date", "duplicate", "status"]


class RunFilter(Page):
    provider: wire.Text | None = None
    currency: Annotated[str, Meta(max_length=3)] | None = None


class BreakFilter(Page):
    kind: Kind | None = None
    state: Literal["open", "resolved"] | None = None


class RuleOut(Struct):
    """What one rule matched; `difference` is ours less theirs, as far as the rule tolerates it."""

    rule: str
    matches: int
    lines: int
    items: int
    difference: int


class OpenOut(Struct):
    """The open breaks of a kind, and what their lines and our transactions sum to."""

    kind: Kind
    count: int
    theirs: int
    ours: int


class ReconciliationOut(Struct):
    """ledger_balance − statement_balance = open_here − open_there + in_transit + accepted + unexplained, at the end of
    `until`. A statement without balances leaves `statement_balance` and `unexplained` null.
    """

    id: UUID
    provider: str
    currency: str
    since: date | None
    until: date
    lines: int
    items: int
    matched_lines: int
    matched_items: int
    rules: list[RuleOut]
    breaks: list[OpenOut]
    opened: int
    resolved: int
    ledger_balance: int
    statement_balance: int | None
    open_here: int
    open_there: int
    in_transit: int
    accepted: int
    unexplained: int | None
    created_at: datetime


class Reconciliations(Struct):
    """A page of runs, newest first."""

    results: list[ReconciliationOut]
    next: str | None
    previous: str | None


class BreakOut(Struct):
    """What doesn't match. `theirs` is what its lines sum to, `ours` what our transactions do; its age counts from
    `first_on`.
    """

    id: UUID
    provider: str
    currency: str
    kind: Kind
    state: Literal["open", "resolved"]
    lines: int
    items: int
    theirs: int
    ours: int
    first_on: date
    owner: UUID | None
    resolution: str
    reason: str
    transaction: UUID | None
    created_at: datetime
    resolved_at: datetime | None


class Breaks(Struct):
    """A page of breaks, newest first."""

    results: list[BreakOut]
    next: str | None
    previous: str | None


class ReconciliationsView(ListView):
    @operation(summary="Reconciliations", query=RunFilter, answers={200: Reconciliations}, tags=TAGS)
    def get(self, request: Request) -> Response:
        """For services with the scope `reports:read`, as are the two below."""
        which = wire.query(request, RunFilter)
        found = reading.runs(caller_of(request))
        if which.provider is not None:
            found = found.filter(account__provider=which.provider)
        if which.currency is not None:
            found = found.filter(account__currency=which.currency)
        return Response(self.pages.page(found, request, reconciliation_out))


class ReconciliationView(APIView):
    @operation(summary="A reconciliation", answers={200: ReconciliationOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        return Response(reconciliation_out(reading.run(caller_of(request), id)))


class BreaksView(ListView):
    @operation(summary="The breaks of a reconciliation", query=BreakFilter, answers={200: Breaks}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        """What was open when it ended, or was explained by it, as it stands now."""
        run, which = reading.run(caller_of(request), id), wire.query(request, BreakFilter)
        chosen = {"kind": which.kind, "state": which.state}
        found = reading.breaks(run).filter(**{name: value for name, value in chosen.items() if value is not None})
        return Response(self.pages.page(found, request, break_out))


def reconciliation_out(run: Reconciliation) -> ReconciliationOut:
    rules = [RuleOut(**outcome) for outcome in run.outcomes]
    breaks = [OpenOut(kind=_kind(kind), **found) for kind, found in sorted(run.breaks.items())]
    return ReconciliationOut(
        run.id, run.account.provider, run.account.currency, run.since, run.until, run.lines, run.items,
        run.matched_lines, run.matched_items, rules, breaks, run.opened, run.resolved, run.ledger_balance,
        run.statement_balance, run.open_here, run.open_there, run.in_transit, run.accepted, run.unexplained,
        run.made_at.astimezone(UTC),
    )  # fmt: skip


def break_out(found: Break) -> BreakOut:
    return BreakOut(
        found.id, found.account.provider, found.account.currency, _kind(found.kind), _state(found.state), found.lines,
        found.items, found.theirs, found.ours, found.first_on, found.owner_id, found.resolution, found.reason,
        found.transaction_id, found.opened_at.astimezone(UTC),
        found.resolved_at.astimezone(UTC) if found.resolved_at else None,
    )  # fmt: skip


def _kind(text: str) -> Any:
    return text


def _state(text: str) -> Any:
    return text
