"""Taking a delivery in: verified over its raw bytes, stored once, a worker rung. No money moves."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from ledger import sql
from users.callers import NotAuthenticated
from wallets import bell, metrics
from wallets.access import NotFound
from wallets.providers.port import InvalidSignature, PaymentProvider, ProviderEvent
from wallets.providing import provider, registry

logger = logging.getLogger(__name__)

BODY_LIMIT = 256 * 1024
# What of a delivery's headers is kept; never a signature, which at some providers is the secret itself.
KEPT_HEADERS = ("content-type", "user-agent", "x-forwarded-for")
HEADER_LIMIT = 500


class BodyTooLarge(Exception):
    """The delivery is longer than any provider's."""

    code: ClassVar[str] = "body_too_large"
    title: ClassVar[str] = "Body too large"

    def __init__(self) -> None:
        super().__init__(f"The body may have {BODY_LIMIT} bytes at most.")
        self.data: dict[str, Any] = {"limit": BODY_LIMIT}


class SignatureInvalid(NotAuthenticated):
    """The provider didn't sign this; nothing of it is stored."""

    code: ClassVar[str] = "signature_invalid"
    title: ClassVar[str] = "Signature invalid"


def take(slug: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> list[UUID]:
    """Store what a provider says happened, once; returns the ids of what a worker shall look at: all that is new, and
    what was handled before and is said again. Header names are in lower case.

    Raises NotFound for a provider that isn't enabled, and SignatureInvalid.
    """
    if slug not in registry():
        raise NotFound("provider")
    bank = provider(slug)
    try:
        bank.verify_webhook(headers, body)
    except InvalidSignature as error:
        logger.warning("A webhook for %s was refused: %s", slug, error)
        metrics.webhook_came(slug, "forged")
        raise SignatureInvalid("The signature isn't the provider's; check which secret is in use.") from error
    events = _events(bank, body)
    digest = sha256(body).digest()
    kept = json.dumps({name: _text(headers[name], HEADER_LIMIT) for name in KEPT_HEADERS if name in headers})
    rows = {row["dedupe_key"]: row for row in map(_row, events)}
    fresh = _store(slug, rows, body, digest, kept, now)
    metrics.webhook_came(slug, "stored" if fresh else "duplicate")
    told = fresh if len(fresh) == len(rows) else [*fresh, *_said_again(slug, rows, digest, now)]
    for id in told:
        transaction.on_commit(partial(bell.ring, "wallets.handle_webhook", str(id)))
    return told


def _events(bank: PaymentProvider, body: bytes) -> Sequence[ProviderEvent]:
    """What the body says; one that can't be read, or says nothing, is kept all the same."""
    try:
        events = bank.parse_webhook(body)
    except ValueError as error:
        logger.warning("A webhook of %s can't be read, and is kept for a person: %s", bank.slug, error)
        metrics.webhook_came(bank.slug, "unreadable")
        events = ()
    return events or (ProviderEvent(f"sha256:{sha256(body).hexdigest()}", "other"),)


# An event of another kind than payouts and deposits needs no worker.
STORE = """
WITH told AS (
    SELECT * FROM jsonb_to_recordset(%(events)s::jsonb) AS e (
        id uuid, dedupe_key text, kind text, reference text, provider_id text, hinted_status text,
        occurred_at timestamptz)
)
INSERT INTO wallets_webhookevent (id, provider, dedupe_key, kind, reference, provider_id, hinted_status, occurred_at,
    body, sha256, headers, contradicts, received_at, state, outcome, handled_at, next_at, lease)
SELECT id, %(provider)s, dedupe_key || %(suffix)s, kind, reference, provider_id, hinted_status, occurred_at,
    %(body)s, %(sha256)s, %(headers)s::jsonb, %(contradicts)s, %(now)s,
    CASE WHEN kind = 'other' THEN 'done' ELSE 'waiting' END, '', CASE WHEN kind = 'other' THEN %(now)s END,
    CASE WHEN kind = 'other' THEN NULL ELSE %(now)s END, 0
FROM told
ON CONFLICT (provider, dedupe_key) DO NOTHING
RETURNING id, dedupe_key
"""
OTHER_BYTES = """
SELECT dedupe_key FROM wallets_webhookevent WHERE provider = %s AND dedupe_key = ANY (%s::text[]) AND sha256 <> %s
"""
# What wasn't so when it was first said may be so by now: asked about once, it is asked about again.
SAID_AGAIN = """
UPDATE wallets_webhookevent SET state = 'waiting', next_at = %(now)s
WHERE provider = %(provider)s AND dedupe_key = ANY (%(keys)s::text[]) AND sha256 = %(sha256)s
  AND state <> 'waiting' AND kind <> 'other'
RETURNING id
"""


def _store(
    slug: str, rows: Mapping[str, dict[str, Any]], body: bytes, digest: bytes, headers: str, now: datetime
) -> list[UUID]:
    common = {"provider": slug, "body": body, "sha256": digest, "headers": headers, "now": now}
    stored = sql.rows(STORE, common | {"events": json.dumps([*rows.values()]), "suffix": "", "contradicts": False})
    known = rows.keys() - {key for _, key in stored}
    if known:
        others = [key for (key,) in sql.rows(OTHER_BYTES, (slug, sql.texts(known), digest))]
        if others:
            logger.warning("A webhook of %s came again under %s, with other bytes.", slug, ", ".join(others))
            again = json.dumps([rows[key] | {"id": str(uuid7())} for key in others])
            stored += sql.rows(STORE, common | {"events": again, "suffix": _suffix(digest), "contradicts": True})
    return [id for id, _ in stored]


def _said_again(slug: str, keys: Iterable[str], digest: bytes, now: datetime) -> list[UUID]:
    """Let what was handled be looked at once more."""
    names = sql.texts(name for key in keys for name in (key, key + _suffix(digest)))
    return [id for (id,) in sql.rows(SAID_AGAIN, {"provider": slug, "keys": names, "sha256": digest, "now": now})]


def _suffix(digest: bytes) -> str:
    """What tells other bytes under one key from the first ones."""
    return f"#{digest.hex()[:32]}"


def _row(event: ProviderEvent) -> dict[str, Any]:
    key = _text(event.dedupe_key, 10_000)
    return {
        "id": str(uuid7()),
        "dedupe_key": key if len(key) <= 200 else f"sha256:{sha256(key.encode()).hexdigest()}",
        "kind": event.kind,
        "reference": _text(event.reference, 100),
        "provider_id": _text(event.provider_id, 100),
        "hinted_status": _text(event.hinted_status, 100),
        "occurred_at": event.occurred_at and event.occurred_at.isoformat(),
    }


def _text(value: str, limit: int) -> str:
    """A text as PostgreSQL takes it: without NUL and lone surrogates, and no longer than its column."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()[:limit]
