"""One effect for a caller's key: claimed before, stored with the effect, in the effect's own transaction.

A key that is being used is held by an advisory lock, which a crash lets go; a key that was used is a row, for ever.
Its primary key is the last word where two slip past the lock's snapshot.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError
from msgspec import Struct
from msgspec.structs import replace

from ledger import sql
from ledger.durable import OutcomeUnknown, durable, pipelined


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


class Claim(Struct, frozen=True):
    """A caller's key, and what it is meant for."""

    caller: str
    key: str
    fingerprint: bytes

    @property
    def lock(self) -> int:
        """The number of its advisory lock."""
        digest = hashlib.blake2b(f"{self.caller} {self.key}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, signed=True)


class Answer(Struct, frozen=True):
    """What was answered, as it goes over the wire."""

    status: int
    body: bytes
    replayed: bool = False


Refusal = Exception
L = TypeVar("L")
Look = Callable[[], L]
Act = Callable[[L, list[int]], list[Answer | Refusal]]


def once(claim: Claim, act: Callable[[], Answer], *, now: datetime, pipelined: bool = False) -> Answer:
    """Do it, once for the key: `act` runs in one durable transaction together with the key's row.

    With `pipelined` its statements are sent without waiting for each, and COMMIT with the last of them. Raises what
    `act` raises (then nothing is stored), IdempotencyInProgress, IdempotencyKeyReused, DuplicateRequest, and
    OutcomeUnknown where the commit was interrupted and the key tells nothing.
    """
    (outcome,) = _settled(_pipelined if pipelined else _durable, [claim], lambda: None, lambda *_: [act()], now)
    if isinstance(outcome, Answer):
        return outcome
    raise outcome


def once_each(claims: Sequence[Claim], look: Look[L], act: Act[L], *, now: datetime) -> list[Answer | Refusal]:
    """Do several things, each once for its key, in one durable transaction that they share.

    `act` is given the positions of those that are to be done, and answers or refuses each; only answers are stored.
    `look` asks for what it will need before the keys are known to be free, so that one wait does for both. Their
    statements are pipelined. Raises what they raise, and OutcomeUnknown where the commit was interrupted and a key
    tells nothing.
    """
    return _settled(_pipelined, claims, look, act, now)


def _settled(
    settle: Callable[[Sequence[Claim], Look[L], Act[L], datetime], list[Answer | Refusal]],
    claims: Sequence[Claim],
    look: Look[L],
    act: Act[L],
    now: datetime,
) -> list[Answer | Refusal]:
    try:
        return settle(claims, look, act, now)
    except OutcomeUnknown as unknown:
        try:
            return [_known(claim) for claim in claims]
        except (OperationalError, InterfaceError) as away:
            # Still unknown: that the database is away now says nothing of what it committed.
            raise unknown from away


def remember(claim: Claim, answer: Answer, *, now: datetime) -> Answer:
    """Bind the key to a refusal that had no effect, so that a late retry doesn't succeed by surprise.

    Where another request with the key was quicker, its answer is the key's.
    """
    return once(claim, lambda: answer, now=now)


def find(claim: Claim) -> Answer | None:
    """The answer that is stored for a key, without claiming it."""
    statement = "SELECT fingerprint, status, body FROM wallets_idempotencykey WHERE caller = %s AND key = %s"
    return next((_stored(claim, *row) for row in sql.rows(statement, (claim.caller, claim.key))), None)


def _known(claim: Claim) -> Answer:
    """What the key tells after an interrupted commit. Raises OutcomeUnknown where it tells nothing."""
    stored = find(claim)
    if stored is None:
        raise OutcomeUnknown("The commit was interrupted; repeat with the same key.")
    return replace(stored, replayed=False)


def _act_once(claims: Sequence[Claim], look: Look[L], act: Act[L], now: datetime) -> list[Answer | Refusal]:
    claimed = _claim(claims)
    found = look()
    outcomes = claimed()
    fresh = [index for index, outcome in enumerate(outcomes) if outcome is None]
    done = list(zip(fresh, act(found, fresh), strict=True)) if fresh else []
    _store([(claims[index], outcome) for index, outcome in done if isinstance(outcome, Answer)], now)
    for index, outcome in done:
        outcomes[index] = outcome
    return cast(list[Answer | Refusal], outcomes)


_durable, _pipelined = durable(_act_once), pipelined(_act_once)


CLAIM = """
SELECT pg_try_advisory_xact_lock(c.lock), k.fingerprint, k.status, k.body
FROM unnest(%s::int8[], %s::text[], %s::text[]) WITH ORDINALITY AS c (lock, caller, key, position)
LEFT JOIN wallets_idempotencykey k ON k.caller = c.caller AND k.key = c.key
ORDER BY c.position
"""


def _claim(claims: Sequence[Claim]) -> Callable[[], list[Answer | Refusal | None]]:
    """For each key its stored answer, or why it can't be used now; None where it is ours to use."""
    asked = sql.ask(
        CLAIM,
        (
            sql.integers(claim.lock for claim in claims),
            sql.texts(claim.caller for claim in claims),
            sql.texts(claim.key for claim in claims),
        ),
    )

    def read() -> list[Answer | Refusal | None]:
        found: list[Answer | Refusal | None] = []
        taken: set[tuple[str, str]] = set()
        for claim, (locked, *row) in zip(claims, asked(), strict=True):
            found.append(_state(claim, locked and (claim.caller, claim.key) not in taken, row))
            taken.add((claim.caller, claim.key))
        return found

    return read


def _state(claim: Claim, free: bool, row: list[Any]) -> Answer | Refusal | None:
    try:
        stored = _stored(claim, *row)
    except (IdempotencyKeyReused, DuplicateRequest) as refusal:
        return refusal
    return stored if stored or free else IdempotencyInProgress()


def _stored(claim: Claim, fingerprint: bytes | None, status: int, body: bytes | None) -> Answer | None:
    if fingerprint is None:
        return None
    if bytes(fingerprint) != claim.fingerprint:
        raise IdempotencyKeyReused
    if body is None:
        raise DuplicateRequest(original_status=status)
    return Answer(status, bytes(body), replayed=True)


# Where somebody used a key just now, all is undone and looked at again.
STORE = """
INSERT INTO wallets_idempotencykey (caller, key, fingerprint, status, body, created_at)
SELECT k.*, %s
FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::int2[], %s::bytea[]) AS k (caller, key, fingerprint, status, body)
ON CONFLICT (caller, key) DO UPDATE SET body = wallets_lost_race()::bytea
"""


def _store(answers: Sequence[tuple[Claim, Answer]], now: datetime) -> None:
    if not answers:
        return
    claims, given = zip(*answers, strict=True)
    sql.run(
        STORE,
        (
            now, sql.texts(claim.caller for claim in claims), sql.texts(claim.key for claim in claims),
            sql.binaries(claim.fingerprint for claim in claims), sql.integers(answer.status for answer in given),
            sql.binaries(answer.body for answer in given),
        ),
    )  # fmt: skip


def forget_bodies(*, now: datetime, limit: int = 10_000) -> int:
    """Let go of the bodies that were kept for long enough; the keys stay. Returns how many."""
    before = now - timedelta(days=settings.IDEMPOTENCY_BODY_DAYS)
    return sql.run(
        "UPDATE wallets_idempotencykey SET body = NULL WHERE (caller, key) IN (SELECT caller, key FROM"
        " wallets_idempotencykey WHERE created_at < %s AND body IS NOT NULL ORDER BY created_at LIMIT %s)",
        (before, limit),
    ).rowcount
