"""A tariff as somebody writes it, and whether it makes sense."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from users.validation import FieldError, ValidationError
from wallets.models import MeterPrice
from wallets.usage.amounts import ZERO
from wallets.usage.pricing import Tier

Model = MeterPrice.Model


@dataclass(frozen=True, slots=True)
class Tariff:
    """How usage is priced: a unit's or a package's price, or tiers; and what of a month is free.

    Prices are minor units, and may be fractions of one.
    """

    model: str
    unit_amount: Decimal | None = None
    package_size: Decimal | None = None
    tiers: Sequence[Tier] = ()
    allowance: Decimal = ZERO

    def check(self) -> None:
        """Raise ValidationError for what is missing, too much, or out of order."""
        if errors := list(self._errors()):
            raise ValidationError(errors)

    def as_tiers(self) -> tuple[Tier, ...]:
        """Its prices by quantity; a single one where it isn't graduated."""
        if self.model == Model.GRADUATED:
            return tuple(self.tiers)
        return (Tier(None, self.unit_amount or ZERO),)

    def _errors(self) -> Iterator[FieldError]:
        graduated, package = self.model == Model.GRADUATED, self.model == Model.PACKAGE
        yield from _needed("unit_amount", self.unit_amount is not None, not graduated)
        yield from _needed("package_size", self.package_size is not None, package)
        yield from _needed("tiers", bool(self.tiers), graduated)
        if self.package_size is not None and self.package_size <= 0:
            yield FieldError(field="package_size", code="out_of_range", detail="A package has more than 0 units.")
        yield from _tier_errors(self.tiers)


def _needed(field: str, given: bool, needed: bool) -> Iterator[FieldError]:
    if needed and not given:
        yield FieldError(field=field, code="required", detail="This model of pricing needs it.")
    if given and not needed:
        yield FieldError(field=field, code="conflict", detail="This model of pricing doesn't have it; leave it out.")


def _tier_errors(tiers: Sequence[Tier]) -> Iterator[FieldError]:
    reached = ZERO
    for number, tier in enumerate(tiers):
        is_last = number == len(tiers) - 1
        if (tier.up_to is None) != is_last:
            detail = "The last tier, and only the last, has no `up_to`."
            yield FieldError(field=f"tiers.{number}.up_to", code="invalid", detail=detail)
        elif tier.up_to is not None:
            if tier.up_to <= reached:
                detail = "Each tier ends above the one before it."
                yield FieldError(field=f"tiers.{number}.up_to", code="out_of_range", detail=detail)
            reached = tier.up_to
