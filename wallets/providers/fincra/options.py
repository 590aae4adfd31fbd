"""What the environment says about Fincra."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from wallets.providers.enabled import Environment

ADAPTER = "wallets.providers.fincra.adapter.FincraProvider"
REQUIRED: Mapping[str, str] = {
    "secret_key": "FINCRA_API_KEY",
    "public_key": "FINCRA_PUBLIC_KEY",
    "business_id": "FINCRA_BUSINESS_ID",
    "webhook_secrets": "FINCRA_WEBHOOK_SECRETS",
}
LIVE, SANDBOX = "https://api.fincra.com", "https://sandboxapi.fincra.com"


def options(env: Environment) -> dict[str, Any]:
    """The adapter's options. Its keys look the same in both modes; the address tells which."""
    base_url = env.text("FINCRA_BASE_URL", LIVE if env.production else SANDBOX)
    return {
        "mode": "live" if urlsplit(base_url).hostname == urlsplit(LIVE).hostname else "test",
        "base_url": base_url,
        "secret_key": env.text("FINCRA_API_KEY"),
        "public_key": env.text("FINCRA_PUBLIC_KEY"),
        "business_id": env.text("FINCRA_BUSINESS_ID"),
        "webhook_secrets": env.texts("FINCRA_WEBHOOK_SECRETS"),
    }
