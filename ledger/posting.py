"""The one door: everything that moves money goes through `post`, for one posting or ten thousand.

Shape, lock, decide, write; the number of round trips doesn't grow with the number of postings: of many, some are
decided while the server writes those before them. Lanes are always locked in the order of (account, lane), so postings
can't deadlock among themselves.
"""

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, cast
from uuid import UUID

from django.db import IntegrityError, connection

from ledger import sql
from ledger.closing import PeriodClosed
from ledger.decision import Close, Decision, Key, Lane, OpenHold, Refused, decide, lanes_of
from ledger.durable import durable
from ledger.money import MAX_POSTING
from ledger.requests import Leg, Place, Posting, check_shape, debits

# So many are written at a time: the server works on some while the next are decided. It begins with few, so as not to
# wait for long, and goes on with three times as many: each part has some cost of its own.
FIRST, PART = 25, 150
# Of those that are all or nothing so many are written on trust, or one in ten: while the server does, their lanes are
# read and the next decided.
TRUSTED = 100


class OutsideTransaction(Exception):
    """Posting was asked for with no transaction open: what it returned would not be part of the caller's deed."""

    code: ClassVar[str] = "outside_transaction"


class ReferenceTaken(Exception):
    """A reference that names another transaction already. Law 5: it does so for ever."""

    code: ClassVar[str] = "duplicate_request"
    title: ClassVar[str] = "The reference is taken"


class Lanes(Mapping[Key, Lane]):
    """Lanes that are locked, by their keys or, `at` once, by their slots; None where there is no such lane."""

    def __init__(self, slots: Mapping[Key, int]) -> None:
        self._slots = slots
        self.at: list[Lane | None] = [None] * len(slots)

    def __getitem__(self, key: Key) -> Lane:
        lane = self.at[self._slots[key]]
        if lane is None:
            raise KeyError(key)
        return lane

    def __iter__(self) -> Iterator[Key]:
        return (key for key, slot in self._slots.items() if self.at[slot] is not None)

    def __len__(self) -> int:
        return sum(lane is not None for lane in self.at)


class Posted(NamedTuple):
    """What came of the requests: a refusal or None for each, and the lanes as they stand after all of them."""

    refusals: list[Refused | None]
    lanes: Mapping[Key, Lane]

    def lane(self, account: UUID) -> Lane:
        """The only lane of an account."""
        return self.lanes[account, 0]


