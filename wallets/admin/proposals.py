"""What one person asked for and another one decides: the list of those that wait, and a page that shows what it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Table
from wallets.admin import journals, words
from wallets.admin.deeds import ReasonForm, act, button, permission, show, tell
from wallets.admin.proposed import contents
from wallets.admin.selection import Chosen, SelectionForm, each, selection_page, sent
from wallets.models import Proposal
from wallets.models.proposals import KINDS
from wallets.proposals import decide
from wallets.proposals.decide import digest, is_open

PAGE = "wallets_proposal"
Status = Proposal.Status
# Where the thing that a proposal is about has its page.
PAGES = {
    "wallet": "wallets_wallet", "transaction": "ledger_transaction", "unmatchedreceipt": "wallets_unmatchedreceipt",
    "withdrawal": "wallets_withdrawal", "bank_account": "wallets_bankaccount", "user": "users_user",
    "feerule": "wallets_feerule", "withdrawallimit": "wallets_withdrawallimit", "approvalrule": "wallets_approvalrule",
    "break": "wallets_break", "meter": "wallets_meter",
}  # fmt: skip


class StatusFilter(DropdownFilter):
    """Proposals of one status; those that wait have an index of their own."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.label) for status in Status]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(status=self.value()) if self.value() in Status.values else queryset


