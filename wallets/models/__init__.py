"""The tables of the product, one file for each subject."""

from wallets.models.movements import Deposit, IdempotencyKey, Transfer
from wallets.models.payouts import BankAccount, PayoutAttempt, Withdrawal
from wallets.models.sandbox import SandboxCheckout, SandboxFloat, SandboxPayout
from wallets.models.wallets import Member, Wallet

__all__ = [
    "BankAccount",
    "Deposit",
    "IdempotencyKey",
    "Member",
    "PayoutAttempt",
    "SandboxCheckout",
    "SandboxFloat",
    "SandboxPayout",
    "Transfer",
    "Wallet",
    "Withdrawal",
]
