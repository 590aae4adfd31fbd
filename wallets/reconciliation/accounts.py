"""Which clearing accounts are reconciled, and the lock of each: one import or run of an account at a time."""

from datetime import datetime
from uuid import UUID

from django.db import OperationalError

from ledger.accounts import codes_outside, find
from wallets import chart
from wallets.models import ReconciledAccount
from wallets.opening import InvalidState

CLEARING = "assets:clearing:"
LOCK_NOT_AVAILABLE = "55P03"


class NoSuchClearing(Exception):
    """No clearing account of that name is in the books; the text says how one is named."""


def parsed(name: str) -> tuple[str, str]:
    """Provider and currency of a name such as `paystack:NGN`. Raises NoSuchClearing."""
    provider, _, currency = name.partition(":")
    if not provider or not currency or not find([chart.clearing(provider, currency).code]):
        raise NoSuchClearing(f"The books have no clearing account {name}; name it as provider:CURRENCY, paystack:NGN.")
    return provider, currency


def names() -> list[str]:
    """The clearing accounts of the books, as provider:CURRENCY."""
    return [code.removeprefix(CLEARING) for code in codes_outside(chart.WALLETS) if code.startswith(CLEARING)]


def locked(provider: str, currency: str, *, now: datetime) -> ReconciledAccount:
    """The account with its row locked, inside the caller's transaction; made at its first statement.

    Raises InvalidState where somebody else has had it for longer than a lock is waited for.
    """
    account = ReconciledAccount(provider=provider, currency=currency, created_at=now)
    ReconciledAccount.objects.bulk_create([account], ignore_conflicts=True)
    return _lock(provider=provider, currency=currency)


def locked_by_id(account_id: UUID) -> ReconciledAccount:
    """A known account with its row locked, inside the caller's transaction. Raises InvalidState as well."""
    return _lock(pk=account_id)


def ledger_account(account: ReconciledAccount) -> UUID:
    """The account of the books that it stands for."""
    return chart.clearing(account.provider, account.currency).id


def _lock(**which: object) -> ReconciledAccount:
    try:
        return ReconciledAccount.objects.select_for_update(no_key=True).get(**which)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        raise InvalidState("Another import or run of this account is under way; try again when it is done.") from error