class ApprovalForm(ReasonForm):
    """An approval holds for what was shown: its digest comes along."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False
        self.fields["seen"].initial = digest(Proposal.objects.get(pk=self.object_id))


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    list_display = ("requested_at", "says_shown", "kind", "requested_by", "status_shown", "decided_by", "expires_at")
    list_filter: ClassVar[Sequence[Any]] = (StatusFilter, "kind", ("requested_at", PeriodFilter))
    list_select_related = ("requested_by", "decided_by")
    ordering = ("-id",)
    tables_first = True
    search_ids = ("id", "requested_by", "decided_by", "transaction")
    search_texts = ("subject_id",)
    search_help_text = "ID of the proposal, of a person or of what it is about"
    actions = ("approve_selected", "reject_selected")
    actions_detail = ("approve", "reject", "withdraw")
    actions_list = ("new_journal",)
    fieldsets = (
        (None, {"fields": (
            "says", ("kind", "status_shown"), ("about", "expires_at"), ("requested_by", "requested_at"), "reason",
            ("decided_by", "decided_at"), ("decided_because", "transaction_shown"), ("whole_id", "digest_shown"),
            "audit",
        )}),
    )  # fmt: skip

    # --- What may be done --------------------------------------------------------------------------------------

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may decide on some kind may press the button; on which, the deed itself says."""
        return any(request.user.has_perm(f"wallets.decide_{kind}") for kind in KINDS)

    def has_ask_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return any(request.user.has_perm(f"wallets.ask_{kind}") for kind in KINDS)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons of what is open: to decide for others, to take back for whoever asked."""
        proposal = Proposal.objects.filter(pk=object_id).first()
        if proposal is None or not is_open(proposal, timezone.now()):
            return []
        own = proposal.requested_by_id == request.user.pk
        if not own and not request.user.has_perm(f"wallets.decide_{proposal.kind}"):
            return []
        shown = {f"{PAGE}_withdraw"} if own else {f"{PAGE}_approve", f"{PAGE}_reject"}
        return [found for found in super().get_actions_detail(request, object_id) if found.action_name in shown]

    @button(
        "Approve", "It is done at once, as it is shown here.",
        needs="decide", icon="check", variant=ActionVariant.SUCCESS, form=ApprovalForm,
    )  # fmt: skip
    def approve(self, request: HttpRequest, form: ApprovalForm, object_id: str) -> HttpResponse:
        told = self._approve(request, UUID(object_id), form.cleaned_data["seen"], form.cleaned_data["reason"])
        messages.error(request, told) if told else messages.success(request, "Approved, and done.")
        return show(PAGE, object_id)

    @button("Reject", "It will not be done.", needs="decide", icon="close", variant=ActionVariant.DANGER)
    def reject(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        told = self._reject(request, UUID(object_id), form.cleaned_data["reason"])
        messages.error(request, told) if told else messages.success(request, "Rejected.")
        return show(PAGE, object_id)

    @button("Take back", "Nobody can approve it any more.", needs="ask", icon="undo")
    def withdraw(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        reason, id = form.cleaned_data["reason"], UUID(object_id)
        return act(
            lambda actor, now: decide.withdraw(id, actor=actor, reason=reason, now=now), request, PAGE, object_id,
            done="Taken back.",
        )  # fmt: skip

    def _approve(self, request: HttpRequest, id: UUID, seen: str, reason: str) -> str:
        return tell(lambda actor, now: decide.approve(id, actor=actor, seen=seen, reason=reason, now=now), request)

    def _reject(self, request: HttpRequest, id: UUID, reason: str) -> str:
        return tell(lambda actor, now: decide.reject(id, actor=actor, reason=reason, now=now), request)

    has_ask_journal_permission = permission("wallets.ask_journal")

    @action(description="New journal", url_path="journal", permissions=("ask_journal",), icon="edit_note")
    def new_journal(self, request: HttpRequest) -> HttpResponse:
        return journals.page(request, self.admin_site.each_context(request) | {"opts": self.opts})

    # --- Many at once ------------------------------------------------------------------------------------------

    @admin.action(description="Approve …", permissions=["decide"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> HttpResponse | None:
        return self._decide_selected(request, queryset, "Approve")

    @admin.action(description="Reject …", permissions=["decide"])
    def reject_selected(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> HttpResponse | None:
        return self._decide_selected(request, queryset, "Reject")

    def _decide_selected(self, request: HttpRequest, queryset: QuerySet[Proposal], verb: str) -> HttpResponse | None:
        """A page that shows what was chosen and asks for the reason; sent back, each is decided by itself."""
        chosen = list(queryset.select_related("requested_by").order_by("id"))
        form = SelectionForm(sent(request), required=verb == "Reject")
        if not form.is_valid():
            rows = [
                Chosen(proposal.pk, proposal.says, f"{proposal.requested_by}: {proposal.reason}", digest(proposal))
                for proposal in chosen
            ]
            return selection_page(self, request, verb, rows, form)
        each(
            request, [(proposal.says, proposal) for proposal in chosen],
            lambda proposal: self._decide(request, proposal, verb, form.cleaned_data["reason"]),
            "approved, and done" if verb == "Approve" else "rejected",
        )  # fmt: skip
        return None

    def _decide(self, request: HttpRequest, proposal: Proposal, verb: str, reason: str) -> str:
        if verb == "Reject":
            return self._reject(request, proposal.pk, reason)
        return self._approve(request, proposal.pk, request.POST.get(f"seen-{proposal.pk}", ""), reason)

    # --- What is shown -----------------------------------------------------------------------------------------

    @display(description="what")
    def says_shown(self, proposal: Proposal) -> str:
        return cells.abridged(proposal.says)

    @display(description="status")
    def status_shown(self, proposal: Proposal) -> str:
        if proposal.status == Status.OPEN and not is_open(proposal, timezone.now()):
            return cells.label("Expired")
        return words.state(proposal.status)

    @display(description="about")
    def about(self, proposal: Proposal) -> str:
        page, id = PAGES.get(proposal.subject_kind), proposal.subject_id
        if page is None or not id:
            return id or cells.NOTHING
        return cells.link(page, id, f"{proposal.subject_kind.replace('_', ' ')} …{id[-cells.SHOWN :]}")

    @display(description="transaction")
    def transaction_shown(self, proposal: Proposal) -> str:
        if proposal.transaction is None:
            return cells.NOTHING
        return cells.link("ledger_transaction", proposal.transaction_id, cells.abridged(proposal.transaction.reference))

    @display(description="digest")
    def digest_shown(self, proposal: Proposal) -> str:
        return cells.identifier(digest(proposal))

    @display(description="audit")
    def audit(self, proposal: Proposal) -> str:
        return words.audit_link("proposal", proposal.pk)

    def tables(self, proposal: Proposal, now: datetime) -> list[Table]:
        return contents(proposal)


COLUMNS = (Column("Asked"), Column("What"), Column("By"), Column("State"))


def about(kind: str, id: Any, limit: int = 10) -> Table:
    """What was asked for about one thing, newest first: for its page."""
    found = Proposal.objects.filter(subject_kind=kind, subject_id=str(id)).select_related("requested_by")
    shown: ProposalAdmin = admin.site.get_model_admin(Proposal)  # type: ignore[assignment]
    rows = [
        (cells.moment(proposal.requested_at), cells.link(PAGE, proposal.pk, cells.abridged(proposal.says)),
         proposal.requested_by, shown.status_shown(proposal))
        for proposal in found.order_by("-id")[:limit]
    ]  # fmt: skip
    return Table("Asked for, with two people", COLUMNS, rows, empty="Nothing has been asked for.")
