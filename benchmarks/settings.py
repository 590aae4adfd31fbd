"""The product's settings with nothing but the ledger installed: the engine's rows measure the engine."""

from walletproject.settings import *  # noqa: F403

INSTALLED_APPS = ["ledger"]
