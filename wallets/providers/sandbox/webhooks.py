"""The sandbox bank's webhooks: signed with HMAC-SHA256 over a timestamp and the raw bytes, by one of our secrets."""

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from wallets.providers import reading
from wallets.providers.port import InvalidSignature, ProviderEvent

TIMESTAMP, SIGNATURE = "x-sandbox-timestamp", "x-sandbox-signature"
# Seconds that a timestamp may be off, either way: an old delivery can't be played back.
WINDOW = 300


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The signature of a delivery at a Unix time, in hexadecimal."""
    return hmac.new(secret.encode(), b"%d.%s" % (timestamp, body), "sha256").hexdigest()


def headers(secret: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a signed delivery."""
    return {
        "Content-Type": "application/json",
        TIMESTAMP: str(timestamp),
        SIGNATURE: signature(secret, timestamp, body),
    }


def verify(secrets: Sequence[str], given: Mapping[str, str], body: bytes, *, at: float) -> None:
    """Raise InvalidSignature unless one of the secrets signed the body, at about this Unix time."""
    timestamp, claimed = given.get(TIMESTAMP, ""), given.get(SIGNATURE, "")
    if not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > 12:
        raise InvalidSignature("The timestamp is missing.")
    if abs(at - int(timestamp)) > WINDOW:
        raise InvalidSignature("The timestamp is too far from now.")
    # Every secret is tried, so that the time taken doesn't tell which one is in use.
    found = [
        hmac.compare_digest(signature(secret, int(timestamp), body).encode(), claimed.encode()) for secret in secrets
    ]
    if not any(found):
        raise InvalidSignature("No secret of ours made this signature.")


def parse(body: bytes) -> list[ProviderEvent]:
    """What a verified body says. Raises ValueError for one that can't be read."""
    try:
        told = json.loads(body)
        return [_event(told["id"], told["event"], reading.moment(told.get("at")), told["data"])]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("It isn't an event of the sandbox bank.") from error


def _event(id: str, name: str, at: datetime | None, data: Mapping[str, Any]) -> ProviderEvent:
    kind, _, status = name.partition(".")
    return ProviderEvent(
        dedupe_key=str(id),
        kind=kind if kind in ("payout", "deposit") else "other",  # type: ignore[arg-type]
        reference=str(data.get("reference", "")),
        provider_id=str(data.get("id", "")),
        hinted_status=status,
        occurred_at=at,
    )
