"""Money in, said so by somebody who may: a marketplace's charge, seen at once and spent from its release date on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from uuid_utils.compat import uuid7

from ledger.balances import Standing
from ledger.decision import UnknownAccount
from ledger.durable import TryAgain
from ledger.posting import Posted, post_one
from ledger.requests import PENDING, Place, Posting
from users import audit
from users.callers import Caller
from users.permissions import PermissionDenied, require_scope
from wallets import chart, metrics
from wallets.access import Need, NotFound, enter, reach
from wallets.models import Deposit, Wallet


@dataclass(frozen=True, slots=True)
class Deposited:
    """A deposit that was made, and the wallet as it stands after it."""

    deposit: Deposit
    standing: Standing


def check_may_deposit(caller: Caller) -> None:
    """Services with the scope may, and staff. Raises PermissionDenied."""
    require_scope(caller, "deposits:write")
    if caller.kind == "person" and not caller.is_staff:
        raise PermissionDenied("Deposits are made by services with the scope deposits:write, and by staff.")


def deposit(
    *,
    caller: Caller,
    wallet_id: UUID,
    amount: int,
    release_at: datetime | None,
    reference: str,
    description: str,
    metadata: Mapping[str, Any],
    now: datetime,
) -> Deposited:
    """Credit a wallet, inside the caller's transaction. A release date in the past means now.

    Raises PermissionDenied, NotFound, WalletClosed and AmountTooLarge.
    """
    check_may_deposit(caller)
    wallet = _find(caller, wallet_id)
    wallet.check_may_receive()
    id, name = uuid7(), chart.clearing(settings.DEFAULT_PROVIDER, wallet.currency)
    release = max(now, release_at or now)
    purse = chart.wallet(wallet.account, wallet.currency)
    pending = (Place(wallet.account, amount, f"deposit:{id}", PENDING, release),) if release > now else ()
    posting = Posting(
        "deposit", f"deposit:{id}", (name.debit(amount), purse.credit(amount)), pending,
        description=description, external_reference=reference, metadata=metadata,
    )  # fmt: skip
    posted = _post(posting, wallet.currency, now)
    if Wallet.objects.filter(pk=wallet.id, status=Wallet.Status.CLOSED).exists():
        raise TryAgain("The wallet was closed just now.")
    made = Deposit.objects.create(
        id=id, wallet_id=wallet.id, amount=amount, currency=wallet.currency, transaction_id=posting.id,
        release_at=release, reference=reference, description=description, metadata=dict(metadata),
        created_by=caller.key, created_at=now,
    )  # fmt: skip
    audit.record(
        actor=caller, action="deposit.made", kind="deposit", object_id=id,
        data={"wallet": str(wallet.id), "amount": amount, "currency": wallet.currency}, now=now,
    )  # fmt: skip
    metrics.posted("deposit")
    return Deposited(made, Standing.of(posted.lane(wallet.account)))


def _post(posting: Posting, currency: str, now: datetime) -> Posted:
    try:
        return post_one(posting, now=now)
    except UnknownAccount:
        # The default provider was enabled after the currency: its accounts aren't in the books yet.
        chart.open_currency(currency, now=now)
        return post_one(posting, now=now)


def _find(caller: Caller, wallet_id: UUID) -> Any:
    """Staff deposit into any wallet, members or not."""
    if not caller.is_staff:
        return enter(caller, wallet_id, Need.VIEW)
    found = reach([caller], [wallet_id]).get(wallet_id)
    if found is None:
        raise NotFound("wallet")
    return found
