"""The sandbox bank: a provider for evaluation, demos and tests. What each account number does is in docs/sandbox.md."""

from wallets.providers.sandbox.adapter import SandboxProvider

__all__ = ["SandboxProvider"]
