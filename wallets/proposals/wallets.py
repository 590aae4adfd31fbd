"""What staff do to a wallet: freeze it, lift that, and lend to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import IntegrityError

from backoffice.money import format_money
from ledger.accounts import floor_of, set_floor
from ledger.durable import within
from ledger.money import MAX_POSTING
from users import audit
from users.validation import ValidationError
from wallets import opening
from wallets.access import NotFound, WalletClosed
from wallets.models import Wallet
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two


class Freeze(Deed, frozen=True):
    """Let nothing leave a wallet, or lift that."""

    kind: ClassVar[str] = "freeze"

    wallet: UUID
    frozen: bool

    def subject(self) -> tuple[str, str]:
        return "wallet", str(self.wallet)

    def says(self) -> str:
        return f"{'Freeze' if self.frozen else 'Lift the freeze of'} the wallet {self.wallet}."

    def basis(self) -> Mapping[str, Any]:
        status = open_wallet(self.wallet).status
        if status != ("active" if self.frozen else "frozen"):
            raise InvalidState(f"The wallet is {status} already.")
        return {"status": status}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        within(opening.set_frozen)(actor=by, wallet_id=self.wallet, frozen=self.frozen, now=now)


class CreditLimit(Deed, frozen=True):
    """Let a wallet be overdrawn by `limit` minor units at most; 0 ends that."""

    kind: ClassVar[str] = "credit_limit"

    wallet: UUID
    limit: int

    def subject(self) -> tuple[str, str]:
        return "wallet", str(self.wallet)

    def says(self) -> str:
        most = format_money(self.limit, open_wallet(self.wallet).currency)
        return f"Let the wallet {self.wallet} be overdrawn by {most} at most."

    def basis(self) -> Mapping[str, Any]:
        if not 0 <= self.limit <= MAX_POSTING:
            raise ValidationError.on("limit", "out_of_range", f"A limit is from 0 to {MAX_POSTING}.")
        wallet = open_wallet(self.wallet)
        return {"limit": -(floor_of(wallet.account_id) or 0)}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        try:
            set_floor(open_wallet(self.wallet).account_id, -self.limit)
        except IntegrityError as error:
            raise InvalidState("The wallet is overdrawn by more than that; it must be paid back first.") from error
        audit.record(
            actor=by, action="wallet.credit_limit_set", kind="wallet", object_id=self.wallet,
            data={"limit": self.limit}, now=now,
        )  # fmt: skip


def open_wallet(id: UUID) -> Wallet:
    """A wallet that isn't closed. Raises NotFound and WalletClosed."""
    wallet = Wallet.objects.filter(pk=id).first()
    if wallet is None:
        raise NotFound("wallet")
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"The wallet {id} is closed for ever.")
    return wallet
