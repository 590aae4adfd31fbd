"""One effect for a caller's key: claimed before, stored with the effect, in the effect's own transaction.

A key that is being used is held by an advisory lock, which a crash lets go; a key that was used is a row, for ever.
Its primary key is the last word where two slip past the lock's snapshot.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import IntegrityError

from ledger import sql
from ledger.durable import OutcomeUnknown, TryAgain, durable


class IdempotencyInProgress(Exception):
    """The first request with this key still runs."""

    code: ClassVar[str] = "idempotency_in_progress"
    title: ClassVar[str] = "The first request still runs"

    def __init__(self) -> None:
        super().__init__("A request with this key is being worked on; ask again in a second.")
        self.data: dict[str, Any] = {}


class IdempotencyKeyReused(Exception):
    """The key was used for other content."""

    code: ClassVar[str] = "idempotency_key_reused"
    title: ClassVar[str] = "The key was used for something else"

    def __init__(self) -> None:
        super().__init__("This key was used with other content; take a new key for a new request.")
        self.data: dict[str, Any] = {}


class DuplicateRequest(Exception):
    """The key has had its effect, and its answer is gone or wasn't wanted again."""

    code: ClassVar[str] = "duplicate_request"
    title: ClassVar[str] = "Done already"

    def __init__(self, **data: Any) -> None:
        super().__init__("This request was answered before, and had its effect then; it has none now.")
        self.data = data


@dataclass(frozen=True, slots=True)
class Claim:
    """A caller's key, and what it is meant for."""

    caller: str
    key: str
    fingerprint: bytes

    @property
    def lock(self) -> int:
        """The number of its advisory lock."""
        digest = hashlib.blake2b(f"{self.caller} {self.key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, signed=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, as it goes over the wire."""

    status: int
    body: bytes
    replayed: bool = False


def once(claim: Claim, act: Callable[[], Answer], *, now: datetime) -> Answer:
    """Do it, once for the key: `act` runs in one durable transaction together with the key's row.

    Raises what `act` raises (then nothing is stored), IdempotencyInProgress, IdempotencyKeyReused, DuplicateRequest,
    and OutcomeUnknown where the commit was interrupted and the key tells nothing.
    """
    try:
        return _once(claim, act, now)
    except OutcomeUnknown:
        stored = find(claim)
        if stored is None:
            raise
        return stored


def remember(claim: Claim, answer: Answer, *, now: datetime) -> Answer:
    """Bind the key to a refusal that had no effect, so that a late retry doesn't succeed by surprise.

    Where another request with the key was quicker, its answer is the key's.
    """
    return once(claim, lambda: answer, now=now)


@durable
def _once(claim: Claim, act: Callable[[], Answer], now: datetime) -> Answer:
    locked, stored = _claim(claim)
    if stored is not None:
        return stored
    if not locked:
        raise IdempotencyInProgress
    answer = act()
    _store(claim, answer, now)
    return answer


CLAIM = """
SELECT pg_try_advisory_xact_lock(%s), k.fingerprint, k.status, k.body
FROM (VALUES (1)) AS one LEFT JOIN wallets_idempotencykey k ON k.caller = %s AND k.key = %s
"""


def _claim(claim: Claim) -> tuple[bool, Answer | None]:
    ((locked, *row),) = sql.rows(CLAIM, (claim.lock, claim.caller, claim.key))
    return locked, _stored(claim, *row)


def find(claim: Claim) -> Answer | None:
    """The answer that is stored for a key, without claiming it."""
    statement = "SELECT fingerprint, status, body FROM wallets_idempotencykey WHERE caller = %s AND key = %s"
    return next((_stored(claim, *row) for row in sql.rows(statement, (claim.caller, claim.key))), None)


def _stored(claim: Claim, fingerprint: bytes | None, status: int, body: bytes | None) -> Answer | None:
    if fingerprint is None:
        return None
    if bytes(fingerprint) != claim.fingerprint:
        raise IdempotencyKeyReused
    if body is None:
        raise DuplicateRequest(original_status=status)
    return Answer(status, bytes(body), replayed=True)


STORE = """
INSERT INTO wallets_idempotencykey (caller, key, fingerprint, status, body, created_at) VALUES (%s, %s, %s, %s, %s, %s)
"""


def _store(claim: Claim, answer: Answer, now: datetime) -> None:
    try:
        sql.run(STORE, (claim.caller, claim.key, claim.fingerprint, answer.status, answer.body, now))
    except IntegrityError as error:
        raise TryAgain("Somebody used this key just now; look again.") from error


def forget_bodies(*, now: datetime, limit: int = 10_000) -> int:
    """Let go of the bodies that were kept for long enough; the keys stay. Returns how many."""
    before = now - timedelta(days=settings.IDEMPOTENCY_BODY_DAYS)
    return sql.run(
        "UPDATE wallets_idempotencykey SET body = NULL WHERE (caller, key) IN (SELECT caller, key FROM"
        " wallets_idempotencykey WHERE created_at < %s AND body IS NOT NULL ORDER BY created_at LIMIT %s)",
        (before, limit),
    ).rowcount
