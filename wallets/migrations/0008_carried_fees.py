"""What of providers' fees is finer than a minor unit, and carried on. The table is new: nothing waits for a lock."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallets", "0007_queued_transfers")]

    operations = [
        migrations.CreateModel(
            name="CarriedFee",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "provider", "currency", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("currency", models.CharField(max_length=3)),
                ("told", models.DecimalField(decimal_places=12, help_text="In minor units.", max_digits=38)),
            ],
        ),
    ]
