"""Reconciliation in the back office: statements are uploaded, accounts reconciled, breaks worked on until they end."""

from wallets.admin.reconciliation import accounts, breaks, lines, matches, runs, settings, statements

__all__ = ["accounts", "breaks", "lines", "matches", "runs", "settings", "statements"]
