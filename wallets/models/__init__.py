"""The tables of the product, one file for each subject."""

from wallets.models.incoming import TopUp, UnmatchedReceipt, WebhookEvent
from wallets.models.movements import Deposit, DrainBatch, IdempotencyKey, Transfer
from wallets.models.payouts import BankAccount, PayoutAttempt, Withdrawal, WithdrawalStep
from wallets.models.provider_fees import CarriedFee
from wallets.models.rules import ApprovalRule, FeeRule, WithdrawalLimit
from wallets.models.sandbox import SandboxCheckout, SandboxFloat, SandboxPayout
from wallets.models.snapshots import BalanceSnapshot, DriftAlert, ProviderAccount
from wallets.models.switches import PayoutPause, ProviderCircuit
from wallets.models.wallets import Member, Wallet

__all__ = [
    "ApprovalRule",
    "BalanceSnapshot",
    "BankAccount",
    "CarriedFee",
    "Deposit",
    "DrainBatch",
    "DriftAlert",
    "FeeRule",
    "IdempotencyKey",
    "Member",
    "PayoutAttempt",
    "PayoutPause",
    "ProviderAccount",
    "ProviderCircuit",
    "SandboxCheckout",
    "SandboxFloat",
    "SandboxPayout",
    "TopUp",
    "Transfer",
    "UnmatchedReceipt",
    "Wallet",
    "WebhookEvent",
    "Withdrawal",
    "WithdrawalLimit",
    "WithdrawalStep",
]
