"""What makes a line the same line in two statements that overlap."""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

from wallets.reconciliation.formats.lines import Line

SEPARATOR = "\x1f"


class Named(NamedTuple):
    """A line with its identity."""

    line: Line
    identity: bytes


def named(lines: Iterable[Line]) -> Iterator[Named]:
    """Each line of a whole file. The provider's own id and the amount name a line where there is one, else its
    content. Those that have the same name are counted, so that two that are really equal stay two.
    """
    seen: Counter[str] = Counter()
    for line in lines:
        name = _name(line)
        seen[name] += 1
        yield Named(line, blake2b(f"{name}{SEPARATOR}{seen[name]}".encode("utf-8", "replace"), digest_size=16).digest())


def _name(line: Line) -> str:
    if line.external_id:
        return SEPARATOR.join(("id", line.external_id, str(line.amount)))
    told = (line.reference, line.batch, line.description)
    return SEPARATOR.join(("content", line.on.isoformat(), str(line.amount), *told))
