"""What staff may do on a page: a button that asks for a reason, a deed of the product's, and what came of it. The
reason is written into the history and the audit trail.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.dataclasses import ActionDialog
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from ledger.closing import PeriodClosed
from ledger.decision import Refused
from ledger.reversal import NotReversible
from users.models import User
from users.permissions import PermissionDenied
from users.validation import ValidationError
from wallets.access import NotFound, WalletRefused
from wallets.opening import InvalidState
from wallets.proposals.ask import ask
from wallets.proposals.deed import Deed
from wallets.transfers import CurrencyMismatch

REFUSALS = (
    CurrencyMismatch, InvalidState, NotFound, NotReversible, PeriodClosed, PermissionDenied, Refused, ValidationError,
    WalletRefused,
)  # fmt: skip


class ReasonForm(BaseDialogForm):
    """Why; what else a deed needs to know comes before it."""

    reason = forms.CharField(max_length=255, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    asks_first: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*self.asks_first, "reason"])


def permission(name: str) -> Callable[..., bool]:
    """A method that tells whether somebody may: unfold would look for a bare name in a database not yet there."""

    def may(self: Any, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(name))

    return may


def button(
    title: str,
    description: str,
    *,
    needs: str,
    icon: str,
    variant: ActionVariant = ActionVariant.DEFAULT,
    form: type[BaseDialogForm] = ReasonForm,
) -> Callable[[Callable], Callable]:
    """Make a deed a button for those with a permission, whose dialog says what it does."""
    dialog = ActionDialog(title=title, description=description, form_class=form, form_submit_text=title)

    def made(deed: Callable) -> Callable:
        return action(
            description=title, url_path=deed.__name__.replace("_", "-"), permissions=("view", needs), icon=icon,
            variant=variant, dialog=dialog,
        )(deed)  # fmt: skip

    return made


def tell(deed: Callable[[User, datetime], object], request: HttpRequest) -> str:
    """Let whoever asks do a deed, now; returns why it couldn't be done, or nothing."""
    try:
        deed(cast(User, request.user), timezone.now())
    except REFUSALS as refusal:
        return str(refusal)
    return ""


def act(
    deed: Callable[[User, datetime], object], request: HttpRequest, page: str, id: str, *, done: str = "Done."
) -> HttpResponse:
    """Do a deed, say what came of it, and show the row's page anew; `page` is such as `wallets_transfer`."""
    told = tell(deed, request)
    messages.error(request, told) if told else messages.success(request, done)
    return show(page, id)


def way(title: str, path: str, *, needs: str, icon: str) -> Callable[[Callable], Callable]:
    """Make a button that only leads somewhere: the method tells the address."""

    def made(address: Callable[[Any, str], str]) -> Callable:
        def follow(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
            return HttpResponseRedirect(address(self, object_id))

        follow.__name__ = address.__name__
        return action(description=title, url_path=path, permissions=("view", needs), icon=icon)(follow)

    return made


def do(deed: Callable[..., None], request: HttpRequest, form: ReasonForm, page: str, id: str) -> HttpResponse:
    """Do a deed that takes a row and a reason."""
    reason = form.cleaned_data["reason"]
    return act(lambda actor, now: deed(UUID(id), actor=actor, reason=reason, now=now), request, page, id)


def propose(deed: Deed, request: HttpRequest, form: ReasonForm, page: str, id: str) -> HttpResponse:
    """Put a deed before a second person, and show what was asked for; a refusal is told on the row's page."""
    try:
        proposal = ask(deed, actor=cast(User, request.user), reason=form.cleaned_data["reason"], now=timezone.now())
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
        return show(page, id)
    messages.success(request, "Asked for. It is done when somebody else approves it.")
    return show("wallets_proposal", str(proposal.pk))


def show(page: str, id: str) -> HttpResponse:
    """The answer to a dialog: the page of a row."""
    return HttpResponse(headers={"HX-Redirect": reverse(f"admin:{page}_change", args=[id])})
