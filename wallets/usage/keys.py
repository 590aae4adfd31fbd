"""Each event once: the key of its source and id is claimed by a row, in the transaction that counts it."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from ledger import sql
from ledger.durable import durable
from wallets.usage.events import CONFLICT, DUPLICATE, Event, Outcome

# In order, so that of two batches with the same events one waits, and never each for the other. Both tell the numbers
# of those that they claim, and nothing where they claim all; the first claims all or none.
CLAIM_NEW = "SELECT CASE WHEN NOT wallets_claim_new_events(%(keys)s, %(contents)s, %(now)s) THEN '{}'::int4[] END"
CLAIM = """
WITH asked AS (
    SELECT * FROM unnest(%(keys)s::uuid[], %(contents)s::uuid[]) WITH ORDINALITY AS a (key, content, number)
), claimed AS (
    INSERT INTO wallets_usageeventkey (key, content, received_at)
    SELECT key, content, %(now)s FROM asked ORDER BY key
    ON CONFLICT (key) DO NOTHING RETURNING key
)
SELECT CASE WHEN (SELECT count(*) FROM claimed) < %(count)s THEN
    ARRAY (SELECT a.number::int4 - 1 FROM claimed c JOIN asked a ON a.key = c.key)
END
"""
# Also those that were claimed by a transaction that the statement before waited for, and whose rows it couldn't see.
KNOWN = """
SELECT a.number::int4 - 1, nullif(k.content, a.content)
FROM unnest(%(keys)s::uuid[], %(contents)s::uuid[]) WITH ORDINALITY AS a (key, content, number)
JOIN wallets_usageeventkey k ON k.key = a.key
"""


# What is claimed in vain is left behind as dead rows, so that it shouldn't happen often.
CAREFUL_EVENTS = 100_000


class Repeats:
    """Whether events may be repeats: it is asked for each batch, and expects it for a while after there was one."""

    def __init__(self) -> None:
        self._careful = 0

    def expected(self, count: int) -> bool:
        """Whether a batch of so many is to be claimed event by event."""
        # Threads that count at once may forget a repeat: that costs dead rows, and nothing else.
        self._careful = max(0, (before := self._careful) - count)
        return before > 0

    def came(self) -> None:
        """A batch repeated something."""
        self._careful = CAREFUL_EVENTS


repeats = Repeats()


class Named:
    """Events with their hashes, made once."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.keys = [event.key for event in events]
        self.contents = [event.content for event in events]


def claim(named: Named, wanted: Collection[int], *, now: datetime) -> Callable[[], dict[int, Outcome | None]]:
    """Claim the wanted events, by position, inside the caller's transaction; what came of it is read later.

    It answers with None for those that are claimed now, and for what was known, wanted or not, whether it is a
    duplicate or a conflict. Of those that come twice in the batch the first is claimed.
    """
    count = len(named.keys)
    first: dict[bytes, int] = {}
    for position in [*wanted, *(position for position in range(count) if position not in wanted)]:
        first.setdefault(named.keys[position], position)
    asked = _ask(named, list(first.values()), wanted, now)

    def read() -> dict[int, Outcome | None]:
        fresh, stands = asked()
        if len(fresh) == count:
            return dict.fromkeys(range(count))
        outcomes: dict[int, Outcome | None] = {}
        for position, (key, content) in enumerate(zip(named.keys, named.contents, strict=True)):
            same = first[key]
            if same == position and same in fresh:
                outcomes[position] = None
            elif same in stands:
                outcomes[position] = DUPLICATE if stands[same] == content else CONFLICT
        return outcomes

    return read


def _ask(
    named: Named, positions: Sequence[int], wanted: Collection[int], now: datetime
) -> Callable[[], tuple[set[int], dict[int, bytes]]]:
    """Those that are claimed now, and for each whose id is taken, now or before, the content that stands for it."""
    count = sum(position in wanted for position in positions)
    claimed = _claim(named, positions[:count], now)

    def read() -> tuple[set[int], dict[int, bytes]]:
        fresh = claimed()
        stands = {position: named.contents[position] for position in fresh}
        if others := [position for position in positions if position not in fresh]:
            found = sql.rows(KNOWN, _asked(named, others))
            stands |= {others[number]: _stands(named, others[number], other) for number, other in found}
        return fresh, stands

    return read


def _claim(named: Named, positions: Sequence[int], now: datetime) -> Callable[[], set[int]]:
    """Which of the positions are claimed now."""
    if not positions:
        return set
    parameters = {**_asked(named, positions), "now": now, "count": len(positions)}
    hopeful = not repeats.expected(len(positions))
    asked = sql.ask(CLAIM_NEW if hopeful else CLAIM, parameters)

    def read() -> set[int]:
        ((numbers,),) = asked()
        if hopeful and numbers is not None:
            ((numbers,),) = sql.rows(CLAIM, parameters)
        if numbers is None:
            return set(positions)
        repeats.came()
        return {positions[number] for number in numbers}

    return read


def _asked(named: Named, positions: Sequence[int]) -> dict[str, sql.Array]:
    return {
        "keys": sql.hashes(named.keys[position] for position in positions),
        "contents": sql.hashes(named.contents[position] for position in positions),
    }


def _stands(named: Named, position: int, other: UUID | None) -> bytes:
    """The content that stands for an id: the event's own, unless another one does."""
    return named.contents[position] if other is None else other.bytes


FORGET = """
DELETE FROM wallets_usageeventkey WHERE key IN (
    SELECT key FROM wallets_usageeventkey WHERE received_at < %s LIMIT %s
)
"""
BATCH = 20_000


def forget(*, now: datetime) -> int:
    """Forget events that were taken longer than `USAGE_KEY_DAYS` ago: what repeats them is too old by then. Returns how
    many.
    """
    before, forgotten = now - timedelta(days=settings.USAGE_KEY_DAYS), 0
    while count := _forget(before):
        forgotten += count
    return forgotten


@durable
def _forget(before: datetime) -> int:
    return sql.run(FORGET, (before, BATCH)).rowcount
