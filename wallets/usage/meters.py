"""What is metered: a meter is made once, and how it counts never changes; only its words do, and its being in use."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from uuid_utils.compat import uuid7

from ledger.durable import durable
from users import audit
from users.callers import Actor
from users.validation import ValidationError
from wallets.access import NotFound
from wallets.models import Meter

Aggregation = Meter.Aggregation
# Their months grow by what is added, so a price may change within one. The others are a figure of the whole month.
ADDITIVE = frozenset({Aggregation.SUM.value, Aggregation.COUNT.value})


@dataclass(frozen=True, slots=True)
class NewMeter:
    """A meter to be made. `property` is whose different values are counted, where that is what it counts."""

    slug: str
    name: str
    unit: str
    aggregation: str
    property: str = ""


@durable
def make(new: NewMeter, *, by: Actor, now: datetime) -> Meter:
    """Make a meter. Raises ValidationError for a slug that is taken, and a property too many or too few."""
    if (new.aggregation == Aggregation.UNIQUE) != bool(new.property):
        detail = "Name the property whose values are counted, for a meter of different values and for no other."
        raise ValidationError.on("property", "invalid", detail)
    values = {name: getattr(new, name) for name in ("name", "unit", "aggregation", "property")}
    meter, made = Meter.objects.get_or_create(
        slug=new.slug, defaults={"id": uuid7(), "created_at": now, **values}
    )  # fmt: skip
    if not made:
        raise ValidationError.on("slug", "taken", "There is a meter of that slug; choose another one, or use that.")
    audit.record(actor=by, action="meter.made", kind="meter", object_id=new.slug, data=values, now=now)
    return meter


@durable
def change(
    slug: str, *, by: Actor, now: datetime, name: str | None = None, unit: str | None = None,
    is_active: bool | None = None,
) -> Meter:  # fmt: skip
    """Rename a meter, or take it out of use and back: out of use it takes no events. Raises NotFound."""
    meter = find(slug)
    changes: dict[str, Any] = {"name": name, "unit": unit, "is_active": is_active}
    given = {field: value for field, value in changes.items() if value is not None}
    if given:
        Meter.objects.filter(pk=meter.pk).update(**given)
        audit.record(actor=by, action="meter.changed", kind="meter", object_id=slug, data=given, now=now)
        meter.refresh_from_db()
    return meter


def find(slug: str) -> Meter:
    """A meter by its slug. Raises NotFound."""
    meter = Meter.objects.filter(slug=slug).first()
    if meter is None:
        raise NotFound("meter")
    return meter


def meters() -> QuerySet[Meter]:
    """All of them."""
    return Meter.objects.all()
