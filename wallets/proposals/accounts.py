"""Opening an internal account, for what the product itself has no account for: a bank of ours, an expense, equity."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from ledger.accounts import NewAccount, find, open_accounts
from users import audit
from users.validation import ValidationError
from wallets import chart, currencies
from wallets.opening import InvalidState
from wallets.proposals.deed import Deed, Two

TYPES = {"assets": "asset", "liabilities": "liability", "equity": "equity", "income": "income", "expenses": "expense"}
CODE = re.compile(r"[a-z][a-z0-9_]*(:[a-z0-9][a-z0-9_-]*)+:[A-Z]{3}")


class OpenAccount(Deed, frozen=True):
    """Open an account by its code, such as `expenses:goodwill:NGN`: its root is its type, its end its currency."""

    kind: ClassVar[str] = "account"

    code: str
    name: str = ""

    def subject(self) -> tuple[str, str]:
        return "account", self.code

    def says(self) -> str:
        return f"Open the account {self.code}{f' ({self.name})' if self.name else ''}."

    def basis(self) -> Mapping[str, Any]:
        root, currency = self.code.partition(":")[0], self.code.rpartition(":")[2]
        if not CODE.fullmatch(self.code) or root not in TYPES or len(self.code) > 200:
            roots = ", ".join(TYPES)
            raise ValidationError.on("code", "invalid", f"Write {{root}}:{{what}}:{{currency}}; roots are {roots}.")
        if self.code.startswith(chart.WALLETS):
            raise ValidationError.on("code", "reserved", "Accounts of wallets are opened with their wallets.")
        currencies.check(currency)
        if find([self.code]):
            raise InvalidState(f"The account {self.code} is open already.")
        return {"type": TYPES[root], "currency": currency}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        line = chart.internal(self.code, TYPES[self.code.partition(":")[0]], self.code.rpartition(":")[2])
        account = NewAccount(line.code, line.type, line.currency, name=self.name, lanes=line.lanes, id=line.id)
        open_accounts([account], now=now)
        audit.record(
            actor=by, action="account.opened", kind="account", object_id=line.id,
            data={"code": self.code, "name": self.name}, now=now,
        )  # fmt: skip