def post(postings: Sequence[Posting], *, now: datetime, whole: bool = False) -> Posted:
    """Post in order, inside the caller's transaction; with `whole`, all of them or none.

    A refused request leaves nothing behind and is told in `refusals`; with `whole`, one refusal leaves nothing of any
    behind, and lanes that were locked for them may be free again. Raises MalformedPosting, OutsideTransaction,
    ReferenceTaken and PeriodClosed. Within a pipeline the last two may come at its end, as IntegrityError; and what is
    `whole` isn't undone by itself there, but with the caller's transaction.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction("Open a transaction around the whole use case before posting.")
    for posting in postings:
        check_shape(posting, now)
    spin = random.getrandbits(16)
    if len(postings) == 1 and (lanes := _post_plain(postings[0], spin, now)):
        return Posted([None], lanes)
    if whole and len(postings) > FIRST:
        return _post_all(postings, spin, now)
    return _post_parts(postings, spin, now, whole)


def _post_all(postings: Sequence[Posting], spin: int, now: datetime) -> Posted:
    """Post many, and undo it where one is refused."""
    posted = None
    if not sql.in_pipeline() and not any(posting.places or posting.closes for posting in postings):
        posted = _undo_refused(lambda: _post_trusting(postings, spin, now), trusting=True)
    return posted or cast(Posted, _undo_refused(lambda: _post_parts(postings, spin, now, whole=True)))


def _undo_refused(posting: Callable[[], Posted | None], *, trusting: bool = False) -> Posted | None:
    """Post, and undo it where one is refused, or where trust was misplaced: then None."""
    posted, kept = None, False
    try:
        with _told(), sql.pipeline():
            # Before lanes are locked: to move a row that another subtransaction has locked is dearer.
            sql.run("SAVEPOINT posting")
            posted = posting()
            kept = posted is not None and not any(posted.refusals)
            if kept:
                sql.run("RELEASE SAVEPOINT posting")
    except (IntegrityError, ReferenceTaken, PeriodClosed):
        if kept or not trusting:
            raise
    if not kept:
        # Not in a pipeline: psycopg forgets what it has prepared when it reads of a rollback, and would be late to.
        sql.run("ROLLBACK TO SAVEPOINT posting")
        sql.run("RELEASE SAVEPOINT posting")
    return posted


def _post_trusting(postings: Sequence[Posting], spin: int, now: datetime) -> Posted | None:
    """Lock, and write some before the lanes are known, as if nothing could be refused: the server needn't wait for
    their deciding. None where they can't be decided like that: then all is to be undone, and posted with more care.
    """
    slots, legs = _slots(postings, spin)
    trusted, *parts = _parts(len(postings), max(TRUSTED, len(postings) // 10))
    read = _ask_lanes(slots, now, soon=True)
    blank = [Lane(account, lane, "", 1, None, 0, 0, 0, 0, now) for account, lane in slots]
    guess = decide(postings[trusted], [[blank[slot] for slot in each] for each in legs[trusted]], {}, {}, now=now)
    _write(guess)
    lanes, lapsed = read()
    moves = [[lanes.at[slot] for slot in each] for each in legs]
    decision = decide(postings[trusted], moves[trusted], lanes, {}, now=now)
    if lapsed or any(guess.refusals) or decision.moment > now:
        return None
    refusals = decision.refusals
    _write_parts(parts, postings, moves, lanes, {}, refusals, now=now, whole=True)
    return Posted(refusals, lanes)


def _post_parts(postings: Sequence[Posting], spin: int, now: datetime, whole: bool) -> Posted:
    """Lock, decide and write; with `whole`, nothing more is written from the first refusal on."""
    slots, legs = _slots(postings, spin)
    lanes = _lock(slots, now)
    moves = [[lanes.at[slot] for slot in each] for each in legs]
    holds, refusals = _holds(postings), list[Refused | None]()
    with _told(), sql.pipeline() if len(postings) > FIRST else nullcontext():
        parts = _parts(len(postings), FIRST)
        _write_parts(parts, postings, moves, lanes, holds, refusals, now=now, whole=whole)
    return Posted(refusals, lanes)


def _write_parts(
    parts: Iterable[slice],
    postings: Sequence[Posting],
    moves: Sequence[Sequence[Lane | None]],
    lanes: Lanes,
    holds: dict[UUID, OpenHold],
    refusals: list[Refused | None],
    *,
    now: datetime,
    whole: bool,
) -> None:
    """Decide part by part, adding to the refusals, and write each while the next is decided."""
    for part in parts:
        decision = decide(postings[part], moves[part], lanes, holds, now=now)
        refusals += decision.refusals
        if not (whole and any(refusals)):
            _write(decision)


def _parts(count: int, first: int) -> Iterator[slice]:
    """The parts that so many postings are written in."""
    start, size = 0, first
    while start < count:
        yield slice(start, start + size)
        start, size = start + size, min(3 * size, PART)


def post_one(posting: Posting, *, now: datetime) -> Posted:
    """Post one, inside the caller's transaction. Raises its refusal."""
    return post_all([posting], now=now)


def post_all(postings: Sequence[Posting], *, now: datetime) -> Posted:
    """Post all of them or none, inside the caller's transaction. Raises the first refusal."""
    posted = post(postings, now=now, whole=True)
    for refusal in filter(None, posted.refusals):
        raise refusal
    return posted


def post_durably(posting: Posting, *, now: datetime) -> Posted:
    """Post one as a deed of its own: what this returns is committed. Raises its refusal."""
    check_shape(posting, now)
    # A single statement is a transaction, so the plain case is one round trip.
    if lanes := _post_plain(posting, random.getrandbits(16), now):
        return Posted([None], lanes)
    return durable(post_one)(posting, now=now)


def _post_plain(posting: Posting, spin: int, now: datetime) -> Mapping[Key, Lane] | None:
    """One call to the server for a posting that moves no holds; None, and only locks, where it doesn't plainly fit."""
    if posting.places or posting.closes or debits(posting) > MAX_POSTING:
        return None
    keys = lanes_of(posting, spin)
    if len(set(keys)) < len(keys):
        return None
    with _told():
        rows = sql.rows(
            "SELECT * FROM ledger_post(%s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s::uuid[], %s::int2[], %s::int8[])",
            (
                posting.id, posting.kind, posting.reference, posting.external_reference, posting.description,
                _json(posting.metadata), posting.reverses, posting.effective_at, now,
                sql.uuids(account for account, _ in keys), sql.integers(lane for _, lane in keys),
                sql.integers(leg.amount for leg in posting.legs),
            ),
        )  # fmt: skip
    return {(row[0], row[1]): Lane(*row) for row in rows}


def _slots(postings: Sequence[Posting], spin: int) -> tuple[dict[Key, int], list[list[int]]]:
    """The lanes that the requests touch, each with its slot in a list of them; and the slots of each one's legs."""
    slots: dict[Key, int] = {}
    legs = [[slots.setdefault(key, len(slots)) for key in lanes_of(posting, spin)] for posting in postings]
    for posting in postings:
        for parts in (posting.places, posting.closes):
            for part in parts:
                slots.setdefault((part.account, 0), len(slots))
    return slots, legs


