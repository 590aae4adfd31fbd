"""Every report, by the name under which it is asked for."""

from wallets.reports.activity import FEE, VOLUME
from wallets.reports.books import BALANCE_SHEET, GENERAL_LEDGER, INCOME_STATEMENT, TRIAL_BALANCE
from wallets.reports.customers import WALLET_STATEMENT
from wallets.reports.payouts import AGED
from wallets.reports.report import Report
from wallets.reports.safeguarding import SAFEGUARDING
from wallets.reports.seals import SEALS

REPORTS: dict[str, Report] = {
    report.slug: report
    for report in (
        SAFEGUARDING, TRIAL_BALANCE, BALANCE_SHEET, INCOME_STATEMENT, GENERAL_LEDGER, WALLET_STATEMENT, FEE, VOLUME,
        AGED, SEALS,
    )
}  # fmt: skip
