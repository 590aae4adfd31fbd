"""The buttons of a break's page, as its state and the person's permissions allow."""

from functools import partial
from typing import Any, cast
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from users.models import User
from users.staff import holders
from wallets.admin.deeds import ReasonForm, act, button, do, permission, propose
from wallets.admin.proposed import legs_table
from wallets.admin.reconciliation import by_hand
from wallets.models import Break, Proposal
from wallets.opening import InvalidState
from wallets.proposals.breaks import BreakPosting
from wallets.reconciliation import resolving
from wallets.reconciliation.members import lacking
from wallets.reconciliation.postings import AGAINST, likelier, open_day

PAGE = "wallets_break"
AGAINST_WORDS = {
    "suspense": "Suspense, until it is known whose it is", "provider_fees": "Provider fees: what they keep",
}  # fmt: skip


class OwnerChoice(forms.ModelChoiceField):
    """Staff who reconcile, by their names."""

    def label_from_instance(self, user: Any) -> str:
        return f"{user.get_full_name()} · {user.email}" if user.full_name else user.email


class OwnerForm(forms.Form):
    """Who shall look after it."""

    owner = OwnerChoice(
        holders("wallets.reconcile"), required=False, empty_label="Nobody", widget=UnfoldAdminSelectWidget
    )


class AssignForm(OwnerForm, BaseDialogForm):
    """The same in a dialog."""


class NoteForm(BaseDialogForm):
    """What somebody found out."""

    text = forms.CharField(max_length=1000, label="Note", widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}))


class PostingForm(ReasonForm):
    """What is to be posted: the suggestion, and what may be chosen otherwise."""

    against = forms.ChoiceField(choices=[(name, AGAINST_WORDS[name]) for name in AGAINST],
                                widget=UnfoldAdminRadioSelectWidget)  # fmt: skip
    on = forms.DateField(
        label="Effective on", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text="The day it belongs to: that of their line, unless it is closed or something speaks for another.",
    )  # fmt: skip
    asks_first = ("against", "on")
    form_before_template = "admin/table.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found = Break.objects.select_related("account").get(pk=self.object_id)
        self.fields["against"].initial, self.fields["on"].initial = likelier(self.found), open_day(self.found)

    def get_before_template_context(self, request: HttpRequest, object_id: Any = None) -> dict[str, Any]:
        suggested = BreakPosting(self.found.pk, lacks(self.found), likelier(self.found), open_day(self.found))
        return {"table": legs_table("Suggested", suggested.legs())}


class Buttons(ModelAdmin):
    """What staff do with a break."""

    actions_detail: Any = (
        {"title": "Look after it", "items": ["take", "assign", "note"]},
        {"title": "Resolve", "variant": ActionVariant.PRIMARY, "items": ["match_by_hand", "post", "accept"]},
    )  # fmt: skip

    has_reconcile_permission = permission("wallets.reconcile")
    has_ask_posting_permission = permission("wallets.ask_break_posting")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons that its state allows: what is resolved can only be noted down."""
        found = Break.objects.filter(pk=object_id).first()
        hidden = {f"{PAGE}_{name}" for name in self._hidden(found, request)}
        return [shown for shown in super().get_actions_detail(request, object_id) if shown.action_name not in hidden]

    def _hidden(self, found: Break | None, request: HttpRequest) -> set[str]:
        if found is None:
            return set(self._extract_action_names(self.actions_detail))
        if found.state != Break.State.OPEN:
            return {*self._extract_action_names(self.actions_detail)} - {"note"}
        own = {"take"} if found.owner_id == request.user.pk else set()
        return own if lacks(found) and not _asked(found) else {*own, "post"}

    @button("Take it", "It is yours to look after.", needs="reconcile", icon="person_add", form=BaseDialogForm)
    def take(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._assign(request, cast(User, request.user), object_id)

    @button("Assign", "Who looks after it from now on.", needs="reconcile", icon="group", form=AssignForm)
    def assign(self, request: HttpRequest, form: AssignForm, object_id: str) -> HttpResponse:
        return self._assign(request, form.cleaned_data["owner"], object_id)

    def _assign(self, request: HttpRequest, owner: User | None, id: str) -> HttpResponse:
        return act(lambda by, now: resolving.assign(UUID(id), owner=owner, by=by, now=now), request, PAGE, id)

    @button("Note", "What was found out. It can’t be taken back.", needs="reconcile", icon="notes", form=NoteForm)
    def note(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        text = form.cleaned_data["text"]
        deed = partial(resolving.note, UUID(object_id), text=text)
        return act(lambda by, now: deed(by=by, now=now), request, PAGE, object_id, done="Noted.")

    @action(description="Match by hand", url_path="match", permissions=("view", "reconcile"), icon="link")
    def match_by_hand(self, request: HttpRequest, object_id: str) -> HttpResponse:
        found = get_object_or_404(Break.objects.select_related("account"), pk=object_id)
        return by_hand.page(request, self.admin_site.each_context(request) | {"opts": self.opts}, found)

    @button(
        "Post what it lacks", "Our books are made to say what the statement says, when somebody else approves it.",
        needs="ask_posting", icon="edit_note", form=PostingForm,
    )  # fmt: skip
    def post(self, request: HttpRequest, form: PostingForm, object_id: str) -> HttpResponse:
        deed = BreakPosting(UUID(object_id), lacks(form.found), form.cleaned_data["against"], form.cleaned_data["on"])
        return propose(deed, request, form, PAGE, object_id)

    @button(
        "Accept", "It is resolved by this reason alone: what it is about counts as explained, and nothing is posted.",
        needs="reconcile", icon="check",
    )  # fmt: skip
    def accept(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(resolving.accept, request, form, PAGE, object_id)


def lacks(found: Break) -> int:
    """What our books lack of the statement, in minor units; nothing, where all of it is explained by now."""
    try:
        return lacking(found)
    except InvalidState:
        return 0


def _asked(found: Break) -> bool:
    """Whether a posting waits for somebody to decide on it."""
    asked = Proposal.objects.filter(subject_kind="break", subject_id=str(found.pk), status=Proposal.Status.OPEN)
    return asked.filter(expires_at__gt=timezone.now()).exists()
