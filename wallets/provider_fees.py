"""What providers take for themselves, of what is paid in and on top of what is paid out: our expense, to the last bit.

Their fees may be finer than a minor unit, and books aren't. What is finer is carried to the next such fee, so that the
books never differ by a whole minor unit from what a provider has told in all.
"""

from decimal import Decimal
from typing import TypeGuard

from ledger import sql
from wallets.currencies import exponent
from wallets.providers.money import to_major

# So many decimals of a major unit are kept.
FINEST = 9
# No provider takes more for one payment, in minor units; the books could hold a thousand times as much.
MOST = 10**12


def is_believed(fee: Decimal | None, currency: str, *, most: int = MOST) -> TypeGuard[Decimal]:
    """Whether a provider may have taken this fee, in major units: something, and at most so many minor units."""
    if fee is None or not fee.is_finite() or not 0 < fee <= to_major(most, currency):
        return False
    return fee == round(fee, FINEST)


CARRY = """
INSERT INTO wallets_carriedfee AS c (provider, currency, told) VALUES (%(provider)s, %(currency)s, %(fee)s)
ON CONFLICT (provider, currency) DO UPDATE SET told = c.told + excluded.told
RETURNING floor(told) - floor(told - %(fee)s)
"""


def to_post(provider: str, currency: str, fee: Decimal) -> int:
    """The minor units of a fee, told in major ones, that are to be posted now: for each fee to be asked for once.

    Inside the caller's transaction and before its postings: the row that carries is locked first, the accounts after.
    """
    minor = fee.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        ((minor,),) = sql.rows(CARRY, {"provider": provider, "currency": currency, "fee": minor})
    return int(minor)
