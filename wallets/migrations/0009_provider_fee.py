"""What a provider took for a payout. A column that may be null is added without touching a row."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallets", "0008_carried_fees")]

    operations = [
        migrations.AddField(
            model_name="withdrawal",
            name="provider_fee",
            field=models.DecimalField(
                blank=True,
                decimal_places=9,
                help_text="What the provider took for it, in major units; posted, once it is told.",
                max_digits=30,
                null=True,
            ),
        ),
    ]
