"""A circuit for each account at a provider beside the provider's own, and orders refused for want of money there.

The table is made anew: what it says is of the last minutes, and an open circuit opens again with the next order.
"""

from django.db import migrations, models

OUTCOMES = [
    ("unknown", "Sent, or about to be; the answer isn't known"),
    ("not_sent", "Known not to have reached the bank"),
    ("accepted", "The bank has it"),
    ("action_required", "The bank has it, and waits for somebody"),
    ("rejected", "The bank refused the order; it is being asked once more"),
    ("underfunded", "Refused, since we hold too little there; it is being asked once more"),
    ("paid", "The bank paid"),
    ("refused", "The bank refused"),
]


class Migration(migrations.Migration):
    dependencies = [("wallets", "0009_provider_fee")]

    operations = [
        migrations.DeleteModel(name="ProviderCircuit"),
        migrations.CreateModel(
            name="ProviderCircuit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=32)),
                (
                    "currency",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Whose account there has too little; empty for the provider itself.",
                        max_length=3,
                    ),
                ),
                ("failures", models.IntegerField(default=0, help_text="Orders in a row that weren't answered.")),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("retry_at", models.DateTimeField(blank=True, help_text="When one order may try again.", null=True)),
                ("reason", models.CharField(blank=True, default="", max_length=255)),
                (
                    "mailed_at",
                    models.DateTimeField(blank=True, help_text="When finance was last told of it.", null=True),
                ),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("provider"), models.F("currency"), name="wallets_circuit_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("opened_at__isnull", True), ("retry_at__isnull", True)),
                            models.Q(("opened_at__isnull", False), ("retry_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="wallets_circuit_open",
                    ),
                ],
            },
        ),
        migrations.AlterField(
            model_name="payoutattempt",
            name="outcome",
            field=models.CharField(choices=OUTCOMES, default="unknown", max_length=15),
        ),
    ]
