"""Usage counted again from raw events: how far each job is, what it found, and what is done about that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from users.models import User
from wallets import bell
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, act, button, permission, tell
from wallets.admin.usage import differences
from wallets.models import UsageRecalculation, Wallet
from wallets.usage import recalculation

PAGE = "wallets_usagerecalculation"
FOUND = (
    Column("Difference"), Column("Wallet"), Column("Month"), Column("Meter"), Column("Stands", number=True),
    Column("Counted", number=True), Column("State"),
)  # fmt: skip
MOST = 100


class BeginForm(BaseDialogForm):
    """Which months, and of whom."""

    since = forms.DateField(
        label="From the month of", required=False, widget=UnfoldAdminDateWidget,
        help_text="Without it from the first whose events are all kept.",
    )  # fmt: skip
    until = forms.DateField(label="To the month of", required=False, widget=UnfoldAdminDateWidget)
    wallet = forms.UUIDField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="ID of one wallet; else all of them."
    )

    def clean_wallet(self) -> UUID | None:
        wallet: UUID | None = self.cleaned_data["wallet"]
        if wallet and not Wallet.objects.filter(pk=wallet).exists():
            raise forms.ValidationError("There is no such wallet.")
        return wallet


@admin.register(UsageRecalculation)
class UsageRecalculationAdmin(ReadOnlyAdmin):
    actions_list = ("count_again",)
    actions_detail = ("stop",)
    list_display = (
        "started_at", "short_id", "months_shown", "whose", "progress", "differences_shown", "state_shown",
        "finished_at",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (("state", ChoicesDropdownFilter), ("started_at", PeriodFilter))
    list_select_related = ("only__owner",)
    ordering = ("-id",)
    search_ids = ("id", "only")
    search_help_text = "ID of job or wallet"
    tables_first = True
    fieldsets = (
        (None, {"fields": (
            ("months_shown", "whose"), ("started_by_shown", "started_at"), ("finished_at", "next_at"),
            ("whole_id", "audit"),
        )}),
    )  # fmt: skip

    has_run_permission = permission("wallets.run_usage_recalculation")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """One that runs can be stopped."""
        runs = UsageRecalculation.objects.filter(pk=object_id, state=UsageRecalculation.State.RUNNING).exists()
        return super().get_actions_detail(request, object_id) if runs else []

    @button(
        "Count again", "A worker goes through raw events. It changes nothing, and tells what differs.",
        needs="run", icon="calculate", variant=ActionVariant.PRIMARY, form=BeginForm,
    )  # fmt: skip
    def count_again(self, request: HttpRequest, form: BeginForm) -> HttpResponse:
        said = form.cleaned_data
        told = tell(lambda actor, now: _begin(actor, now, said), request)
        messages.error(request, told) if told else messages.success(request, "Begun; a worker is at it.")
        return HttpResponse(headers={"HX-Redirect": reverse(f"admin:{PAGE}_changelist")})

    @button("Stop", "What was found stays.", needs="run", icon="stop", variant=ActionVariant.DANGER)
    def stop(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return act(
            lambda actor, now: recalculation.stop(UUID(object_id), by=actor, now=now), request, PAGE, object_id,
            done="Stopped.",
        )  # fmt: skip

    @display(description="months")
    def months_shown(self, job: UsageRecalculation) -> str:
        return f"{job.since:%b %Y}" if job.since == job.until else f"{job.since:%b %Y} to {job.until:%b %Y}"

    @display(description="of")
    def whose(self, job: UsageRecalculation) -> str:
        return words.wallet_name(job.only) if job.only else "All wallets"

    @display(description="progress")
    def progress(self, job: UsageRecalculation) -> str:
        return cells.progress(job.wallets_done, job.wallets_total)

    @display(description="differences")
    def differences_shown(self, job: UsageRecalculation) -> str:
        return cells.marked(cells.number(job.differences)) if job.differences else cells.number(0)

    @display(description="state")
    def state_shown(self, job: UsageRecalculation) -> str:
        return words.state(job.state)

    @display(description="started by")
    def started_by_shown(self, job: UsageRecalculation) -> str:
        return words.caller_link(job.started_by)

    @display(description="audit")
    def audit(self, job: UsageRecalculation) -> str:
        return words.audit_link("recalculation", job.pk)

    def figures(self, job: UsageRecalculation, now: datetime) -> list[Figure]:
        return [
            Figure("State", words.state(job.state)),
            Figure("Wallets", cells.progress(job.wallets_done, job.wallets_total)),
            Figure("Events counted", f"{job.events:,}"),
            Figure("Differences", f"{job.differences:,}", strong=True),
        ]

    def tables(self, job: UsageRecalculation, now: datetime) -> list[Table]:
        found = job.found.select_related("wallet__owner", "meter", "price").order_by("-id")[:MOST]
        return [Table("What differs", FOUND, [differences.row(each) for each in found], "Nothing does.")]


def _begin(actor: User, now: datetime, said: dict[str, Any]) -> None:
    recalculation.begin(by=actor, now=now, since=said["since"], until=said["until"], wallet_id=said["wallet"])
    bell.ring("wallets.recalculate_usage")
