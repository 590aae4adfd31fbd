"""What providers keep for themselves, as far as it is finer than our books."""

from django.db import models


class CarriedFee(models.Model):
    """A provider's fees that weren't whole minor units, summed up exactly; their whole part is in the books."""

    pk = models.CompositePrimaryKey("provider", "currency")
    provider = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    told = models.DecimalField(max_digits=38, decimal_places=12, help_text="In minor units.")

    def __str__(self) -> str:
        return f"{self.provider} {self.currency}"
