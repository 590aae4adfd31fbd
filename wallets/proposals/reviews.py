"""What becomes of a withdrawal that only a person can judge, or that the bank refused."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from backoffice.money import format_money
from ledger.durable import within
from wallets.access import NotFound
from wallets.models import Withdrawal
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two
from wallets.withdrawals import review, steps

Status = Withdrawal.Status
# What may be decided, in which state, by which deed, and in words.
OUTCOMES: Mapping[str, tuple[str, Callable[..., None], str]] = {
    "paid": (Status.IN_REVIEW, review.settle_as_paid, "Settle {} as paid: the money is taken from the wallet."),
    "not_paid": (Status.IN_REVIEW, review.settle_as_failed, "Give {} back to the wallet: the bank didn't pay it."),
    "retry": (Status.FAILED, review.retry, "Send {} to the bank once more, under a new reference."),
}


class Review(Deed, frozen=True):
    """Settle a withdrawal as paid or not paid, or try again what the bank refused."""

    kind: ClassVar[str] = "review"

    withdrawal: UUID
    outcome: Literal["paid", "not_paid", "retry"]

    def subject(self) -> tuple[str, str]:
        return "withdrawal", str(self.withdrawal)

    def says(self) -> str:
        found = self._found()
        return OUTCOMES[self.outcome][2].format(format_money(found.amount, found.currency))

    def basis(self) -> Mapping[str, Any]:
        found = self._found()
        if found.status != OUTCOMES[self.outcome][0]:
            raise InvalidState(f"The withdrawal is {steps.words(found.status)}; that can't be decided of it.")
        return {"status": found.status, "amount": found.amount, "attempts": found.attempts.count()}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        deed = OUTCOMES[self.outcome][1]
        within(deed)(self.withdrawal, actor=by, reason=f"{by.reason} (asked for by {by.asked})", now=now)

    def _found(self) -> Withdrawal:
        found = Withdrawal.objects.filter(pk=self.withdrawal).first()
        if found is None:
            raise NotFound("withdrawal")
        return found
