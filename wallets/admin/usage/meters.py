"""What is metered, and what it costs: meters are made here, prices asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Column, Table
from ledger import sql
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, act, button, permission, propose, tell
from wallets.admin.usage import prices, shown
from wallets.admin.usage.forms import MeterForm, PriceForm
from wallets.models import Meter, MeterPrice
from wallets.proposals.prices import NewPrice
from wallets.usage import meters
from wallets.usage.meters import NewMeter

PAGE = "wallets_meter"
MONTHS = (
    Column("Month"), Column("Wallets", number=True), Column("Quantity", number=True), Column("Events", number=True)
)  # fmt: skip


@admin.register(Meter)
class MeterAdmin(ReadOnlyAdmin):
    actions_list = ("new_meter",)
    actions_detail = ("new_price", "take_out_of_use", "take_into_use")
    list_display = ("slug", "name", "aggregation_shown", "unit", "prices_shown", "state", "created_at")
    list_filter: ClassVar[Sequence[Any]] = (("aggregation", ChoicesDropdownFilter), "is_active")
    ordering = ("-id",)
    search_texts = ("slug",)
    search_help_text = "ID or slug"
    tables_first = True
    fieldsets = (
        (None, {"fields": (
            ("slug", "name"), ("aggregation_shown", "property"), ("unit", "state"), "created_at", "whole_id", "audit",
        )}),
    )  # fmt: skip

    has_keep_meter_permission = permission("wallets.add_meter")
    has_ask_price_permission = permission("wallets.ask_price")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Meter]:
        common = MeterPrice.objects.filter(wallet=None, ends_at=None).order_by("currency")
        return super().get_queryset(request).prefetch_related(Prefetch("prices", common, to_attr="standing"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons that its state allows."""
        is_active = Meter.objects.filter(pk=object_id, is_active=True).exists()
        hidden = f"{PAGE}_{'take_into_use' if is_active else 'take_out_of_use'}"
        return [found for found in super().get_actions_detail(request, object_id) if found.action_name != hidden]

    @button(
        "New meter", "How it counts never changes. It takes events once it has a price.",
        needs="keep_meter", icon="add", variant=ActionVariant.PRIMARY, form=MeterForm,
    )  # fmt: skip
    def new_meter(self, request: HttpRequest, form: MeterForm) -> HttpResponse:
        said = form.cleaned_data
        new = NewMeter(said["slug"], said["name"], said["unit"], said["aggregation"], said["property"])
        told = tell(lambda actor, now: meters.make(new, by=actor, now=now), request)
        self.message_user(
            request, told or "Made. Announce a price, and events are taken.", "error" if told else "success"
        )
        made = Meter.objects.filter(slug=new.slug).first()
        page = reverse(f"admin:{PAGE}_changelist") if made is None else reverse(f"admin:{PAGE}_change", args=[made.pk])
        return HttpResponse(headers={"HX-Redirect": page})

    @button(
        "Announce a price", "It holds when somebody else approves it, from a few minutes later on.",
        needs="ask_price", icon="sell", variant=ActionVariant.PRIMARY, form=PriceForm,
    )  # fmt: skip
    def new_price(self, request: HttpRequest, form: PriceForm, object_id: str) -> HttpResponse:
        said, meter = form.cleaned_data, Meter.objects.get(pk=object_id)
        deed = NewPrice(meter.slug, said["currency"], form.tariff(), wallet=said["wallet"])
        return propose(deed, request, form, PAGE, object_id)

    @button("Take out of use", "It takes no more events.", needs="keep_meter", icon="block")
    def take_out_of_use(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return self._use(request, object_id, False)

    @button("Take into use", "It takes events again.", needs="keep_meter", icon="play_arrow")
    def take_into_use(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return self._use(request, object_id, True)

    def _use(self, request: HttpRequest, object_id: str, is_active: bool) -> HttpResponse:
        slug = Meter.objects.get(pk=object_id).slug
        return act(
            lambda actor, now: meters.change(slug, by=actor, now=now, is_active=is_active), request, PAGE, object_id
        )

    @display(description="counts")
    def aggregation_shown(self, meter: Meter) -> str:
        return meter.get_aggregation_display()

    @display(description="price for everybody")
    def prices_shown(self, meter: Any) -> str:
        for found in meter.standing:
            found.meter = meter
        return " · ".join(shown.price(found) for found in meter.standing) or cells.NOTHING

    @display(description="state")
    def state(self, meter: Meter) -> str:
        return cells.label("In use", "success") if meter.is_active else cells.label("Out of use")

    @display(description="audit")
    def audit(self, meter: Meter) -> str:
        return words.audit_link("meter", meter.slug)

    def tables(self, meter: Meter, now: datetime) -> list[Table]:
        return [prices.versions(meter, now), lately(meter)]


MONTHLY = """
SELECT month, count(DISTINCT wallet_id), sum(quantity), sum(events)
FROM wallets_usagemonth WHERE meter_id = %s GROUP BY month ORDER BY month DESC LIMIT 12
"""


def lately(meter: Meter) -> Table:
    """How much of it was used, month by month."""
    rows = [
        (f"{month:%B %Y}", f"{wallets:,}", shown.quantity(quantity, meter.unit), f"{events:,}")
        for month, wallets, quantity, events in sql.rows(MONTHLY, (meter.pk,))
    ]
    return Table("Used", MONTHS, rows)
