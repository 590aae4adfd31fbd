"""Paystack's webhooks: HMAC-SHA512 of the raw bytes under the API's secret key; pure."""

from collections.abc import Iterable, Mapping

from wallets.providers import reading, signatures
from wallets.providers.port import ProviderEvent
from wallets.providers.transport import decode

KINDS = {"transfer": "payout", "charge": "deposit"}


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> None:
    """Raise InvalidSignature unless one of the secrets signed the bytes."""
    signatures.check_hmac_sha512(secrets, [body], headers.get("x-paystack-signature", ""))


def parse(body: bytes) -> list[ProviderEvent]:
    """The event. Raises ValueError for a body that can't be read."""
    envelope = decode(body) or {}
    event, data = reading.text(envelope.get("event")), envelope.get("data")
    if not event:
        raise ValueError("Paystack's webhook names no event.")
    id = reading.text(reading.inside(data, "id"))
    kind = KINDS.get(event.partition(".")[0], "other")
    times = ("paid_at", "transferred_at", "updatedAt", "updated_at", "createdAt", "created_at")
    return [
        ProviderEvent(
            dedupe_key=signatures.event_key(body, event, id),
            kind=kind if event.count(".") == 1 else "other",
            reference=reading.text(reading.inside(data, "reference")),
            provider_id=(reading.text(reading.inside(data, "transfer_code")) if kind == "payout" else "") or id,
            hinted_status=reading.text(reading.inside(data, "status")),
            occurred_at=reading.moment(*(reading.inside(data, time) for time in times)),
        )
    ]
