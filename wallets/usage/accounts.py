"""A wallet's usage account as people set it: what becomes of usage that it can't cover, and when it is paid early."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from ledger import posting as books
from ledger import sql
from ledger.durable import durable
from users import audit
from users.callers import Caller
from users.permissions import require_scope
from wallets.access import Access, Need, enter
from wallets.models import UsageAccount, UsageSettlement
from wallets.usage import settlement
from wallets.usage.permissions import check_may_report
from wallets.usage.totals import OPEN

Overage = UsageAccount.Overage


def find(caller: Caller, wallet_id: UUID, *, now: datetime) -> UsageAccount:
    """The account, as it would be where there is none yet. Raises NotFound."""
    enter(caller, wallet_id, Need.VIEW)
    found = UsageAccount.objects.filter(pk=wallet_id).first()
    return found or UsageAccount(
        wallet_id=wallet_id, overage=settings.USAGE_OVERAGE, opened_at=now, watermark=now
    )  # fmt: skip


@durable
def change(
    caller: Caller, wallet_id: UUID, *, now: datetime, overage: str | None = None, low_mark: int | None = None
) -> UsageAccount:
    """Set the policy and the low mark, in minor units. Usage that waits is looked at anew at once.

    For services with the scope usage:write: a wallet's owner can't let themselves overdraw it. Raises NotFound and
    PermissionDenied.
    """
    check_may_report(caller)
    enter(caller, wallet_id, Need.MANAGE)
    _open(wallet_id, now)
    changes: dict[str, Any] = {"overage": overage, "low_mark": low_mark}
    given = {name: value for name, value in changes.items() if value is not None}
    if given:
        account = UsageAccount.objects.filter(pk=wallet_id)
        account.select_for_update(no_key=True).get()
        account.update(**given, tries=0, settle_at=now)
        audit.record(actor=caller, action="usage.policy", kind="wallet", object_id=wallet_id, data=given, now=now)
    return UsageAccount.objects.get(pk=wallet_id)


def settle(caller: Caller, wallet_id: UUID, *, now: datetime) -> UsageSettlement | None:
    """Settle a wallet's usage now; None where there isn't a whole minor unit of it, or nothing to cover it. Raises
    NotFound and PermissionDenied.
    """
    check_may_report(caller)
    enter(caller, wallet_id, Need.SPEND)
    return settlement.settle(wallet_id, by=caller, now=now)


def settlements(caller: Caller, wallet_id: UUID) -> QuerySet[UsageSettlement]:
    """What was settled of a wallet. Raises NotFound and PermissionDenied."""
    require_scope(caller, "wallets:read")
    enter(caller, wallet_id, Need.VIEW)
    return UsageSettlement.objects.filter(wallet_id=wallet_id)


def lock(wallet: Access, *, now: datetime) -> None:
    """Lock a wallet's usage and its money, in the order in which settlements do, inside the caller's transaction."""
    _open(wallet.id, now)
    sql.run("SELECT FROM wallets_usageaccount WHERE wallet_id = %s FOR NO KEY UPDATE", (wallet.id,))
    books.lock([(wallet.account, 0)], now)


def _open(wallet_id: UUID, now: datetime) -> None:
    sql.run(OPEN, (settings.USAGE_OVERAGE, now, sql.uuids([wallet_id])))
