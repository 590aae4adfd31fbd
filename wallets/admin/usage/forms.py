"""What dialogs of meters and wallets ask for."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from backoffice.forms import MoneyField, minor
from users import validation
from wallets.admin.deeds import ReasonForm
from wallets.models import Meter, MeterPrice, UsageThreshold, Wallet
from wallets.proposals.prices import Tariffs
from wallets.usage import thresholds

Model = MeterPrice.Model


class MeterForm(BaseDialogForm):
    """A meter to be made."""

    slug = forms.SlugField(
        max_length=64, widget=UnfoldAdminTextInputWidget, help_text="What events name it by, such as api-calls."
    )
    name = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    unit = forms.CharField(max_length=32, widget=UnfoldAdminTextInputWidget, help_text="Such as call or GB.")
    aggregation = forms.ChoiceField(choices=Meter.Aggregation.choices, widget=UnfoldAdminSelectWidget)
    property = forms.CharField(
        max_length=64, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Whose values are counted, for a meter of different values.",
    )  # fmt: skip


class PriceForm(ReasonForm):
    """A version of a price, in minor units."""

    currency = forms.CharField(min_length=3, max_length=3, widget=UnfoldAdminTextInputWidget, help_text="Such as NGN.")
    model = forms.ChoiceField(choices=Model.choices, widget=UnfoldAdminSelectWidget)
    unit_amount = forms.CharField(
        required=False, widget=UnfoldAdminTextInputWidget,
        help_text="Of a unit or a package, in minor units: 0.25 is a quarter of a kobo or cent.",
    )  # fmt: skip
    package_size = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="For packages.")
    tiers = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="For tiers, one a line: up to how much, and a unit’s price; the last is a price alone.",
    )  # fmt: skip
    allowance = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget, help_text="Free in a month.")
    wallet = forms.UUIDField(
        required=False, widget=UnfoldAdminTextInputWidget, help_text="ID of the one wallet it is for; else everybody."
    )
    asks_first = ("currency", "model", "unit_amount", "package_size", "tiers", "allowance", "wallet")

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"].upper())

    def clean_tiers(self) -> tuple[tuple[str | None, str], ...]:
        return tuple(self._tiers(self.cleaned_data["tiers"]))

    def clean(self) -> dict[str, Any]:
        """A tariff that makes sense."""
        if self.errors:
            return self.cleaned_data
        try:
            self.tariff().read().check()
        except (InvalidOperation, validation.ValidationError) as error:
            raise ValidationError(str(error) or "Write numbers, such as 0.25.") from error
        return self.cleaned_data

    def tariff(self) -> Tariffs:
        """What was written."""
        said = self.cleaned_data
        return Tariffs(
            said["model"], said["unit_amount"] or None, said["package_size"] or None, said["tiers"],
            said["allowance"] or "0",
        )  # fmt: skip

    def _tiers(self, text: str) -> Iterator[tuple[str | None, str]]:
        for line in filter(None, map(str.strip, text.splitlines())):
            *up_to, amount = line.replace(",", "").split()
            if len(up_to) > 1 or not all(_is_number(word) for word in (*up_to, amount)):
                raise ValidationError(f"“{line}” isn’t two numbers, such as 10000 0.25, nor one.")
            yield (up_to[0] if up_to else None, amount)


class ThresholdForm(ReasonForm):
    """Below what somebody shall hear of it."""

    kind = forms.ChoiceField(choices=UsageThreshold.Kind.choices, widget=UnfoldAdminSelectWidget)
    below = MoneyField(signed=True, help_text="In the wallet’s currency, such as 1,500.00; for a runway in hours.")
    asks_first = ("kind", "below")

    def marks(self) -> int:
        """Minor units, or hours."""
        below: Decimal = self.cleaned_data["below"]
        if self.cleaned_data["kind"] == UsageThreshold.Kind.RUNWAY:
            return int(below)
        return minor(below, Wallet.objects.get(pk=self.object_id).currency)

    def clean_below(self) -> Decimal:
        below: Decimal = self.cleaned_data["below"]
        if self.cleaned_data.get("kind") == UsageThreshold.Kind.CURRENT:
            minor(below, Wallet.objects.get(pk=self.object_id).currency)
        elif below != int(below):
            raise ValidationError("Write whole hours.")
        return below


class RemovalForm(ReasonForm):
    """Which threshold."""

    threshold = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    asks_first = ("threshold",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["threshold"]
        choice.choices = [(str(found.pk), str(found)) for found in thresholds.of(UUID(str(self.object_id)))]


def _is_number(word: str) -> bool:
    try:
        return Decimal(word).is_finite()
    except InvalidOperation:
        return False
