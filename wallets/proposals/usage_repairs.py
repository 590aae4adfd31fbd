"""Setting a month of usage to what its raw events come to, and posting what that changes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from ledger.durable import within
from wallets.access import NotFound
from wallets.models import UsageDifference
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two
from wallets.usage import repairing
from wallets.usage.amounts import exact, written


class UsageRepair(Deed, frozen=True):
    """Repair what a recalculation found to differ."""

    kind: ClassVar[str] = "usage_repair"

    difference: UUID

    def subject(self) -> tuple[str, str]:
        return "wallet", str(self._found().wallet_id)

    def says(self) -> str:
        found = self._found()
        change = written(found.counted_amount - found.amount)
        return f"Set {found.month:%Y-%m} of {found.meter} right: {change} minor units of {found.price.currency} more."

    def basis(self) -> Mapping[str, Any]:
        found = self._found()
        if found.state != UsageDifference.State.OPEN:
            raise InvalidState(f"It was {found.state} before.")
        return {"amount": written(found.amount), "counted": written(found.counted_amount)}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> UUID | None:
        made = exact(within(repairing.repair))(self.difference, by=by, reason=by.reason, now=now)
        return None if made is None else made.transaction_id

    def _found(self) -> UsageDifference:
        found = UsageDifference.objects.select_related("meter", "price").filter(pk=self.difference).first()
        if found is None:
            raise NotFound("difference")
        return found
