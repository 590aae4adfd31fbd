"""What usage comes to: a wallet's account and its months, moved by fresh events while the account is locked.

A month's amount is a function of its quantity. So the order of events, and how they came in batches, can't matter.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from ledger import sql
from wallets.usage.amounts import ZERO, exact
from wallets.usage.catalogue import read_price
from wallets.usage.folding import Folded
from wallets.usage.months import minute_of
from wallets.usage.pricing import Price, positions


class Group(NamedTuple):
    """A wallet's month of a meter: it is rated as a whole, under whatever prices."""

    wallet: UUID
    month: date
    meter: UUID


@dataclass(slots=True, eq=False)
class Month(Folded):
    """A group's part under one price: how it stands, and how it will."""

    group: Group
    price: Price
    amount: Decimal = ZERO
    moved: bool = False


@dataclass(slots=True)
class Account:
    """A wallet's row as it was locked, and what is available in the wallet."""

    wallet: UUID
    rated: Decimal
    posted: int
    version: int
    revised: int
    watermark: datetime
    overage: str
    low_mark: int
    settle_at: datetime | None
    tries: int
    available: int

    def move(self, earliest: datetime, now: datetime) -> None:
        """Events were taken, the earliest of which occurred at a moment: it is another version, up to now. Whether
        that changes minutes gone by is noted, since what they told of the future no longer holds.
        """
        self.version += 1
        self.watermark = max(self.watermark, now)
        if earliest < minute_of(self.watermark):
            self.revised = self.version

    @property
    def unsettled(self) -> Decimal:
        """What was rated and isn't posted yet, in minor units."""
        return self.rated - self.posted


@dataclass(slots=True)
class Totals:
    """What is locked of some wallets: their accounts, and of their months those that were asked for."""

    accounts: dict[UUID, Account]
    months: dict[Group, dict[UUID, Month]] = field(default_factory=dict)

    def month(self, group: Group, price: Price) -> Month:
        """A group's part under a price, begun where there is none yet."""
        parts = self.months.setdefault(group, {})
        if price.id not in parts:
            parts[price.id] = Month(group=group, price=price)
        return parts[price.id]

    @exact
    def rate(self) -> None:
        """Price what has moved, and with it what comes after in its month; its account moves by the difference."""
        for group, parts in self.months.items():
            if not any(part.moved for part in parts.values()):
                continue
            for position in positions({part.price: part.quantity for part in parts.values()}):
                part, amount = parts[position.price.id], position.amount()
                self.accounts[group.wallet].rated += amount - part.amount
                part.moved, part.amount = part.moved or amount != part.amount, amount


# Refers to the wallets at once, not when it commits: so that they aren't closed meanwhile.
OPEN = """
INSERT INTO wallets_usageaccount (wallet_id, rated, posted, version, revised, opened_at, watermark, overage, low_mark,
                                  tries)
SELECT w.id, 0, 0, 0, 0, n.now, n.now, %s, 0, 0
FROM wallets_wallet w, (SELECT %s::timestamptz AS now) AS n
WHERE w.id = ANY (%s::uuid[]) AND NOT EXISTS (SELECT FROM wallets_usageaccount a WHERE a.wallet_id = w.id)
ORDER BY w.id FOR KEY SHARE OF w
ON CONFLICT (wallet_id) DO NOTHING
"""
# What expired holds still bind isn't looked for: it may only make a wallet seem poorer, and be settled sooner.
LOCK = """
SELECT a.wallet_id, a.rated, a.posted, a.version, a.revised, a.watermark, a.overage, a.low_mark, a.settle_at,
       a.tries, b.sign * b.balance - b.held - b.pending
FROM wallets_usageaccount a
JOIN wallets_wallet w ON w.id = a.wallet_id
JOIN ledger_balance b ON b.account_id = w.account_id AND b.lane = 0
WHERE a.wallet_id = ANY (%s::uuid[]) ORDER BY a.wallet_id FOR NO KEY UPDATE OF a
"""
# A wallet is closed under the lock of its account: one that was closed just now is looked up again.
STILL_OPEN = "SELECT wallets_lost_race() FROM wallets_wallet WHERE id = ANY (%s::uuid[]) AND status = 'closed'"
# Whole months of a wallet, of which a group is a part: so that what is cached of them can be written anew. Of a price
# that is known, only its id is told.
MONTHS = """
SELECT m.wallet_id, m.month, m.meter_id, m.quantity, m.events, m.latest_at, m.amount,
       m.price_id, p.starts_at, p.ends_at, p.allowance, p.package_size, p.tiers::text
FROM unnest(%s::uuid[], %s::date[]) AS g (wallet, month)
JOIN wallets_usagemonth m ON m.wallet_id = g.wallet AND m.month = g.month
LEFT JOIN wallets_meterprice p ON p.id = m.price_id AND p.id <> ALL (%s::uuid[])
"""
MOST_KNOWN = 20


