"""Every deed that needs two people, by the name under which it is stored."""

from wallets.proposals.accounts import OpenAccount
from wallets.proposals.bank_accounts import BankAccountBlock
from wallets.proposals.breaks import BreakPosting
from wallets.proposals.deed import Deed
from wallets.proposals.journals import Journal
from wallets.proposals.prices import NewPrice, PriceEnd
from wallets.proposals.receipts import ReceiptDecision
from wallets.proposals.reversals import Reversal
from wallets.proposals.reviews import Review
from wallets.proposals.roles import StaffRoles
from wallets.proposals.rules import RuleChange
from wallets.proposals.usage_repairs import UsageRepair
from wallets.proposals.wallets import CreditLimit, Freeze

DEEDS: dict[str, type[Deed]] = {
    deed.kind: deed
    for deed in (
        Journal, Reversal, OpenAccount, Freeze, CreditLimit, RuleChange, ReceiptDecision, Review, BankAccountBlock,
        BreakPosting, NewPrice, PriceEnd, UsageRepair, StaffRoles,
    )
}  # fmt: skip
