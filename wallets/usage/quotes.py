"""What so much more of a meter would cost a wallet, as its month stands."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from ledger import sql
from users.validation import ValidationError
from wallets.access import Access, NotFound
from wallets.models import Meter
from wallets.usage.amounts import ZERO, exact
from wallets.usage.catalogue import read_meters, read_price
from wallets.usage.months import month_of, start
from wallets.usage.pricing import Price, positions

Aggregation = Meter.Aggregation

READ = """
SELECT m.quantity, p.id, p.starts_at, p.ends_at, p.allowance, p.package_size, p.tiers::text
FROM wallets_usagemonth m JOIN wallets_meterprice p ON p.id = m.price_id
WHERE m.wallet_id = %s AND m.month = %s AND m.meter_id = %s
"""


@exact
def quote(wallet: Access, slug: str, quantity: Decimal, *, now: datetime) -> Decimal:
    """What that quantity more would cost now, in minor units: never less than nothing.

    Raises NotFound, and ValidationError for a meter that is out of use or has no price in the wallet's currency.
    """
    month = month_of(now)
    meter = read_meters([slug], [wallet.id], start(month)).get(slug)
    if meter is None:
        raise NotFound("meter")
    price = meter.price(wallet, now)
    if price is None or not meter.is_active:
        raise ValidationError.on("meter", "invalid", "The meter is out of use, or has no price in this currency now.")
    used = _used(wallet.id, month, meter.id)
    before = used.get(price, ZERO)
    more = {**used, price: _moved(meter.aggregation, before, quantity)}
    return max(ZERO, _cost(more) - _cost(used))


def _used(wallet: UUID, month: date, meter: UUID) -> dict[Price, Decimal]:
    return {read_price(*price): quantity for quantity, *price in sql.rows(READ, (wallet, month, meter))}


def _moved(aggregation: str, before: Decimal, quantity: Decimal) -> Decimal:
    if aggregation == Aggregation.MAX:
        return max(before, quantity)
    return quantity if aggregation == Aggregation.LATEST else before + quantity


def _cost(month: Mapping[Price, Decimal]) -> Decimal:
    return sum((position.amount() for position in positions(month)), ZERO)
