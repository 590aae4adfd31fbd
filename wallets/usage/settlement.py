"""Usage becomes money: what is unsettled is posted, whole minor units of it, and what is left over is carried on.

`current` is available − (rated − posted): a settlement takes from the one what it adds to the other, so that it can't
move it. Under the account's lock, so that two at once never take anything twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from uuid_utils.compat import uuid7

from ledger import posting as books
from ledger import sql
from ledger.decision import Lane, UnknownAccount
from ledger.durable import durable
from ledger.requests import Posting
from users.callers import Actor
from wallets import chart, metrics
from wallets.models import UsageSettlement, Wallet
from wallets.usage import policies
from wallets.usage.amounts import exact
from wallets.usage.lines import Line, allot

# A wallet that can't cover its usage is looked at again after a minute, then ever less often.
LONGEST_PAUSE = 3_600.0


@dataclass(frozen=True, slots=True)
class Due:
    """A wallet's account as it was locked for a settlement."""

    wallet: UUID
    currency: str
    status: str
    account: UUID
    rated: Decimal
    posted: int
    overage: str
    tries: int

    @property
    def unsettled(self) -> Decimal:
        return self.rated - self.posted


@dataclass(frozen=True, slots=True)
class Charge:
    """What is taken from a wallet and what is billed, in minor units, and what for."""

    due: Due
    from_wallet: int
    billed: int
    lines: Sequence[Line]
    id: UUID = field(default_factory=uuid7)

    @property
    def amount(self) -> int:
        return self.from_wallet + self.billed

    def posting(self, description: str) -> Posting:
        """What the books are asked for: income, from the wallet and from what is billed."""
        currency = self.due.currency
        legs = [
            (chart.wallet(self.due.account, currency), self.from_wallet),
            (chart.receivables(currency), self.billed), (chart.usage(currency), -self.amount),
        ]  # fmt: skip
        entries = tuple(line.debit(amount) for line, amount in legs if amount)
        return Posting("usage", f"usage:{self.id}", entries, description=description, id=self.id)


DUE = """
SELECT a.wallet_id, w.currency, w.status, w.account_id, a.rated, a.posted, a.overage, a.tries
FROM wallets_usageaccount a JOIN wallets_wallet w ON w.id = a.wallet_id
WHERE {} FOR NO KEY UPDATE OF a {}
"""
ONE = DUE.format("a.wallet_id = %s", "")


@durable
def settle(wallet_id: UUID, *, by: Actor, now: datetime, reason: str = "") -> UsageSettlement | None:
    """Settle a wallet's usage now; None where there isn't a whole minor unit of it, or nothing to cover it. A reason is
    told where it corrects something.
    """
    due = [Due(*row) for row in sql.rows(ONE, (wallet_id,))]
    made = settle_locked(due, by=by, now=now, reason=reason)
    return UsageSettlement.objects.get(pk=made[0].id) if made else None


@exact
def settle_locked(due: Sequence[Due], *, by: Actor, now: datetime, reason: str = "") -> list[Charge]:
    """Post what each wallet's policy allows, inside the caller's transaction, in which their accounts are locked."""
    if not due:
        return []
    lanes = books.lock([(each.account, 0) for each in due], now)
    lines = read_lines(each.wallet for each in due)
    charges = [_charge(each, lanes[each.account, 0], lines.get(each.wallet, ())) for each in due]
    made = [charge for charge in charges if charge.amount]
    if made:
        postings = [charge.posting(reason[:255] or "Usage") for charge in made]
        post(postings, {charge.due.currency for charge in made}, now=now)
        record(made, by=by, now=now, reason=reason)
    _put_by(charges, now)
    return made


def _charge(due: Due, lane: Lane, lines: Sequence[Line]) -> Charge:
    if due.status != Wallet.Status.ACTIVE:
        return Charge(due, 0, 0, ())
    from_wallet, billed = policies.taken(due.overage, lane.available, lane.floor or 0, due.unsettled)
    return Charge(due, from_wallet, billed, allot(lines, due.unsettled, from_wallet + billed))


def post(postings: Sequence[Posting], currencies: set[str], *, now: datetime) -> None:
    """Post them all, in accounts that are opened where they aren't yet. Raises the refusal of one that can't be, which
    is a mistake of ours: what can be taken was looked at under lock.
    """
    refusals = list(filter(None, books.post(postings, now=now, whole=True).refusals))
    if any(isinstance(refusal, UnknownAccount) for refusal in refusals):
        for currency in sorted(currencies):
            chart.open_currency(currency, now=now)
        refusals = list(filter(None, books.post(postings, now=now, whole=True).refusals))
    if refusals:
        raise refusals[0]
    metrics.posted(postings[0].kind, len(postings))


