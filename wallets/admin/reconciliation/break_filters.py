"""What narrows the list of breaks: its state, whose it is, and how old it is."""

from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from wallets.models import Break


class StateFilter(DropdownFilter):
    """Open ones, unless something else is asked for, or looked for."""

    title = "state"
    parameter_name = "state"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("resolved", "Resolved"), ("any", "Open and resolved")]

    def value(self) -> str:
        return super().value() or "open"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        looked_for = request.GET.get("q") and self.parameter_name not in request.GET
        return queryset if looked_for or self.value() not in Break.State.values else queryset.filter(state=self.value())


class OwnerFilter(DropdownFilter):
    """Whose they are to look after."""

    title = "owner"
    parameter_name = "owner"
    all_option: ClassVar[Any] = ["", "Anyone’s"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Mine"), ("nobody", "Nobody’s")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "mine":
                return queryset.filter(owner=request.user)
            case "nobody":
                return queryset.filter(owner=None)
        return queryset


class AgeFilter(DropdownFilter):
    """How long ago it was that something began not to match."""

    title = "age"
    parameter_name = "age"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(days), f"More than {days} days") for days in (3, 7, 30, 90)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(first_on__lt=timezone.now().date() - timedelta(days=int(self.value())))
