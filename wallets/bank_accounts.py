"""Bank accounts that money may be paid to: resolved by the provider, encrypted, shown by their last four digits."""

import logging
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from ledger.durable import durable
from users import audit
from users.callers import Actor, Caller
from users.encryption import decrypt, digest, encrypt
from users.permissions import require_scope
from users.validation import ValidationError
from wallets import chart, currencies
from wallets.access import NotFound
from wallets.models import BankAccount
from wallets.opening import InvalidState
from wallets.providers.port import AccountNotResolved, ResolvedAccount
from wallets.providing import chosen

logger = logging.getLogger(__name__)

NOT_RESOLVED = "There is no such account at this bank; check the number and the bank."


def add(
    *, caller: Caller, provider: str | None, bank_code: str, account_number: str, currency: str, now: datetime
) -> BankAccount:
    """Add a bank account, or find it where the caller has it already. The provider is asked whose it is first.

    Raises PermissionDenied, ValidationError and ProviderUnavailable.
    """
    require_scope(caller, "withdrawals:write")
    currencies.check(currency)
    bank = chosen(provider)
    try:
        resolved = bank.resolve_account(bank_code, account_number)
    except AccountNotResolved as error:
        logger.info("%s resolves no bank account: %s", bank.slug, error)
        raise ValidationError.on("account_number", "not_resolved", NOT_RESOLVED) from error
    return _keep(caller, bank.slug, bank_code, account_number, currency, resolved, now)


@durable
def _keep(
    caller: Caller, provider: str, bank_code: str, number: str, currency: str, resolved: ResolvedAccount, now: datetime
) -> BankAccount:
    # The provider may have been enabled after the currency: what is paid there needs its accounts in the books.
    chart.open_currency(currency, now=now)
    account, fresh = BankAccount.objects.get_or_create(
        **_owner(caller),
        provider=provider,
        bank_code=bank_code,
        number_digest=digest(number),
        currency=currency,
        deleted_at=None,
        defaults={
            "bank_name": resolved.bank_name,
            "number": encrypt(number),
            "last4": number[-4:],
            "account_name": resolved.account_name,
            "created_at": now,
            "blocked_at": _blocked_at(bank_code, number),
        },
    )
    if fresh:
        data = {"provider": provider, "bank_code": bank_code, "last4": account.last4}
        audit.record(
            actor=caller, action="bank_account.added", kind="bank_account", object_id=account.id, data=data, now=now
        )
    return account


@durable
def remove(*, caller: Caller, id: UUID, now: datetime) -> None:
    """Take a bank account off the list; what was paid to it stays known. Raises PermissionDenied and NotFound."""
    require_scope(caller, "withdrawals:write")
    account = find(caller, id)
    BankAccount.objects.filter(pk=account.pk).update(deleted_at=now)
    audit.record(actor=caller, action="bank_account.removed", kind="bank_account", object_id=id, now=now)


def set_blocked(id: UUID, *, blocked: bool, actor: Actor, now: datetime) -> None:
    """Let nothing be paid any more to the number of a bank account, whoever has added it or will, or lift that.

    Inside the caller's transaction. Raises NotFound.
    """
    account = BankAccount.objects.filter(pk=id).first()
    if account is None:
        raise NotFound("bank account")
    same = BankAccount.objects.filter(bank_code=account.bank_code, number_digest=account.number_digest)
    same.update(blocked_at=now if blocked else None)
    audit.record(
        actor=actor, action=f"bank_account.{'blocked' if blocked else 'unblocked'}", kind="bank_account", object_id=id,
        data={"bank_code": account.bank_code, "last4": account.last4}, now=now,
    )  # fmt: skip


def _blocked_at(bank_code: str, number: str) -> datetime | None:
    """Since when nothing may be paid to a number, if that is so."""
    blocked = BankAccount.objects.filter(bank_code=bank_code, number_digest=digest(number), blocked_at__isnull=False)
    return blocked.values_list("blocked_at", flat=True).first()


def visible(caller: Caller) -> QuerySet[BankAccount]:
    """The bank accounts that a caller may pay to: a person's own, for a service all."""
    accounts = BankAccount.objects.filter(deleted_at=None)
    return accounts if caller.kind == "service" else accounts.filter(user_id=caller.id)


def find(caller: Caller, id: UUID) -> BankAccount:
    """One of them. Raises NotFound."""
    return check(caller, visible(caller).filter(pk=id).first())


def find_each(ids: Iterable[UUID]) -> dict[UUID, BankAccount]:
    """Those of these ids that are there, whoever they belong to: nothing is refused yet."""
    return {account.pk: account for account in BankAccount.objects.filter(pk__in=ids, deleted_at=None)}


def check(caller: Caller, account: BankAccount | None) -> BankAccount:
    """The bank account, where the caller may pay to it. Raises NotFound."""
    if account is None or (caller.kind != "service" and account.user_id != caller.id):
        raise NotFound("bank account")
    return account


def check_may_be_paid(account: BankAccount) -> None:
    """Raise InvalidState where staff have blocked it."""
    if account.blocked_at is not None:
        raise InvalidState("Nothing can be paid to this bank account; choose another one, or ask for help.")


def number_of(account: BankAccount) -> str:
    """The whole account number: for the bank, and nobody else."""
    return decrypt(account.number)


def _owner(caller: Caller) -> dict[str, UUID | None]:
    person = caller.kind == "person"
    return {"user_id": caller.id if person else None, "client_id": None if person else caller.id}
