import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_version_at"),
        ("wallets", "0002_lost_race"),
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
        migrations.CreateModel(
            name="TopUp",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("reference", models.CharField(max_length=50)),
                ("provider_id", models.CharField(blank=True, default="", max_length=100)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("checkout_url", models.TextField(blank=True, default="")),
                (
                    "opening_until",
                    models.DateTimeField(blank=True, help_text="Until then a request opens the checkout.", null=True),
                ),
                (
                    "payment_id",
                    models.CharField(
                        blank=True, default="", help_text="The payment that completed it.", max_length=100
                    ),
                ),
                ("failure_code", models.CharField(blank=True, default="", max_length=64)),
                ("failure_detail", models.CharField(blank=True, default="", max_length=255)),
                ("created_by", models.CharField(help_text="person:<id>", max_length=50)),
                ("idempotency_key", models.CharField(max_length=255)),
                ("fingerprint", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "next_at",
                    models.DateTimeField(
                        blank=True, help_text="When a worker shall ask; none when it is over.", null=True
                    ),
                ),
                (
                    "lease",
                    models.BigIntegerField(
                        default=0, help_text="Counts the claims: an older worker's write is refused by it."
                    ),
                ),
                (
                    "checks",
                    models.IntegerField(
                        default=0, help_text="How often the provider was asked without a final answer."
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.transaction",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="top_ups", to="wallets.wallet"
                    ),
                ),
            ],
            options={
                "verbose_name": "top-up",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("provider"), models.F("reference"), name="wallets_top_up_reference"
                    ),
                    models.UniqueConstraint(
                        models.F("created_by"), models.F("idempotency_key"), name="wallets_top_up_key"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ("pending", "completed", "failed", "expired"))),
                        name="wallets_top_up_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "completed"), _negated=True),
                            ("transaction__isnull", False),
                            _connector="OR",
                        ),
                        name="wallets_top_up_paid",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("next_at__isnull", True), ("status", "pending"), _negated=True),
                        name="wallets_top_up_asked",
                    ),
                ],
                "indexes": [
                    models.Index(
                        models.F("next_at"), condition=models.Q(("next_at__isnull", False)), name="wallets_top_up_due"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UnmatchedReceipt",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("payment_id", models.CharField(help_text="The provider's own name for the payment.", max_length=100)),
                ("reference", models.CharField(blank=True, default="", max_length=100)),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("amount_differs", "Another amount than was asked for"),
                            ("currency_differs", "Another currency than was asked for"),
                            ("paid_twice", "A second payment for one top-up"),
                            ("wallet_closed", "The wallet has been closed"),
                            ("amount_too_large", "The wallet can't hold so much"),
                            ("unknown_reference", "A reference that isn't ours"),
                            ("unannounced", "Nobody said that it would come"),
                        ],
                        max_length=20,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("assigned_at", models.DateTimeField(blank=True, null=True)),
                ("assigned_by", models.CharField(blank=True, default="", max_length=60)),
                ("assigned_because", models.CharField(blank=True, default="", max_length=255)),
                (
                    "assignment",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.transaction",
                    ),
                ),
                (
                    "top_up",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="receipts",
                        to="wallets.topup",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.transaction",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("provider"), models.F("payment_id"), name="wallets_receipt_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("assigned_at__isnull", True), ("assignment__isnull", True), ("wallet__isnull", True)
                            ),
                            models.Q(
                                ("assigned_at__isnull", False), ("assignment__isnull", False), ("wallet__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="wallets_receipt_assigned",
                    ),
                ],
                "indexes": [
                    models.Index(
                        models.F("reference"),
                        condition=models.Q(("reference", ""), _negated=True),
                        name="wallets_receipt_reference",
                    ),
                    models.Index(
                        models.F("id"), condition=models.Q(("assigned_at__isnull", True)), name="wallets_receipt_open"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("dedupe_key", models.CharField(max_length=250)),
                ("kind", models.CharField(max_length=7)),
                ("reference", models.CharField(blank=True, default="", max_length=100)),
                ("provider_id", models.CharField(blank=True, default="", max_length=100)),
                ("hinted_status", models.CharField(blank=True, default="", max_length=100)),
                ("occurred_at", models.DateTimeField(blank=True, null=True)),
                ("body", models.BinaryField()),
                ("sha256", models.BinaryField()),
                ("headers", models.JSONField(blank=True, default=dict)),
                (
                    "contradicts",
                    models.BooleanField(
                        default=False,
                        help_text="Another event came under its key before, with other bytes.",
                        verbose_name="contradicts another",
                    ),
                ),
                ("received_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done"), ("dead", "Given up; a person must look")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True, default="", help_text="What it led to, or what went wrong.", max_length=255
                    ),
                ),
                ("handled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "next_at",
                    models.DateTimeField(
                        blank=True, help_text="When a worker shall look at it; none when done.", null=True
                    ),
                ),
                (
                    "lease",
                    models.BigIntegerField(
                        default=0, help_text="Counts the claims: an older worker's write is refused by it."
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("next_at"), condition=models.Q(("next_at__isnull", False)), name="wallets_webhook_due"
                    ),
                    models.Index(
                        models.F("reference"),
                        condition=models.Q(("reference", ""), _negated=True),
                        name="wallets_webhook_reference",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(models.F("provider"), models.F("dedupe_key"), name="wallets_webhook_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("next_at__isnull", False), ("state", "waiting")),
                            models.Q(("next_at__isnull", True), ("state__in", ("done", "dead"))),
                            _connector="OR",
                        ),
                        name="wallets_webhook_state",
                    ),
                ],
            },
        ),
    ]
