"""What the environment says about the sandbox bank. It needs no keys."""

from collections.abc import Mapping
from typing import Any

from wallets.providers.enabled import Environment

ADAPTER = "wallets.providers.sandbox.adapter.SandboxProvider"
REQUIRED: Mapping[str, str] = {}


def options(env: Environment) -> dict[str, Any]:
    """The adapter's options."""
    return {"settle_after": float(env.text("SANDBOX_SETTLE_SECONDS", "1.0"))}
