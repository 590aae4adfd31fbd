"""Checking the chain of seals: every sealed row is read again, and the first that differs is named."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from ledger import closing, sql
from ledger.closing import DAY
from ledger.seals.parts import Digest, Leaf, Part, digest, lines, parts
from ledger.seals.sealing import NONE, Head, kept_leaves, text


class Sealed(NamedTuple):
    """A seal as the database has it."""

    day: date
    parts: dict[str, str]
    seal: bytes


def sealed_days() -> int:
    """How many days there are to be checked."""
    return int(sql.rows("SELECT count(*) FROM ledger_seal")[0][0])


def broken(*, kept: Head | None = None, told: Callable[[date], object] = lambda _: None) -> Iterator[str]:
    """What is no longer as it was sealed, in words, day by day; each day is told as its turn comes.

    `kept` is a head that was kept elsewhere: without one, a chain that was written anew from some day on looks sound.
    """
    sql.plainly()
    yield from _contradicts(kept)
    before, seal = None, NONE
    for sealed in _seals():
        told(sealed.day)
        if before is None:
            yield from _older(sealed.day)
        elif sealed.day != before + DAY:
            yield f"{before + DAY} has no seal, though {sealed.day} has one"
        yield from _changed(sealed)
        if sha256(text(seal, sealed.day, sealed.parts).encode()).digest() != sealed.seal:
            yield f"{sealed.day}: its seal doesn't follow from the one before it and from what it says to be over"
        before, seal = sealed.day, sealed.seal
    yield from _unsealed()


def is_as_sealed(part: Part, day: date) -> bool:
    """Whether the rows of a day still come to what its seal says, or to nothing on a day from before the first seal.

    In a transaction that `sql.plainly` has prepared.
    """
    said = sql.rows("SELECT parts ->> %s FROM ledger_seal WHERE day = %s", (part.name, day)) or [(str(Digest()),)]
    return bool(digest(part, day) == said[0][0])


SEALS = "SELECT day, parts::text, seal FROM ledger_seal ORDER BY day"


def _seals() -> list[Sealed]:
    return [Sealed(day, json.loads(contents), bytes(seal)) for day, contents, seal in sql.rows(SEALS)]


def _contradicts(kept: Head | None) -> Iterator[str]:
    if kept is None:
        return
    found = sql.rows("SELECT seal FROM ledger_seal WHERE day = %s", (kept.day,))
    if not found or bytes(found[0][0]) != kept.seal:
        here = bytes(found[0][0]).hex() if found else "gone"
        yield f"{kept.day}: its seal was {kept.seal.hex()} and is {here}: the chain has been written anew"


def _older(first: date) -> Iterator[str]:
    """Rows of days before the first sealed one: there were none when it was sealed."""
    for part in parts:
        bounds = {"since": closing.midnight(date.min), "until": closing.midnight(first)}
        (older,) = sql.rows(f"SELECT count(*) FROM ({part.rows}) AS older", bounds)[0]
        if older:
            yield f"{older} {part.name} were added before {first}, the first sealed day"


LEFT = """
SELECT DISTINCT r.day FROM ledger_sealedrows r LEFT JOIN ledger_seal s ON s.day = r.day WHERE s.day IS NULL ORDER BY 1
"""


def _unsealed() -> Iterator[str]:
    """The list of a day's sealed rows is written with its seal: there is none without the other."""
    for (day,) in sql.rows(LEFT):
        yield f"{day}: its seal is gone"


def _changed(sealed: Sealed) -> Iterator[str]:
    """What is not as it was on a day, part by part, in the order of the rows."""
    known = {part.name: part for part in parts}
    for name, said in sorted(sealed.parts.items()):
        part = known.get(name)
        if part is None:
            yield f"{sealed.day}: its seal is over {name} as well, of which nothing is known here"
        elif digest(part, sealed.day) != said:
            leaves = list(kept_leaves(part, sealed.day))
            differing = _differing(part, sealed.day, leaves) if said.startswith(f"{len(leaves)} ") else ()
            yield from list(differing) or [f"{sealed.day}: {name} aren't what was sealed, nor is the list of them"]


def _differing(part: Part, day: date, leaves: Iterable[Leaf]) -> Iterator[str]:
    """The rows of a part that were changed, taken away or added since, by what names them."""
    then = {leaf[:2]: leaf.hash for leaf in leaves}
    now = {leaf[:2]: leaf.hash for leaf in (Leaf.of(part, line) for line in lines(part, day))}
    for key in sorted(then.keys() | now.keys()):
        if then.get(key) != now.get(key):
            what = "was added" if key not in then else "is gone" if key not in now else "was changed"
            yield f"{day}: {part.noun.format(id=UUID(bytes=key[0]), number=key[1])} {what}"
