"""What becomes of money that came and couldn't be matched: a wallet gets it, or it is written off."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from backoffice.money import format_money
from ledger.durable import within
from wallets.access import NotFound
from wallets.models import UnmatchedReceipt
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two
from wallets.topups import receipts


class ReceiptDecision(Deed, frozen=True):
    """Give it to a `wallet`, or write it off as our income where there is none to give it to."""

    kind: ClassVar[str] = "receipt"

    receipt: UUID
    wallet: UUID | None = None

    def subject(self) -> tuple[str, str]:
        return "unmatchedreceipt", str(self.receipt)

    def says(self) -> str:
        receipt = find(self.receipt)
        what = f"{format_money(receipt.amount, receipt.currency)}, received through {receipt.provider},"
        return f"Give {what} to the wallet {self.wallet}." if self.wallet else f"Write off {what} as our income."

    def basis(self) -> Mapping[str, Any]:
        receipt = find(self.receipt)
        if receipt.assigned_at is not None:
            raise InvalidState("It has been decided before.")
        if self.wallet is not None:
            receipts.check_may_assign(receipt, receipts.find_wallet(self.wallet))
        return {"amount": receipt.amount, "currency": receipt.currency, "reference": receipt.reference}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> UUID:
        if self.wallet is None:
            return receipts.write_off(receipt_id=self.receipt, by=by, reason=by.reason, now=now)
        return within(receipts.assign)(receipt_id=self.receipt, wallet_id=self.wallet, by=by, reason=by.reason, now=now)


def find(id: UUID) -> UnmatchedReceipt:
    """Raises NotFound."""
    receipt = UnmatchedReceipt.objects.filter(pk=id).first()
    if receipt is None:
        raise NotFound("receipt")
    return receipt