# A row answers for the key at its position, `n`.
LOCK = """
SELECT k.n - 1, b.currency, b.sign, b.floor, b.balance, b.version, b.held, b.pending, b.posted_at,
       CASE WHEN b.held + b.pending > 0 THEN EXISTS (
           SELECT FROM ledger_hold h WHERE h.account_id = b.account_id AND h.status = 'open' AND h.expires_at <= %s)
       ELSE false END
FROM unnest(%s::uuid[], %s::int8[]) WITH ORDINALITY AS k (account_id, lane, n)
JOIN ledger_balance b ON b.account_id = k.account_id AND b.lane = k.lane
ORDER BY b.account_id, b.lane FOR NO KEY UPDATE OF b
"""


def lock(keys: Iterable[Key], now: datetime) -> Mapping[Key, Lane]:
    """Lock the lanes, in order, and free what expired holds still bind there."""
    return _lock({key: slot for slot, key in enumerate(dict.fromkeys(keys))}, now)


def _lock(slots: Mapping[Key, int], now: datetime) -> Lanes:
    lanes, lapsed = _ask_lanes(slots, now)()
    if lapsed:
        _expire_holds(lapsed, lanes, now)
    return lanes


def _ask_lanes(
    slots: Mapping[Key, int], now: datetime, *, soon: bool = False
) -> Callable[[], tuple[Lanes, list[UUID]]]:
    """Lock the lanes, in order; to be read later, with the accounts that expired holds still bind."""
    keys, lanes = list(slots), Lanes(slots)
    ids, numbers = sql.uuids(account for account, _ in keys), sql.integers(lane for _, lane in keys)
    rows = sql.ask(LOCK, (now, ids, numbers), soon=soon)

    def read() -> tuple[Lanes, list[UUID]]:
        lapsed = []
        for slot, currency, sign, floor, balance, version, held, pending, posted_at, expired in rows():
            account, lane = keys[slot]
            lanes.at[slot] = Lane(account, lane, currency, sign, floor, balance, version, held, pending, posted_at)
            if expired:
                lapsed.append(account)
        return lanes, lapsed

    return read


EXPIRE = """
UPDATE ledger_hold SET status = 'expired', closed_at = expires_at
WHERE account_id = ANY (%s::uuid[]) AND status = 'open' AND expires_at <= %s
RETURNING account_id, kind, amount
"""


def _expire_holds(accounts: Iterable[UUID], lanes: Mapping[Key, Lane], now: datetime) -> None:
    for account, kind, amount in sql.rows(EXPIRE, (sql.uuids(accounts), now)):
        lanes[account, 0].reserve(kind, -amount)


def _holds(postings: Iterable[Posting]) -> dict[UUID, OpenHold]:
    """The holds that the requests close. Their accounts are locked, so nobody else closes them now."""
    ids = [close.hold for posting in postings for close in posting.closes]
    if not ids:
        return {}
    found = sql.rows(
        "SELECT id, account_id, kind, amount, status = 'open' FROM ledger_hold WHERE id = ANY (%s::uuid[])",
        (sql.uuids(ids),),
    )
    return {row[0]: OpenHold(*row) for row in found}


# What is written is told from where the lanes stand, so that it can be sent before that is known. Ids and lanes are
# sent once: an entry has the places of its transaction and its lane.
WRITE = """
WITH posted AS (
    INSERT INTO ledger_transaction (id, kind, reference, external_reference, description, metadata, reverses_id,
                                    effective_at, posted_at)
    SELECT t.id, t.kind, t.reference, t.external_reference, t.description, t.metadata, t.reverses,
           coalesce(t.effective_at, %(moment)s), %(moment)s
    FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(references)s::text[], %(external_references)s::text[],
                %(descriptions)s::text[], %(metadata)s::jsonb[], %(reverses)s::uuid[], %(effective_at)s::timestamptz[])
        AS t (id, kind, reference, external_reference, description, metadata, reverses, effective_at)
), moved AS (
    UPDATE ledger_balance b SET balance = b.balance + m.amount, version = b.version + m.entries, posted_at = %(moment)s
    FROM unnest(%(accounts)s::uuid[], %(lanes)s::int8[], %(moves)s::int8[], %(moves_entries)s::int8[])
        WITH ORDINALITY AS m (account_id, lane, amount, entries, place)
    WHERE b.account_id = m.account_id AND b.lane = m.lane
    RETURNING m.place, b.balance - m.amount AS balance, b.version - m.entries AS version
), stood AS (
    SELECT array_agg(balance ORDER BY place) AS balances, array_agg(version ORDER BY place) AS versions FROM moved
)
INSERT INTO ledger_entry (account_id, lane, version, transaction_id, leg, amount, balance, posted_at)
SELECT (%(accounts)s::uuid[])[e.place], (%(lanes)s::int8[])[e.place], stood.versions[e.place] + e.entries,
       (%(ids)s::uuid[])[e.transaction], e.leg, e.amount, stood.balances[e.place] + e.moved, %(moment)s
FROM stood, unnest(%(entry_places)s::int8[], %(entry_transactions)s::int8[], %(entry_numbers)s::int8[],
                   %(entry_legs)s::int8[], %(entry_amounts)s::int8[], %(entry_moved)s::int8[])
    AS e (place, transaction, entries, leg, amount, moved)
"""


