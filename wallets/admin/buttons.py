"""The buttons of a withdrawal's page, as its state and the person's permissions allow. Each asks for a reason, which is
written into the history and the audit trail.
"""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
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
from wallets.models import Withdrawal
from wallets.opening import InvalidState
from wallets.withdrawals import approve, review

Status = Withdrawal.Status
# The states in which there is a button.
STATES = {
    "approve": (Status.AWAITING_APPROVAL,),
    "reject": (Status.AWAITING_APPROVAL,),
    "settle_as_paid": (Status.IN_REVIEW,),
    "settle_as_failed": (Status.IN_REVIEW,),
    "retry": (Status.FAILED,),
    "ask_again": (Status.PROCESSING, Status.IN_REVIEW, Status.COMPLETED, Status.FAILED),
}
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


class Buttons(ModelAdmin):
    """What staff do with a withdrawal."""

    actions_detail = tuple(STATES)

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perms(["wallets.approve_withdrawal"]))

    def has_review_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perms(["wallets.review_withdrawal"]))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons that its state allows."""
        status = Withdrawal.objects.filter(pk=object_id).values_list("status", flat=True).first()
        allowed = {f"wallets_withdrawal_{name}" for name, states in STATES.items() if status in states}
        return [found for found in super().get_actions_detail(request, object_id) if found.action_name in allowed]

    @button("Approve", "It will be paid.", needs="approve", icon="check", variant=ActionVariant.SUCCESS)
    def approve(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(approve.approve, request, form, object_id)

    @button(
        "Reject", "It will not be paid, and its money is given back.",
        needs="approve", icon="close", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def reject(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(approve.reject, request, form, object_id)

    @button(
        "Settle as paid", "The bank’s own records say that it paid: the money is taken from the wallet.",
        needs="review", icon="check", variant=ActionVariant.SUCCESS,
    )  # fmt: skip
    def settle_as_paid(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(review.settle_as_paid, request, form, object_id)

    @button(
        "Give back", "The bank’s own records say that it didn’t pay, or has the money back: the wallet gets it again.",
        needs="review", icon="undo", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def settle_as_failed(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(review.settle_as_failed, request, form, object_id)

    @button(
        "Try again", "Its money is held once more, and a new order goes to the bank, under a new reference.",
        needs="review", icon="replay",
    )  # fmt: skip
    def retry(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(review.retry, request, form, object_id)

    @button(
        "Ask the bank now", "Nothing is sent; its answer decides what becomes of the withdrawal.",
        needs="review", icon="help",
    )  # fmt: skip
    def ask_again(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(review.ask_again, request, form, object_id)


def do(deed: Callable[..., None], request: HttpRequest, form: ReasonForm, id: str) -> HttpResponse:
    """Do a deed, say what came of it, and show the page anew."""
    actor, reason = cast(User, request.user), form.cleaned_data["reason"]
    try:
        deed(UUID(id), actor=actor, reason=reason, now=timezone.now())
        messages.success(request, "Done.")
    except REFUSALS as refusal:
        messages.error(request, str(refusal))
    return HttpResponse(headers={"HX-Redirect": reverse("admin:wallets_withdrawal_change", args=[id])})
