"""Sealing: a closed day's balances are kept, and a hash over all that was written on it and over the seal before."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from hashlib import sha256
from typing import ClassVar, NamedTuple, Self

from ledger import closing, sql
from ledger.durable import durable
from ledger.seals.parts import Digest, Leaf, Part, first_day, lines, parts

# What stands in place of the seal before the first one.
NONE = bytes(32)
# How many leaves a row of the database has.
CHUNK = 10_000
LEAF = 26


class Head(NamedTuple):
    """The newest seal, which stands for all before it: kept elsewhere, it shows whether the chain was written anew."""

    day: date
    seal: bytes

    def __str__(self) -> str:
        return f"{self.day}:{self.seal.hex()}"

    @classmethod
    def read(cls, text: str) -> Self:
        """The head that a text such as 2026-11-23:5f2c… tells. Raises MalformedHead."""
        day, _, seal = text.strip().partition(":")
        try:
            read = cls(date.fromisoformat(day), bytes.fromhex(seal))
        except ValueError:
            read = None
        if read is None or len(read.seal) != len(NONE):
            raise MalformedHead(f"{text!r} is no head; it looks like 2026-11-23:{NONE.hex()}.")
        return read


class MalformedHead(ValueError):
    """A text that is no head."""

    code: ClassVar[str] = "validation_error"
    title: ClassVar[str] = "No head"


HEADS = "SELECT day, seal FROM ledger_seal WHERE day BETWEEN %s AND %s ORDER BY day"


def head() -> Head | None:
    """The newest seal; None before the first."""
    found = sql.rows("SELECT day, seal FROM ledger_seal ORDER BY day DESC LIMIT 1")
    return Head(*found[0]) if found else None


def heads(*, since: date, until: date) -> list[Head]:
    """The heads after each sealed day from one to another, both included, oldest first."""
    return [Head(*row) for row in sql.rows(HEADS, (since, until))]


def open_days(through: date) -> list[date]:
    """The open days up to one, which closing it would close, oldest first; from the first day with rows."""
    first = closing.first_open_day() or first_day()
    return _days(first, through) if first else []


def unsealed() -> list[date]:
    """The closed days that are to be sealed, oldest first; from the first day with rows."""
    opens, newest = closing.first_open_day(), head()
    if opens is None:
        return []
    next_day = newest.day + closing.DAY if newest else first_day()
    return _days(next_day, opens - closing.DAY) if next_day else []


def _days(first: date, last: date) -> list[date]:
    return [first + closing.DAY * number for number in range((last - first).days + 1)]


def seal_closed(
    *, by: str, clock: Callable[[], datetime], patience: float = 60.0, told: Callable[[Head], object] = lambda _: None
) -> list[Head]:
    """Seal every closed day, each in a transaction of its own, and tell of each when it is done.

    It may be stopped at any point and run again; who finds another process at it leaves the rest to that one. Raises
    StillWriting, after `patience` seconds, while somebody may still be posting what was begun before the days were
    closed.
    """
    days, sealed = unsealed(), []
    if days:
        closing.wait_for_writers([part.table for part in parts], seconds=patience)
    with suppress(_BeingSealed):
        for day in days:
            if made := durable(_seal)(day, by, clock()):
                sealed.append(made)
                told(made)
    return sealed


def text(before: bytes, day: date, contents: Mapping[str, str]) -> str:
    """What a seal is the SHA-256 of: the seal before, the day, and of each part how many rows it has and their hash."""
    return "".join(f"{line}\n" for line in (before.hex(), day, *map(" ".join, sorted(contents.items()))))


LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('ledger_seal'))"
INSERT = "INSERT INTO ledger_seal (day, parts, seal, sealed_at, sealed_by) VALUES (%s, %s::jsonb, %s, %s, %s)"
KEEP = "INSERT INTO ledger_sealedrows (day, part, number, leaves) VALUES (%s, %s, %s, %s)"
KEPT = "SELECT leaves FROM ledger_sealedrows WHERE day = %s AND part = %s ORDER BY number"


class _BeingSealed(Exception):
    """Another process is at it, and goes on with the days after."""


def _seal(day: date, by: str, now: datetime) -> Head | None:
    """Seal a day; None where it is sealed already. Raises _BeingSealed."""
    sql.plainly()
    (free,) = sql.rows(LOCK)[0]
    if not free:
        raise _BeingSealed
    newest = head()
    if newest and newest.day >= day:
        return None
    sql.run("SELECT ledger_begin_seal(%s)", (day,))
    contents = {part.name: _keep(part, day) for part in parts}
    made = Head(day, sha256(text(newest.seal if newest else NONE, day, contents).encode()).digest())
    sql.run(INSERT, (day, json.dumps(contents), made.seal, now, by))
    return made


def _keep(part: Part, day: date) -> str:
    """Keep the leaves of a part, and tell what its rows come to."""
    digest, packed = Digest(), bytearray()
    for line in lines(part, day):
        digest.add(line)
        packed += _pack(Leaf.of(part, line))
    for number, start in enumerate(range(0, len(packed), CHUNK * LEAF)):
        sql.run(KEEP, (day, part.name, number, bytes(packed[start : start + CHUNK * LEAF])))
    return str(digest)


def kept_leaves(part: Part, day: date) -> Iterator[Leaf]:
    """The leaves of a part as they were when its day was sealed."""
    for (chunk,) in sql.rows(KEPT, (day, part.name)):
        yield from (_unpack(chunk[start : start + LEAF]) for start in range(0, len(chunk), LEAF))


def _pack(leaf: Leaf) -> bytes:
    return leaf.id + leaf.number.to_bytes(2, "big") + leaf.hash


def _unpack(leaf: bytes) -> Leaf:
    return Leaf(leaf[:16], int.from_bytes(leaf[16:18], "big"), leaf[18:])
