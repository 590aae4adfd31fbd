"""Who is to be paid, in the provider's own name for it: asked for once, before an order, with no transaction open."""

from uuid import UUID

from wallets.bank_accounts import number_of
from wallets.models import BankAccount
from wallets.providers.port import PaymentProvider


def ensure(bank: PaymentProvider, account: BankAccount) -> str:
    """The provider's name for a bank account, "" where it needs none.

    Raises AccountNotResolved and ProviderUnavailable.
    """
    if account.recipient:
        return account.recipient
    found = bank.ensure_recipient(account.bank_code, number_of(account), account.account_name, account.currency)
    if found:
        # Kept only for the account as it was asked about; a trigger drops it when that changes.
        same = BankAccount.objects.filter(
            pk=account.pk, provider=bank.slug, bank_code=account.bank_code, number_digest=account.number_digest,
            account_name=account.account_name, currency=account.currency,
        )  # fmt: skip
        same.update(recipient=found)
    return found


def forget(account_id: UUID) -> None:
    """After a refusal the provider is asked anew next time: its name for the account may be what is wrong."""
    BankAccount.objects.filter(pk=account_id).exclude(recipient="").update(recipient="")
