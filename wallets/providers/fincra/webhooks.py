"""Fincra's webhooks: HMAC-SHA512 under a key of their own, of the body or of its two members; pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from wallets.providers import reading, signatures
from wallets.providers.port import EventKind, ProviderEvent
from wallets.providers.transport import decode

KINDS: Mapping[str, EventKind] = {"payout": "payout", "charge": "deposit", "collection": "deposit"}
NAMES = ("reference", "customerReference", "merchantReference", "chargeReference", "id")


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> None:
    """Raise InvalidSignature unless one of the secrets signed the bytes, or the two members that count."""
    signatures.check_hmac_sha512(secrets, [body, *_as_signed(body)], headers.get("signature", ""))


def parse(body: bytes) -> list[ProviderEvent]:
    """The event. Raises ValueError for a body that can't be read."""
    envelope = decode(body) or {}
    event, data = reading.text(envelope.get("event")), reading.members(envelope, "data")
    if not event:
        raise ValueError("Fincra's webhook names no event.")
    status = reading.text(data.get("status"))
    theirs = [reading.text(data.get(name)) for name in ("reference", "chargeReference", "id")]
    family = event.partition(".")[0]
    reference, provider_id = _names(family, data)
    times = ("valuedAt", "updatedAt", "createdAt", "initiatedAt")
    return [
        ProviderEvent(
            dedupe_key=signatures.event_key(body, event, next(filter(None, theirs), ""), status),
            kind=KINDS.get(family, "other"),
            reference=reference,
            provider_id=provider_id,
            hinted_status=status,
            occurred_at=reading.moment(*(data.get(time) for time in times)),
        )
    ]


def _names(family: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """Our reference and Fincra's. What comes to a virtual account has none of ours."""
    name = {field: reading.text(data.get(field)) for field in NAMES}
    if family == "payout":
        return name["customerReference"], name["reference"] or name["id"]
    if family == "charge":
        return name["merchantReference"] or name["reference"], name["chargeReference"] or name["id"]
    return "", name["reference"] or name["id"]


def _as_signed(body: bytes) -> list[bytes]:
    """The two members as JSON.stringify writes them: compact, and with letters as they are."""
    try:
        envelope = json.loads(body)
        signed = {"event": envelope["event"], "data": envelope["data"]}
        return [json.dumps(signed, separators=(",", ":"), ensure_ascii=False).encode()]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