READ_LINES = """
SELECT m.wallet_id, t.slug, m.month, m.meter_id, m.price_id, m.quantity - m.settled_quantity,
       m.amount - m.settled_amount
FROM wallets_usagemonth m JOIN wallets_meter t ON t.id = m.meter_id
WHERE m.wallet_id = ANY (%s::uuid[]) AND m.amount <> m.settled_amount
ORDER BY m.wallet_id, m.month, t.slug, m.price_id
"""


def read_lines(wallets: Iterable[UUID]) -> dict[UUID, list[Line]]:
    """What is unsettled of wallets' months, oldest first; their accounts are locked."""
    found: dict[UUID, list[Line]] = {}
    for wallet, *line in sql.rows(READ_LINES, (sql.uuids(wallets),)):
        found.setdefault(wallet, []).append(Line(*line))
    return found


WRITE_LINES = """
UPDATE wallets_usagemonth m
SET settled_quantity = m.settled_quantity + l.quantity, settled_amount = m.settled_amount + l.amount
FROM unnest(%s::uuid[], %s::date[], %s::uuid[], %s::uuid[], %s::numeric[], %s::numeric[])
    AS l (wallet, month, meter, price, quantity, amount)
WHERE m.wallet_id = l.wallet AND m.month = l.month AND m.meter_id = l.meter AND m.price_id = l.price
"""
WRITE_ACCOUNTS = """
UPDATE wallets_usageaccount a SET posted = a.posted + c.amount, version = a.version + 1
FROM unnest(%s::uuid[], %s::int8[]) AS c (wallet, amount) WHERE a.wallet_id = c.wallet
"""


def record(charges: Sequence[Charge], *, by: Actor, now: datetime, reason: str) -> None:
    """Write down what was posted, and what it was for; the accounts are locked."""
    lines = [(charge.due.wallet, line) for charge in charges for line in charge.lines]
    wallets, parts = zip(*lines, strict=True) if lines else ((), ())
    sql.run(
        WRITE_LINES,
        (
            sql.uuids(wallets), sql.days(line.month for line in parts), sql.uuids(line.meter for line in parts),
            sql.uuids(line.price for line in parts), sql.decimals(line.quantity for line in parts),
            sql.decimals(line.amount for line in parts),
        ),
    )  # fmt: skip
    sql.run(
        WRITE_ACCOUNTS,
        (sql.uuids(charge.due.wallet for charge in charges), sql.integers(charge.amount for charge in charges)),
    )
    UsageSettlement.objects.bulk_create([
        UsageSettlement(
            id=charge.id, wallet_id=charge.due.wallet, currency=charge.due.currency, amount=charge.amount,
            billed=charge.billed, unsettled=charge.due.unsettled - charge.amount,
            lines=[line.told() for line in charge.lines], reason=reason[:500], transaction_id=charge.id,
            made_by=":".join(by.actor)[:60], made_at=now,
        )
        for charge in charges
    ])  # fmt: skip


PUT_BY = """
UPDATE wallets_usageaccount a SET settle_at = n.settle_at, tries = n.tries
FROM unnest(%s::uuid[], %s::timestamptz[], %s::int2[]) AS n (wallet, settle_at, tries) WHERE a.wallet_id = n.wallet
"""


def _put_by(charges: Sequence[Charge], now: datetime) -> None:
    """Say when each is looked at next: not before there is more, or later where there is more than could be taken."""
    tries = [_tries(charge.due, charge.due.unsettled - charge.amount) for charge in charges]
    sql.run(
        PUT_BY,
        (
            sql.uuids(charge.due.wallet for charge in charges),
            sql.moments(now + _pause(count) if count else None for count in tries), sql.integers(tries),
        ),
    )  # fmt: skip


def _tries(due: Due, left: Decimal) -> int:
    """How often there was more than could be taken; a wallet that is closed is left alone."""
    return 0 if 0 <= left < 1 or due.status == Wallet.Status.CLOSED else min(due.tries + 1, 1_000)


def _pause(tries: int) -> timedelta:
    return timedelta(seconds=min(settings.USAGE_SETTLE_SECONDS * 2.0 ** min(tries - 1, 20), LONGEST_PAUSE))