def lock(groups: Collection[Group], known: Mapping[UUID, Price], *, now: datetime) -> Totals:
    """Lock the accounts of the groups' wallets, in order, and read the groups: nobody else moves them from then on.
    Prices that are known aren't read again.

    A wallet without usage gets its account. Inside the caller's transaction.
    """
    wallets = {group.wallet for group in groups}
    with sql.pipeline():
        sql.run(OPEN, (settings.USAGE_OVERAGE, now, sql.uuids(wallets)))
        accounts = sql.run(LOCK, (sql.uuids(wallets),))
        sql.run(STILL_OPEN, (sql.uuids(wallets),))
        wallet, month = zip(*{group[:2] for group in groups}, strict=True)
        # Each month's is looked for among them, one by one: many are sooner read again.
        spared = known if len(known) <= MOST_KNOWN else {}
        months = sql.run(MONTHS, (sql.uuids(wallet), sql.days(month), sql.uuids(spared)))
        totals = Totals({row[0]: Account(*row) for row in accounts.fetchall()})
        for row in months.fetchall():
            group, price = Group(*row[:3]), spared.get(row[7]) or read_price(*row[7:])
            month = Month(
                group=group, price=price, quantity=row[3], events=row[4], latest_at=row[5], amount=row[6]
            )  # fmt: skip
            totals.months.setdefault(group, {})[price.id] = month
    return totals


WRITE_MONTHS = """
INSERT INTO wallets_usagemonth (wallet_id, month, meter_id, price_id, quantity, events, latest_at, amount,
                                settled_quantity, settled_amount)
SELECT wallet, month, meter, price, quantity, events, latest_at, amount, 0, 0
FROM unnest(%s::uuid[], %s::date[], %s::uuid[], %s::uuid[], %s::numeric[], %s::int8[], %s::timestamptz[],
            %s::numeric[])
    AS m (wallet, month, meter, price, quantity, events, latest_at, amount)
ON CONFLICT (wallet_id, month, meter_id, price_id) DO UPDATE
SET quantity = EXCLUDED.quantity, events = EXCLUDED.events, latest_at = EXCLUDED.latest_at, amount = EXCLUDED.amount
"""
WRITE_ACCOUNTS = """
UPDATE wallets_usageaccount a
SET rated = n.rated, version = n.version, revised = n.revised, watermark = n.watermark, settle_at = n.settle_at
FROM unnest(%s::uuid[], %s::numeric[], %s::int8[], %s::int8[], %s::timestamptz[], %s::timestamptz[])
    AS n (wallet, rated, version, revised, watermark, settle_at)
WHERE a.wallet_id = n.wallet
"""


def write(totals: Totals, *, now: datetime) -> None:
    """Write what has moved, and when it is to be settled."""
    write_months([part for parts in totals.months.values() for part in parts.values() if part.moved])
    accounts = list(totals.accounts.values())
    for account in accounts:
        account.settle_at = _due(account, now)
    sql.run(
        WRITE_ACCOUNTS,
        (
            sql.uuids(account.wallet for account in accounts), sql.decimals(account.rated for account in accounts),
            sql.integers(account.version for account in accounts),
            sql.integers(account.revised for account in accounts),
            sql.moments(account.watermark for account in accounts),
            sql.moments(account.settle_at for account in accounts),
        ),
    )  # fmt: skip


def write_months(months: Sequence[Month]) -> None:
    """Write parts of months as they stand."""
    sql.run(
        WRITE_MONTHS,
        (
            sql.uuids(month.group.wallet for month in months), sql.days(month.group.month for month in months),
            sql.uuids(month.group.meter for month in months), sql.uuids(month.price.id for month in months),
            sql.decimals(month.quantity for month in months), sql.integers(month.events for month in months),
            sql.moments(month.latest_at for month in months), sql.decimals(month.amount for month in months),
        ),
    )  # fmt: skip


def low(accounts: Iterable[Account]) -> list[UUID]:
    """The wallets whose usage leaves them with less than their low mark: they are settled at once."""
    return [account.wallet for account in accounts if _is_low(account) and not account.tries]


def _is_low(account: Account) -> bool:
    return account.unsettled >= 1 and account.available - account.unsettled < account.low_mark


def _due(account: Account, now: datetime) -> datetime | None:
    """When a worker shall settle it: soon, at once below the low mark, and not at all for less than a minor unit. One
    that couldn't be covered waits for its next try.
    """
    if 0 <= account.unsettled < 1 or account.tries:
        return account.settle_at
    due = now if _is_low(account) else now + timedelta(seconds=settings.USAGE_SETTLE_SECONDS)
    return due if account.settle_at is None else min(due, account.settle_at)
