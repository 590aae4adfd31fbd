"""The one dictionary between the product's words and the ledger's: which account stands for what.

The ids of internal accounts are made from their codes (UUIDv5), so that finding one takes no query and no cache.
"""

from datetime import datetime
from uuid import UUID, uuid5

from django.conf import settings

from ledger.accounts import BUSY, Line, NewAccount, open_accounts

CHART = UUID("0f6c1f5e-6d0b-5e0c-9c55-8f2a8f0a3b11")
WALLETS = "liabilities:wallets:"


def clearing(provider: str, currency: str) -> Line:
    """The money that a provider holds for us: an asset."""
    return internal(f"assets:clearing:{provider}:{currency}", "asset", currency)


def fees(currency: str) -> Line:
    """What customers paid us for our services: income."""
    return internal(f"income:fees:{currency}", "income", currency)


def provider_fees(currency: str) -> Line:
    """What providers kept of what was paid in: an expense."""
    return internal(f"expenses:provider_fees:{currency}", "expense", currency)


def write_offs(currency: str) -> Line:
    """What came in and nobody claims: income, once two people have said so."""
    return internal(f"income:write_offs:{currency}", "income", currency)


def usage(currency: str) -> Line:
    """What customers paid for metered usage: income."""
    return internal(f"income:usage:{currency}", "income", currency)


def receivables(currency: str) -> Line:
    """Usage that wallets couldn't cover and that is billed: an asset, customers owe it."""
    return internal(f"assets:receivables:usage:{currency}", "asset", currency)


def suspense(provider: str, currency: str) -> Line:
    """Money that came in at a provider and can't be matched yet: a liability, we owe it to somebody."""
    return internal(f"liabilities:suspense:{provider}:{currency}", "liability", currency)


def wallet(account: UUID, currency: str) -> Line:
    """A wallet's money: what we owe its owner, a liability."""
    return Line(account, "", "liability", currency, 1)


def open_currency(currency: str, *, now: datetime) -> None:
    """Open the internal accounts of a currency where they aren't yet, inside the caller's transaction."""
    providers = [line(provider, currency) for provider in settings.PROVIDERS for line in (clearing, suspense)]
    common = (fees, provider_fees, write_offs, usage, receivables)
    internal = [*providers, *(line(currency) for line in common)]
    open_accounts(
        [NewAccount(line.code, line.type, line.currency, lanes=line.lanes, id=line.id) for line in internal], now=now
    )


def open_wallet(wallet_id: UUID, currency: str, *, now: datetime) -> UUID:
    """Open a wallet's account, which may not be overdrawn. Returns its id; inside the caller's transaction."""
    account = NewAccount(f"{WALLETS}{wallet_id}", "liability", currency, floor=0)
    open_accounts([account], now=now)
    return account.id


def wallet_of(code: str) -> UUID | None:
    """The wallet that an account's code stands for, or None for an internal account."""
    return UUID(code.removeprefix(WALLETS)) if code.startswith(WALLETS) else None


def internal(code: str, type_: str, currency: str) -> Line:
    """An account of our own, by its code."""
    return Line(uuid5(CHART, code), code, type_, currency, BUSY)
