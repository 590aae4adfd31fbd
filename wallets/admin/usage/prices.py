"""What meters cost, version by version."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.tables import Column, Figure, Table
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, button, permission, propose
from wallets.admin.movements import wallet_cell
from wallets.admin.usage import shown
from wallets.models import Meter, MeterPrice
from wallets.proposals.prices import PriceEnd
from wallets.usage.amounts import written

VERSIONS = (
    Column("From"), Column("To"), Column("For"), Column("Price"), Column("Free in a month", number=True),
    Column("Announced by"),
)  # fmt: skip


@admin.register(MeterPrice)
class MeterPriceAdmin(ReadOnlyAdmin):
    actions_detail = ("end",)
    list_display = ("starts_at", "short_id", "meter", "whose", "price_shown", "allowance_shown", "state")
    list_filter: ClassVar[Sequence[Any]] = (("meter", RelatedDropdownFilter), "currency")
    list_select_related = ("meter", "wallet__owner")
    ordering = ("-id",)
    search_ids = ("id", "wallet", "meter")
    search_texts = ("meter__slug",)
    search_help_text = "ID of price, meter or wallet, or the meter’s slug"
    fieldsets = (
        (None, {"fields": (
            "meter", ("whose", "currency"), "price_shown", ("model", "package_size"), "allowance_shown",
            ("starts_at", "ends_at"), ("announced_by", "created_at"), "whole_id",
        )}),
    )  # fmt: skip

    has_ask_price_end_permission = permission("wallets.ask_price_end")

    @button(
        "Take back or end", "Taken back where it isn’t in effect yet; a wallet’s own price ends as soon as it can.",
        needs="ask_price_end", icon="event_busy", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def end(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(PriceEnd(UUID(object_id)), request, form, "wallets_meterprice", object_id)

    @display(description="for")
    def whose(self, found: MeterPrice) -> str:
        return wallet_cell(found.wallet) if found.wallet else "Everybody"

    @display(description="price")
    def price_shown(self, found: MeterPrice) -> str:
        return shown.price(found)

    @display(description="free in a month")
    def allowance_shown(self, found: MeterPrice) -> str:
        return written(found.allowance) if found.allowance else cells.NOTHING

    @display(description="state")
    def state(self, found: MeterPrice) -> str:
        return state(found, timezone.now())

    @display(description="announced by")
    def announced_by(self, found: MeterPrice) -> str:
        return words.caller_link(found.created_by)

    def figures(self, found: MeterPrice, now: datetime) -> list[Figure]:
        return [Figure("Price", shown.price(found), strong=True), Figure("State", state(found, now))]


def state(found: MeterPrice, now: datetime) -> str:
    """Whether a version is announced, in effect or over."""
    if found.starts_at > now:
        return cells.label("Announced", "info")
    is_over = found.ends_at is not None and found.ends_at <= now
    return cells.label("Over") if is_over else cells.label("In effect", "success")


def versions(meter: Meter, now: datetime) -> Table:
    """What a meter costs, cost and will cost, the newest first."""
    found = list(meter.prices.select_related("wallet__owner", "meter").order_by("-starts_at")[:50])
    people = words.caller_links(price.created_by for price in found)
    rows = [
        (cells.link("wallets_meterprice", price.pk, cells.moment(price.starts_at)),
         cells.moment(price.ends_at) if price.ends_at else state(price, now),
         wallet_cell(price.wallet) if price.wallet else "Everybody", shown.price(price),
         written(price.allowance) if price.allowance else cells.NOTHING, people[price.created_by])
        for price in found
    ]  # fmt: skip
    return Table("Prices", VERSIONS, rows, "It has none yet, so that its events are rejected.")
