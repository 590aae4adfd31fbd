"""The buttons of a withdrawal's page, as its state and the person's permissions allow."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant

from wallets.admin.deeds import ReasonForm, button, do, permission, propose
from wallets.models import Withdrawal
from wallets.proposals.reviews import Review
from wallets.withdrawals import approve, review

PAGE = "wallets_withdrawal"
Status = Withdrawal.Status
# The states in which there is a button.
STATES = {
    "approve": (Status.AWAITING_APPROVAL,),
    "reject": (Status.AWAITING_APPROVAL,),
    "settle_as_paid": (Status.IN_REVIEW,),
    "give_back": (Status.IN_REVIEW,),
    "retry": (Status.FAILED,),
    "ask_again": (Status.PROCESSING, Status.IN_REVIEW, Status.COMPLETED, Status.FAILED),
}


class Buttons(ModelAdmin):
    """What staff do with a withdrawal."""

    actions_detail = tuple(STATES)

    has_approve_permission = permission("wallets.approve_withdrawal")
    has_review_permission = permission("wallets.review_withdrawal")
    has_ask_review_permission = permission("wallets.ask_review")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons that its state allows."""
        status = Withdrawal.objects.filter(pk=object_id).values_list("status", flat=True).first()
        allowed = {f"{PAGE}_{name}" for name, states in STATES.items() if status in states}
        return [found for found in super().get_actions_detail(request, object_id) if found.action_name in allowed]

    @button("Approve", "It will be paid.", needs="approve", icon="check", variant=ActionVariant.SUCCESS)
    def approve(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(approve.approve, request, form, PAGE, object_id)

    @button(
        "Reject", "It will not be paid, and its money is given back.",
        needs="approve", icon="close", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def reject(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(approve.reject, request, form, PAGE, object_id)

    @button(
        "Settle as paid", "The bank’s own records say that it paid: the money is taken from the wallet.",
        needs="ask_review", icon="check", variant=ActionVariant.SUCCESS,
    )  # fmt: skip
    def settle_as_paid(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(Review(UUID(object_id), "paid"), request, form, PAGE, object_id)

    @button(
        "Give back", "The bank’s own records say that it didn’t pay, or has the money back: the wallet gets it again.",
        needs="ask_review", icon="undo", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def give_back(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(Review(UUID(object_id), "not_paid"), request, form, PAGE, object_id)

    @button(
        "Try again", "Its money is held once more, and a new order goes to the bank, under a new reference.",
        needs="ask_review", icon="replay",
    )  # fmt: skip
    def retry(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(Review(UUID(object_id), "retry"), request, form, PAGE, object_id)

    @button(
        "Ask the bank now", "Nothing is sent; its answer decides what becomes of the withdrawal.",
        needs="review", icon="help",
    )  # fmt: skip
    def ask_again(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return do(review.ask_again, request, form, PAGE, object_id)
