"""Every report, by the name under which it is asked for."""

from wallets.reports.payouts import AGED
from wallets.reports.report import Report

REPORTS: dict[str, Report] = {report.slug: report for report in (AGED,)}
