"""Fields of forms in the back office."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from backoffice.money import exponent

AMOUNT = re.compile(r"[0-9]{1,16}(\.[0-9]{1,4})?", re.ASCII)
SIGNED = re.compile(rf"-?{AMOUNT.pattern}", re.ASCII)


class MoneyField(forms.CharField):
    """An amount as a person writes it, `1,500.00`: a Decimal in major units, of which a currency makes minor ones."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, *, signed: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.written = SIGNED if signed else AMOUNT

    def to_python(self, value: Any) -> Any:
        text = (super().to_python(value) or "").replace(",", "").replace("−", "-")
        if not text:
            return None
        if not self.written.fullmatch(text):
            raise ValidationError("Write an amount, such as 1,500.00.")
        return Decimal(text)


def minor(amount: Decimal, currency: str) -> int:
    """Minor units of major ones. Raises ValidationError for what is finer than the currency."""
    scaled = amount.scaleb(exponent(currency))
    if scaled != int(scaled):
        raise ValidationError(f"{currency} has {exponent(currency)} decimals; write no more of them.")
    return int(scaled)
