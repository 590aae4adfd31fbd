"""Taking a withdrawal back, while nothing of it can be at a bank."""

from datetime import datetime
from uuid import UUID

from users.callers import Caller
from users.permissions import require_scope
from wallets.access import Need, enter
from wallets.models import Withdrawal
from wallets.opening import InvalidState
from wallets.withdrawals import accept, settle, steps
from wallets.withdrawals.steps import Because, Status


def cancel(*, caller: Caller, withdrawal_id: UUID, now: datetime) -> Withdrawal:
    """Cancel it and give its money back, inside the caller's transaction.

    A worker that takes it at the same moment either comes first, or finds nothing to do. Raises PermissionDenied,
    NotFound and InvalidState.
    """
    require_scope(caller, "withdrawals:write")
    enter(caller, accept.find(caller, withdrawal_id).wallet_id, Need.SPEND)
    withdrawal = steps.locked(withdrawal_id)
    if withdrawal.status not in (Status.AWAITING_APPROVAL, Status.PENDING):
        raise InvalidState(f"The withdrawal is {steps.words(withdrawal.status)}; it can't be cancelled any more.")
    settle.give_hold_back(withdrawal, now=now)
    detail = "Cancelled before it was sent."
    steps.move(
        withdrawal, Status.CANCELLED, Because(detail, caller), now=now, failure_code="cancelled", failure_detail=detail
    )
    return accept.find(caller, withdrawal_id)
