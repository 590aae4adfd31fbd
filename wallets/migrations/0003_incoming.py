from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallets", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="SandboxFloat",
            fields=[
                ("currency", models.CharField(max_length=3, primary_key=True, serialize=False)),
                ("amount", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="SandboxCheckout",
            fields=[
                ("reference", models.CharField(max_length=100, primary_key=True, serialize=False)),
                ("number", models.CharField(max_length=40, unique=True)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("payer", models.CharField(blank=True, default="", max_length=200)),
                ("return_url", models.CharField(blank=True, default="", max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("paid", "Paid"),
                            ("refused", "Refused"),
                            ("stuck", "Paid by the customer, and not yet by the bank"),
                        ],
                        default="open",
                        max_length=7,
                    ),
                ),
                ("paid", models.BigIntegerField(default=0, help_text="What was paid in, gross, in minor units.")),
                ("fee", models.BigIntegerField(default=0, help_text="What the bank keeps of it.")),
                ("opened_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ("open", "paid", "refused", "stuck"))),
                        name="wallets_sandbox_checkout_status",
                    )
                ],
            },
        ),
    ]
