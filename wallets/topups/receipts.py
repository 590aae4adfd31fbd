"""Money that came and can't be matched: kept in the suspense account and on a list, until a person says whose it is."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from uuid_utils.compat import uuid7

from ledger.durable import TryAgain, durable
from ledger.posting import post_one
from ledger.requests import Posting
from users import audit
from users.callers import Actor, System
from wallets import chart
from wallets.access import NotFound, WalletClosed
from wallets.models import TopUp, UnmatchedReceipt, Wallet
from wallets.opening import InvalidState
from wallets.topups.payments import Payment
from wallets.transfers import CurrencyMismatch


def is_kept(payment: Payment, *, by_name: bool) -> bool:
    """Whether a payment is on the list already, assigned or not; by any name, unless it was asked for by this one."""
    same = Q(payment_id=payment.id)
    if payment.reference and not by_name:
        same |= Q(reference=payment.reference, amount=payment.amount, currency=payment.currency)
    return UnmatchedReceipt.objects.filter(same, provider=payment.provider).exists()


def keep(payment: Payment, reason: UnmatchedReceipt.Reason, top_up: TopUp | None, *, now: datetime) -> bool:
    """Post a payment to the suspense account, inside the caller's transaction. False where it was there before."""
    chart.open_currency(payment.currency, now=now)
    receipt = UnmatchedReceipt(
        id=uuid7(), provider=payment.provider, payment_id=payment.id, reference=payment.reference,
        amount=payment.amount, currency=payment.currency, reason=reason, top_up=top_up, transaction_id=uuid7(),
        received_at=now,
    )  # fmt: skip
    # Its unique name is the lock: who comes second waits here, and finds it done.
    UnmatchedReceipt.objects.bulk_create([receipt], ignore_conflicts=True)
    if not UnmatchedReceipt.objects.filter(pk=receipt.pk).exists():
        return False
    suspense = chart.suspense(payment.provider, payment.currency).credit(payment.amount)
    post_one(payment.posting(suspense, id=receipt.transaction_id, description=reason.label), now=now)
    audit.record(
        actor=System("top-ups"), action="receipt.unmatched", kind="unmatchedreceipt", object_id=receipt.pk,
        data={"provider": payment.provider, "payment": payment.id, "amount": payment.amount, "reason": reason.value},
        now=now,
    )  # fmt: skip
    return True


@durable
def assign(*, receipt_id: UUID, wallet_id: UUID, by: Actor, reason: str, now: datetime) -> UUID:
    """Give unmatched money to a wallet; returns the transaction. A person's deed, with their reason.

    Raises NotFound, InvalidState where it was given before, CurrencyMismatch, WalletClosed and AmountTooLarge.
    """
    receipt, wallet = _locked(receipt_id), find_wallet(wallet_id)
    check_may_assign(receipt, wallet)
    posting = Posting(
        "deposit", f"receipt:{receipt.pk}:assigned",
        (
            chart.suspense(receipt.provider, receipt.currency).debit(receipt.amount),
            chart.wallet(wallet.account_id, wallet.currency).credit(receipt.amount),
        ),
        description="Received payment", external_reference=receipt.reference,
    )  # fmt: skip
    post_one(posting, now=now)
    if Wallet.objects.filter(pk=wallet.pk, status=Wallet.Status.CLOSED).exists():
        raise TryAgain("The wallet was closed just now.")
    _decided(receipt, wallet, posting.id, by, reason, now)
    return posting.id


def write_off(*, receipt_id: UUID, by: Actor, reason: str, now: datetime) -> UUID:
    """Book unmatched money as our income, inside the caller's transaction, where nobody can be found whose it is.

    Returns the transaction. Raises NotFound, and InvalidState where it was decided before.
    """
    receipt = _locked(receipt_id)
    _check_undecided(receipt)
    chart.open_currency(receipt.currency, now=now)
    posting = Posting(
        "adjustment", f"receipt:{receipt.pk}:written-off",
        (
            chart.suspense(receipt.provider, receipt.currency).debit(receipt.amount),
            chart.write_offs(receipt.currency).credit(receipt.amount),
        ),
        description=reason[:255], external_reference=receipt.reference,
    )  # fmt: skip
    post_one(posting, now=now)
    _decided(receipt, None, posting.id, by, reason, now)
    return posting.id


def find_wallet(wallet_id: UUID) -> Wallet:
    """Raises NotFound."""
    wallet = Wallet.objects.filter(pk=wallet_id).first()
    if wallet is None:
        raise NotFound("wallet")
    return wallet


def _locked(receipt_id: UUID) -> UnmatchedReceipt:
    receipt = UnmatchedReceipt.objects.select_for_update(no_key=True).filter(pk=receipt_id).first()
    if receipt is None:
        raise NotFound("receipt")
    return receipt


def _decided(
    receipt: UnmatchedReceipt, wallet: Wallet | None, transaction: UUID, by: Actor, reason: str, now: datetime
) -> None:
    kind, id = by.actor
    UnmatchedReceipt.objects.filter(pk=receipt.pk).update(
        wallet=wallet, assigned_at=now, assigned_by=f"{kind}:{id}", assigned_because=reason[:255],
        assignment_id=transaction,
    )  # fmt: skip
    data = {"wallet": str(wallet.pk) if wallet else None, "amount": receipt.amount, "reason": reason}
    audit.record(
        actor=by, action=f"receipt.{'assigned' if wallet else 'written_off'}", kind="unmatchedreceipt",
        object_id=receipt.pk, data=data, now=now,
    )  # fmt: skip


def _check_undecided(receipt: UnmatchedReceipt) -> None:
    if receipt.assigned_at is not None:
        raise InvalidState("It was given to a wallet or written off before.")


def check_may_assign(receipt: UnmatchedReceipt, wallet: Wallet) -> None:
    """Raise the refusal of giving a receipt to a wallet: InvalidState, CurrencyMismatch or WalletClosed."""
    _check_undecided(receipt)
    if receipt.currency != wallet.currency:
        raise CurrencyMismatch(wallet.currency, receipt.currency)
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"The wallet {wallet.pk} is closed; use another one.")
