"""The one door from a caller to a wallet: who may see it, spend from it, or manage it."""

from collections.abc import Callable, Iterable, MutableMapping
from enum import IntEnum
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from msgspec import Struct, field

from ledger import sql
from users.callers import Caller
from users.permissions import PermissionDenied
from wallets.models import Wallet


class NotFound(Exception):
    """What isn't there, and what is somebody else's: the two look the same."""

    code: ClassVar[str] = "not_found"
    title: ClassVar[str] = "Not found"

    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what} that you can see.")
        self.data: dict[str, Any] = {}


class WalletRefused(Exception):
    """The wallet's state forbids it."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.data: dict[str, Any] = {}


class WalletFrozen(WalletRefused):
    code = "wallet_frozen"
    title = "The wallet is frozen"


class WalletClosed(WalletRefused):
    code = "wallet_closed"
    title = "The wallet is closed"


class Need(IntEnum):
    """What a caller wants with a wallet, from least to most."""

    VIEW = 1
    SPEND = 2
    MANAGE = 3


ROLES = {"viewer": Need.VIEW, "spender": Need.SPEND, "owner": Need.MANAGE}


class Access(Struct, frozen=True):
    """A wallet as a caller found it: enough to move money, without another query."""

    id: UUID
    currency: str
    status: str
    account: UUID
    # Of people who were asked about, those who are members, and their roles.
    roles: MutableMapping[UUID, str] = field(default_factory=dict)

    def check_may_pay(self) -> None:
        """Raise WalletFrozen or WalletClosed unless money may leave it."""
        if self.status == Wallet.Status.FROZEN:
            raise WalletFrozen(f"The wallet {self.id} is frozen; nothing may leave it until that is lifted.")
        self.check_may_receive()

    def check_may_receive(self) -> None:
        """Raise WalletClosed unless money may come in. A freeze keeps money in, not out."""
        if self.status == Wallet.Status.CLOSED:
            raise WalletClosed(f"The wallet {self.id} is closed; use another one.")


REACH = """
SELECT w.id, w.currency, w.status, w.account_id, m.user_id, m.role
FROM wallets_wallet w LEFT JOIN wallets_member m ON m.wallet_id = w.id AND m.user_id = ANY (%s::uuid[])
WHERE w.id = ANY (%s::uuid[])
"""


def reach(callers: Iterable[Caller], wallets: Iterable[UUID]) -> dict[UUID, Access]:
    """The wallets of these ids that exist, each with the callers' roles in it: nothing is refused yet."""
    return ask_reach(callers, wallets)()


def ask_reach(callers: Iterable[Caller], wallets: Iterable[UUID]) -> Callable[[], dict[UUID, Access]]:
    """What `reach` finds, asked for now and read later."""
    people = {caller.id for caller in callers if caller.kind == "person"}
    asked = sql.ask(REACH, (sql.uuids(people), sql.uuids(wallets)))

    def read() -> dict[UUID, Access]:
        found: dict[UUID, Access] = {}
        for id, currency, status, account, user, role in asked():
            access = found.setdefault(id, Access(id, currency, status, account, {}))
            if user is not None:
                access.roles[user] = role
        return found

    return read


def check(caller: Caller, found: Access | None, need: Need) -> Access:
    """The wallet, where the caller may do what they need. Raises NotFound or PermissionDenied.

    A service reaches every wallet; what it may do there is in its scopes.
    """
    if found is None:
        raise NotFound("wallet")
    if caller.kind == "service":
        return found
    role = found.roles.get(caller.id)
    if role is None:
        raise NotFound("wallet")
    if ROLES[role] < need:
        raise PermissionDenied(f"Your role in this wallet is {role}; ask an owner for more.")
    return found


def enter(caller: Caller, wallet: UUID, need: Need) -> Access:
    """One wallet, by its id. Raises NotFound or PermissionDenied."""
    return check(caller, reach([caller], [wallet]).get(wallet), need)


def visible(caller: Caller) -> QuerySet[Wallet]:
    """The wallets that a caller may see."""
    if caller.kind == "service":
        return Wallet.objects.all()
    return Wallet.objects.filter(members__user_id=caller.id)
