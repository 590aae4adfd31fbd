"""Settlements: usage that became money, and what each was for."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import admin
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from backoffice.tables import Column, Figure, Table
from wallets.admin import words
from wallets.admin.movements import wallet_cell
from wallets.admin.usage import parts, shown
from wallets.models import Meter, UsageSettlement

LINES = (Column("Meter"), Column("Month"), Column("Quantity", number=True), Column("Amount", number=True))


@admin.register(UsageSettlement)
class UsageSettlementAdmin(ReadOnlyAdmin):
    list_display = ("made_at", "short_id", "wallet_shown", "meters_shown", "amount_shown", "billed_shown")
    list_filter: ClassVar[Sequence[Any]] = (("made_at", PeriodFilter),)
    list_select_related = ("wallet__owner",)
    ordering = ("-id",)
    search_ids = ("id", "wallet")
    search_help_text = "ID of settlement or wallet"
    tables_first = True
    fieldsets = (
        (None, {"fields": (
            "wallet_shown", "transaction_shown", "reason", ("made_by_shown", "made_at"), "whole_id",
        )}),
    )  # fmt: skip

    @display(description="wallet")
    def wallet_shown(self, made: UsageSettlement) -> str:
        return wallet_cell(made.wallet)

    @display(description="for")
    def meters_shown(self, made: UsageSettlement) -> str:
        return parts.meters_of(made)

    @display(description="amount")
    def amount_shown(self, made: UsageSettlement) -> str:
        return cells.money(made.amount, made.currency)

    @display(description="billed")
    def billed_shown(self, made: UsageSettlement) -> str:
        return cells.money(made.billed, made.currency)

    @display(description="transaction")
    def transaction_shown(self, made: UsageSettlement) -> str:
        return cells.link("ledger_transaction", made.transaction_id, cells.abridged(made.transaction.reference))

    @display(description="made by")
    def made_by_shown(self, made: UsageSettlement) -> str:
        return words.caller_link(made.made_by)

    def figures(self, made: UsageSettlement, now: datetime) -> list[Figure]:
        return [
            Figure("Settled", cells.money(made.amount, made.currency), strong=True),
            Figure("Taken from the wallet", cells.money(made.amount - made.billed, made.currency)),
            Figure("Billed", cells.money(made.billed, made.currency)),
            Figure("Carried on", shown.money(made.unsettled, made.currency)),
        ]

    def tables(self, made: UsageSettlement, now: datetime) -> list[Table]:
        units = dict(Meter.objects.filter(slug__in={line["meter"] for line in made.lines}).values_list("slug", "unit"))
        rows = [
            (line["meter"], line["month"], shown.quantity(Decimal(line["quantity"]), units.get(line["meter"], "")),
             shown.money(Decimal(line["amount"]), made.currency))
            for line in made.lines
        ]  # fmt: skip
        return [Table("What it was for", LINES, rows)]
