"""The sandbox bank itself: another company, as far as our books know. What it has accepted is in tables of its own.

What happens is chosen by account numbers and amounts, so it is the same every time; docs/sandbox.md lists them.
"""

from wallets.sandbox_bank.bank import BankTimeout, SandboxBank

__all__ = ["BankTimeout", "SandboxBank"]
