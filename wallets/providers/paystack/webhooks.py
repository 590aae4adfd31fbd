"""Paystack's webhooks: HMAC-SHA512 of the raw bytes under the API's secret key; pure."""

from collections.abc import Iterable, Mapping

from wallets.providers import reading, signatures
from wallets.providers.port import EventKind, ProviderEvent
from wallets.providers.transport import decode

KINDS: Mapping[str, EventKind] = {"transfer": "payout", "charge": "deposit"}


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> None:
    """Raise InvalidSignature unless one of the secrets signed the bytes."""
    signatures.check_hmac_sha512(secrets, [body], headers.get("x-paystack-signature", ""))


def parse(body: bytes) -> list[ProviderEvent]:
    """The event. Raises ValueError for a body that can't be read."""
    envelope = decode(body) or {}
    event, data = reading.text(envelope.get("event")), reading.members(envelope, "data")
    if not event:
        raise ValueError("Paystack's webhook names no event.")
    id = reading.text(data.get("id"))
    kind: EventKind = KINDS.get(event.partition(".")[0], "other")
    times = ("paid_at", "transferred_at", "updatedAt", "updated_at", "createdAt", "created_at")
    return [
        ProviderEvent(
            dedupe_key=signatures.event_key(body, event, id),
            kind=kind if event.count(".") == 1 else "other",
            reference=reading.text(data.get("reference")),
            provider_id=(reading.text(data.get("transfer_code")) if kind == "payout" else "") or id,
            hinted_status=reading.text(data.get("status")),
            occurred_at=reading.moment(*(data.get(time) for time in times)),
        )
    ]
