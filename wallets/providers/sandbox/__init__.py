"""The sandbox bank: a provider for evaluation, demos and tests. What each account number does is in docs/sandbox.md."""
