"""What keeps payouts back, to look at: pauses, which `manage.py pause_payouts` makes, and the circuits of providers."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from unfold.decorators import display

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from wallets.models import PayoutPause, ProviderCircuit


class SwitchAdmin(ReadOnlyAdmin):
    """There are a few for each provider."""

    ordering = ("provider",)
    search_ids = ()
    search_texts = ("provider",)
    search_help_text = "Name of the provider"

    def search(self, term: str) -> Q:
        return Q(provider=term)


@admin.register(PayoutPause)
class PayoutPauseAdmin(SwitchAdmin):
    list_display = ("provider", "reason", "paused_by", "paused_at")
    fields = ("provider", "reason", "paused_by", "paused_at")


@admin.register(ProviderCircuit)
class ProviderCircuitAdmin(SwitchAdmin):
    list_display = ("provider", "currency", "state", "failures", "reason", "opened_at", "retry_at", "updated_at")
    fields = (
        "provider",
        "currency",
        "state",
        "failures",
        "reason",
        ("opened_at", "retry_at"),
        "mailed_at",
        "updated_at",
    )

    @display(description="state")
    def state(self, circuit: Any) -> str:
        return cells.label("Open", "danger") if circuit.opened_at else cells.label("Closed", "success")
