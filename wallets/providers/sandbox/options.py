"""What the environment says about the sandbox bank. It needs no keys."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from wallets.providers.enabled import Environment

ADAPTER = "wallets.providers.sandbox.adapter.SandboxProvider"
REQUIRED: Mapping[str, str] = {}


def options(env: Environment) -> dict[str, Any]:
    """The adapter's options. Of the webhooks' secrets the first one signs, each of them verifies.

    Anybody may press Pay on its checkout page. That makes money out of nothing: in production only where it is said.
    """
    made = sha256(f"sandbox webhooks {env.text('SECRET_KEY')}".encode()).hexdigest()
    checkout = env.text("SANDBOX_CHECKOUT", "false" if env.production else "true")
    return {
        "settle_after": float(env.text("SANDBOX_SETTLE_SECONDS", "1.0")),
        "webhook_secrets": env.texts("SANDBOX_WEBHOOK_SECRETS") or [made],
        "public_url": env.text("PUBLIC_URL").rstrip("/") or f"http://127.0.0.1:{env.text('PORT', '8000')}",
        "checkout": checkout.lower() in ("1", "true", "yes", "on"),
    }
