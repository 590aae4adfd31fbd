"""Flutterwave's webhooks: a shared secret in a header, and nothing that binds it to the body; pure.

Whoever has seen one can forge any: so that a webhook is only ever a reason to ask.
"""

from collections.abc import Iterable, Mapping

from wallets.providers import reading, signatures
from wallets.providers.port import EventKind, ProviderEvent
from wallets.providers.transport import decode

KINDS: Mapping[str, EventKind] = {"transfer": "payout", "charge": "deposit"}


def verify(headers: Mapping[str, str], body: bytes, secrets: Iterable[str]) -> None:
    """Raise InvalidSignature unless the header is one of the secrets."""
    signatures.check_one_of(secrets, headers.get("verif-hash", ""))


def parse(body: bytes) -> list[ProviderEvent]:
    """The event, the old form too, which had `transfer` in place of `data`. Raises ValueError for an unreadable one."""
    envelope = decode(body) or {}
    event, data = (
        reading.text(envelope.get("event")),
        reading.members(envelope, "data") or reading.members(envelope, "transfer"),
    )
    if not event:
        raise ValueError("Flutterwave's webhook names no event.")
    id, status = reading.text(data.get("id")), reading.text(data.get("status"))
    kind = KINDS.get(event.partition(".")[0], "other")
    name = "reference" if kind == "payout" else "tx_ref"
    return [
        ProviderEvent(
            dedupe_key=signatures.event_key(body, event, id, status),
            kind=kind,
            reference=reading.text(data.get(name)),
            provider_id=id,
            hinted_status=status,
            occurred_at=reading.moment(data.get("created_at")),
        )
    ]