def _write(decision: Decision) -> None:
    """Write what was decided: closed holds free their money first, placed holds take theirs last. A hold changes at
    the moment of the posting that changes it, so that no moment between shows half of the two.
    """
    _write_closes(decision.closes, decision.moment)
    _write_transactions(decision)
    _write_places(decision.places, decision.moment)


def _write_transactions(decision: Decision) -> None:
    if decision.transactions:
        sql.run(WRITE, {"moment": decision.moment, **_transactions(decision), **_moves(decision), **_entries(decision)})


def _transactions(decision: Decision) -> dict[str, sql.Array]:
    postings = decision.transactions
    return {
        "ids": sql.uuids(posting.id for posting in postings),
        "kinds": sql.texts(posting.kind for posting in postings),
        "references": sql.texts(posting.reference for posting in postings),
        "external_references": sql.texts(posting.external_reference for posting in postings),
        "descriptions": sql.texts(posting.description for posting in postings),
        "metadata": sql.texts(_json(posting.metadata) for posting in postings),
        "reverses": sql.uuids(posting.reverses for posting in postings),
        "effective_at": sql.moments(posting.effective_at for posting in postings),
    }


def _moves(decision: Decision) -> dict[str, sql.Array]:
    lanes, moves = decision.touched.keys(), decision.touched.values()
    return {
        "accounts": sql.uuids(lane.account for lane in lanes),
        "lanes": sql.integers(lane.lane for lane in lanes),
        "moves": sql.integers(move.amount for move in moves),
        "moves_entries": sql.integers(move.entries for move in moves),
    }


def _entries(decision: Decision) -> dict[str, sql.Array]:
    places, transactions, numbers, legs, amounts, moved = zip(*decision.entries, strict=True)
    return {
        "entry_places": sql.integers(places),
        "entry_transactions": sql.integers(transactions),
        "entry_numbers": sql.integers(numbers),
        "entry_legs": sql.integers(legs),
        "entry_amounts": sql.integers(amounts),
        "entry_moved": sql.integers(moved),
    }


def _write_closes(closes: Sequence[Close], now: datetime) -> None:
    if closes:
        sql.run(
            "UPDATE ledger_hold h SET captured = c.captured, closed_at = %s,"
            " status = CASE WHEN c.captured > 0 THEN 'captured' ELSE 'released' END"
            " FROM unnest(%s::uuid[], %s::int8[]) AS c (id, captured) WHERE h.id = c.id",
            (now, sql.uuids(close.hold for close in closes), sql.integers(close.captured for close in closes)),
        )


def _write_places(places: Sequence[Place], now: datetime) -> None:
    if places:
        sql.run(
            "INSERT INTO ledger_hold (id, account_id, kind, reference, amount, captured, status, expires_at, placed_at)"
            " SELECT p.id, p.account_id, p.kind, p.reference, p.amount, 0, 'open', p.expires_at, %s"
            " FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::int8[], %s::timestamptz[])"
            " AS p (id, account_id, kind, reference, amount, expires_at)",
            (
                now, sql.uuids(place.id for place in places), sql.uuids(place.account for place in places),
                sql.texts(place.kind for place in places), sql.texts(place.reference for place in places),
                sql.integers(place.amount for place in places), sql.moments(place.expires_at for place in places),
            ),
        )  # fmt: skip


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) if value else "{}"


@contextmanager
def _told() -> Iterator[None]:
    """Tell a reference that is taken as the refusal of law 5, and a date in a closed day as that of law 7; any other
    broken law is a bug and stays what it is.
    """
    try:
        yield
    except IntegrityError as error:
        diagnostic = getattr(error.__cause__, "diag", None)
        broken = getattr(diagnostic, "constraint_name", None) or ""
        if diagnostic and broken == "ledger_open_days":
            raise PeriodClosed(diagnostic.message_detail) from error
        if "reference" in broken:
            raise ReferenceTaken("That reference names another transaction already; use a fresh one.") from error
        raise


__all__ = ["Close", "Leg", "Place", "Posted", "Posting", "ReferenceTaken", "post", "post_durably", "post_one"]
