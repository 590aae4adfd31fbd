"""The tables of the product, one file for each subject."""

from wallets.models.incoming import TopUp, UnmatchedReceipt, WebhookEvent
from wallets.models.movements import Deposit, IdempotencyKey, Transfer
from wallets.models.payouts import BankAccount, PayoutAttempt, Withdrawal
from wallets.models.sandbox import SandboxCheckout, SandboxFloat, SandboxPayout
from wallets.models.snapshots import BalanceSnapshot, DriftAlert, ProviderAccount
from wallets.models.wallets import Member, Wallet

__all__ = [
    "BalanceSnapshot",
    "BankAccount",
    "Deposit",
    "DriftAlert",
    "IdempotencyKey",
    "Member",
    "PayoutAttempt",
    "ProviderAccount",
    "SandboxCheckout",
    "SandboxFloat",
    "SandboxPayout",
    "TopUp",
    "Transfer",
    "UnmatchedReceipt",
    "Wallet",
    "WebhookEvent",
    "Withdrawal",
]
