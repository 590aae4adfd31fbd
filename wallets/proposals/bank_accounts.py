"""Blocking a bank account, so that nothing more is paid to it, or lifting that."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from wallets import bank_accounts
from wallets.access import NotFound
from wallets.models import BankAccount
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two


class BankAccountBlock(Deed, frozen=True):
    """Let nothing more be paid to a bank account, or lift that. What is on its way goes on."""

    kind: ClassVar[str] = "bank_account"

    bank_account: UUID
    blocked: bool

    def subject(self) -> tuple[str, str]:
        return "bank_account", str(self.bank_account)

    def says(self) -> str:
        account = self._found()
        verb = "Let nothing more be paid to" if self.blocked else "Let money be paid again to"
        return f"{verb} {account.account_name}'s bank account •••• {account.last4}."

    def basis(self) -> Mapping[str, Any]:
        account = self._found()
        if account.deleted_at is not None:
            raise InvalidState("Its holder has removed it.")
        if (account.blocked_at is not None) == self.blocked:
            raise InvalidState(f"It is {'' if self.blocked else 'not '}blocked.")
        return {"last4": account.last4, "bank_code": account.bank_code}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        bank_accounts.set_blocked(self.bank_account, blocked=self.blocked, actor=by, now=now)

    def _found(self) -> BankAccount:
        account = BankAccount.objects.filter(pk=self.bank_account).first()
        if account is None:
            raise NotFound("bank account")
        return account
