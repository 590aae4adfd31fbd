"""What the environment says about Paystack."""

from collections.abc import Mapping
from typing import Any

from wallets.providers.enabled import Environment

ADAPTER = "wallets.providers.paystack.adapter.PaystackProvider"
REQUIRED: Mapping[str, str] = {"secret_key": "PAYSTACK_SECRET_KEY"}


def options(env: Environment) -> dict[str, Any]:
    """The adapter's options. The same address serves both modes; the key tells which."""
    secret = env.text("PAYSTACK_SECRET_KEY")
    return {
        "mode": "live" if secret.startswith("sk_live_") else "test",
        "base_url": env.text("PAYSTACK_BASE_URL", "https://api.paystack.co"),
        "secret_key": secret,
        "webhook_secrets": env.texts("PAYSTACK_WEBHOOK_SECRETS") or [secret],
    }
