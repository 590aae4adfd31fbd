"""What the environment says about Flutterwave."""

from collections.abc import Mapping
from typing import Any

from wallets.providers.enabled import Environment

ADAPTER = "wallets.providers.flutterwave.adapter.FlutterwaveProvider"
REQUIRED: Mapping[str, str] = {
    "secret_key": "FLUTTERWAVE_SECRET_KEY",
    "webhook_secrets": "FLUTTERWAVE_WEBHOOK_SECRETS",
}


def options(env: Environment) -> dict[str, Any]:
    """The adapter's options. The same address serves both modes; the key tells which."""
    secret = env.text("FLUTTERWAVE_SECRET_KEY")
    return {
        "mode": "live" if secret.startswith("FLWSECK-") else "test",
        "base_url": env.text("FLUTTERWAVE_BASE_URL", "https://api.flutterwave.com/v3"),
        "secret_key": secret,
        "webhook_secrets": env.texts("FLUTTERWAVE_WEBHOOK_SECRETS"),
        "reference_suffix": env.text("FLUTTERWAVE_REFERENCE_SUFFIX"),
    }
