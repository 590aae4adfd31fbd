"""What accounts stand at, now or at a moment: exact, and the same whether or not any worker runs."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from ledger import sql
from ledger.decision import Lane


class Standing(Struct, frozen=True):
    """An account on its normal side, in minor units. `version` counts its entries (of all its lanes)."""

    account: UUID
    currency: str
    balance: int
    held: int
    pending: int
    version: int

    @property
    def available(self) -> int:
        """What may be spent down to nothing: the balance less what is held and pending."""
        return self.balance - self.held - self.pending

    @classmethod
    def of(cls, lane: Lane) -> "Standing":
        """The standing of an account with one lane, as posting left it."""
        return cls(lane.account, lane.currency, lane.sign * lane.balance, lane.held, lane.pending, lane.version)


# An expired hold binds nothing, whether or not somebody has closed it; only rows with holds pay for the look.
STANDING = """
SELECT b.account_id, min(b.currency), sum(b.sign * b.balance)::int8,
       (sum(b.held) - coalesce(sum(lapsed.held), 0))::int8, (sum(b.pending) - coalesce(sum(lapsed.pending), 0))::int8,
       sum(b.version)::int8
FROM ledger_balance b
LEFT JOIN LATERAL (
    SELECT sum(h.amount) FILTER (WHERE h.kind = 'held') AS held,
           sum(h.amount) FILTER (WHERE h.kind = 'pending') AS pending
    FROM ledger_hold h
    WHERE h.account_id = b.account_id AND h.status = 'open' AND h.expires_at <= %s AND b.lane = 0
) AS lapsed ON b.held + b.pending > 0
WHERE b.account_id = ANY (%s::uuid[])
GROUP BY b.account_id
"""


def standings(accounts: Iterable[UUID], *, now: datetime) -> dict[UUID, Standing]:
    """The standing of each account that exists, exact at `now`."""
    return {row[0]: Standing(*row) for row in sql.rows(STANDING, (now, sql.uuids(accounts)))}


# Each lane's last entry at or before the moment, found by halving its versions, for which posted_at never falls;
# and the holds that were open and unexpired at that moment.
STANDING_AT = """
SELECT b.account_id, min(b.currency), coalesce(sum(b.sign * e.balance), 0)::int8, min(h.held)::int8,
       min(h.pending)::int8, sum(at.version)::int8
FROM ledger_balance b
CROSS JOIN LATERAL ledger_version_at(b.account_id, b.lane, b.version, %s) AS at (version)
LEFT JOIN ledger_entry e ON e.account_id = b.account_id AND e.lane = b.lane AND e.version = at.version
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount) FILTER (WHERE kind = 'held'), 0) AS held,
           coalesce(sum(amount) FILTER (WHERE kind = 'pending'), 0) AS pending
    FROM ledger_hold h
    WHERE h.account_id = b.account_id AND h.placed_at <= %s
      AND (h.closed_at IS NULL OR h.closed_at > %s) AND (h.expires_at IS NULL OR h.expires_at > %s)
) AS h
WHERE b.account_id = %s
GROUP BY b.account_id
"""


def standing_at(account: UUID, moment: datetime) -> Standing | None:
    """How an account stood at a moment, or None where there is no such account. As quick for an old account as for a
    young one, but for its holds.
    """
    found = sql.rows(STANDING_AT, (moment, moment, moment, moment, account))
    return Standing(*found[0]) if found else None


CURVE = """
SELECT at.moment, b.sign * coalesce(e.balance, 0)
FROM ledger_balance b
CROSS JOIN unnest(%s::timestamptz[]) AS at (moment)
LEFT JOIN ledger_entry e ON e.account_id = b.account_id AND e.lane = 0
    AND e.version = ledger_version_at(b.account_id, b.lane, b.version, at.moment)
WHERE b.account_id = %s AND b.lane = 0 ORDER BY at.moment
"""


def curve(account: UUID, moments: Iterable[datetime]) -> list[tuple[datetime, int]]:
    """What an account with one lane stood at, at each of some moments: a few probes of an index for each."""
    return [(moment, balance) for moment, balance in sql.rows(CURVE, (sql.moments(moments), account))]
