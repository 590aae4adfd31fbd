"""What staff may do on a page: a button that asks for a reason, a deed of the product's, and what came of it. The
reason is written into the history and the audit trail.
"""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.dataclasses import ActionDialog
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget

from ledger.decision import Refused
from ledger.reversal import NotReversible
from users.models import User
from users.permissions import PermissionDenied
from wallets.access import WalletRefused
from wallets.opening import InvalidState

REFUSALS = (InvalidState, PermissionDenied, WalletRefused, Refused, NotReversible)


class ReasonForm(BaseDialogForm):
    """Why."""

    reason = forms.CharField(max_length=255, widget=UnfoldAdminTextareaWidget)


def button(
    title: str, description: str, *, needs: str, icon: str, variant: ActionVariant = ActionVariant.DEFAULT
) -> Callable[[Callable], Callable]:
    """Make a deed a button for those with a permission, whose dialog says what it does."""
    dialog = ActionDialog(title=title, description=description, form_class=ReasonForm, form_submit_text=title)

    def made(deed: Callable) -> Callable:
        return action(
            description=title, url_path=deed.__name__.replace("_", "-"), permissions=("view", needs), icon=icon,
            variant=variant, dialog=dialog,
        )(deed)  # fmt: skip

    return made


def do(deed: Callable[..., None], request: HttpRequest, form: ReasonForm, page: str, id: str) -> HttpResponse:
    """Do a deed, say what came of it, and show the row's page anew; `page` is such as `wallets_transfer`."""
    actor, reason = cast(User, request.user), form.cleaned_data["reason"]
    try:
        deed(UUID(id), actor=actor, reason=reason, now=timezone.now())
        messages.success(request, "Done.")
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
    return HttpResponse(headers={"HX-Redirect": reverse(f"admin:{page}_change", args=[id])})
