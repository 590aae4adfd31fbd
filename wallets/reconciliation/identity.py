"""What makes a line the same line in two statements that overlap."""

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from wallets.reconciliation.formats.lines import Line

SEPARATOR = "\x1f"


class Named(NamedTuple):
    """A line with its identity, and the digest of its content: equal for lines that look the same."""

    line: Line
    identity: bytes
    content: bytes


def named(lines: Iterable[Line]) -> Iterator[Named]:
    """Each line of a whole file. The provider's own id and the amount name a line where there is one, else its
    content. Those that have the same name are counted, so that two that are really equal stay two.
    """
    seen: Counter[bytes] = Counter()
    for line in lines:
        content = _digest(line.on.isoformat(), line.amount, line.reference, line.batch, line.description)
        name = _digest("id", line.external_id, line.amount) if line.external_id else content
        seen[name] += 1
        yield Named(line, _digest(name.hex(), seen[name]), content)


def _digest(*parts: str | int) -> bytes:
    return sha256(SEPARATOR.join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
