"""The tables of the product, one file for each subject."""

from wallets.models.automatic_top_ups import AutomaticTopUp, AutomaticTopUpAttempt
from wallets.models.backups import Backup
from wallets.models.closing import MailedHead
from wallets.models.exports import Export
from wallets.models.incoming import TopUp, UnmatchedReceipt, WebhookEvent
from wallets.models.movements import Deposit, DrainBatch, IdempotencyKey, Transfer
from wallets.models.payouts import BankAccount, PayoutAttempt, Withdrawal, WithdrawalStep
from wallets.models.proposals import JournalTemplate, Proposal
from wallets.models.provider_fees import CarriedFee
from wallets.models.reconciliation import (
    BooksItem,
    Break,
    BreakNote,
    ColumnMapping,
    Match,
    MatchRule,
    ReconciledAccount,
    Reconciliation,
    Statement,
    StatementLine,
)
from wallets.models.rules import ApprovalRule, FeeRule, WithdrawalLimit
from wallets.models.sandbox import SandboxCheckout, SandboxFloat, SandboxPayout
from wallets.models.snapshots import BalanceSnapshot, DriftAlert, ProviderAccount
from wallets.models.streams import KafkaOffset, UsageFeed
from wallets.models.switches import PayoutPause, ProviderCircuit
from wallets.models.usage import (
    Meter,
    MeterPrice,
    QuarantinedEvent,
    UsageAccount,
    UsageDifference,
    UsageEvent,
    UsageEventKey,
    UsageImport,
    UsageMonth,
    UsageRecalculation,
    UsageReservation,
    UsageRollup,
    UsageSettlement,
    UsageValue,
)
from wallets.models.usage_alerts import UsageAlert, UsageThreshold
from wallets.models.wallets import Member, Wallet

__all__ = [
    "ApprovalRule",
    "AutomaticTopUp",
    "AutomaticTopUpAttempt",
    "Backup",
    "BalanceSnapshot",
    "BankAccount",
    "BooksItem",
    "Break",
    "BreakNote",
    "CarriedFee",
    "ColumnMapping",
    "Deposit",
    "DrainBatch",
    "DriftAlert",
    "Export",
    "FeeRule",
    "IdempotencyKey",
    "JournalTemplate",
    "KafkaOffset",
    "MailedHead",
    "Match",
    "MatchRule",
    "Member",
    "Meter",
    "MeterPrice",
    "PayoutAttempt",
    "PayoutPause",
    "Proposal",
    "ProviderAccount",
    "ProviderCircuit",
    "QuarantinedEvent",
    "ReconciledAccount",
    "Reconciliation",
    "SandboxCheckout",
    "SandboxFloat",
    "SandboxPayout",
    "Statement",
    "StatementLine",
    "TopUp",
    "Transfer",
    "UnmatchedReceipt",
    "UsageAccount",
    "UsageAlert",
    "UsageDifference",
    "UsageEvent",
    "UsageEventKey",
    "UsageFeed",
    "UsageImport",
    "UsageMonth",
    "UsageRecalculation",
    "UsageReservation",
    "UsageRollup",
    "UsageSettlement",
    "UsageThreshold",
    "UsageValue",
    "Wallet",
    "WebhookEvent",
    "Withdrawal",
    "WithdrawalLimit",
    "WithdrawalStep",
]
