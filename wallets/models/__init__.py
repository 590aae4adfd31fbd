"""The tables of the product, one file for each subject."""

from wallets.models.movements import Deposit, IdempotencyKey, Transfer
from wallets.models.payouts import BankAccount, PayoutAttempt, SandboxPayout, Withdrawal, WithdrawalStep
from wallets.models.rules import ApprovalRule, FeeRule, WithdrawalLimit
from wallets.models.switches import PayoutPause, ProviderCircuit
from wallets.models.wallets import Member, Wallet

__all__ = [
    "ApprovalRule",
    "BankAccount",
    "Deposit",
    "FeeRule",
    "IdempotencyKey",
    "Member",
    "PayoutAttempt",
    "PayoutPause",
    "ProviderCircuit",
    "SandboxPayout",
    "Transfer",
    "Wallet",
    "Withdrawal",
    "WithdrawalLimit",
    "WithdrawalStep",
]
