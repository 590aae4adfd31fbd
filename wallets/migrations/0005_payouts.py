"""The whole life of a withdrawal. Locks are short: rows that are there are looked at by the next migration."""

import django.db.models.deletion
import uuid_utils.compat
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

REFUSE = """
CREATE TRIGGER wallets_withdrawalstep_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallets_withdrawalstep
    FOR EACH STATEMENT EXECUTE FUNCTION wallets_refuse_change();
"""

ALLOW = """
DROP TRIGGER wallets_withdrawalstep_append_only ON wallets_withdrawalstep;
"""

# A provider's name for an account that is another one now would send the money to the old one.
FORGET = """
CREATE FUNCTION wallets_forget_recipient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.recipient = '';
    RETURN NEW;
END $$;

CREATE TRIGGER wallets_bankaccount_recipient
    BEFORE UPDATE OF provider, bank_code, number_digest, currency, account_name ON wallets_bankaccount FOR EACH ROW
    WHEN ((OLD.provider, OLD.bank_code, OLD.number_digest, OLD.currency, OLD.account_name)
          IS DISTINCT FROM (NEW.provider, NEW.bank_code, NEW.number_digest, NEW.currency, NEW.account_name))
    EXECUTE FUNCTION wallets_forget_recipient();
"""

REMEMBER = """
DROP TRIGGER wallets_bankaccount_recipient ON wallets_bankaccount;
DROP FUNCTION wallets_forget_recipient();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_version_at"),
        ("wallets", "0004_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApprovalRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(help_text="ISO 4217, such as NGN.", max_length=3)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("amount", "The amount is above the threshold"),
                            ("first_use", "The bank account was never paid, and the amount is above the threshold"),
                            ("daily_sum", "The owner's withdrawals of the day (UTC) come to more than the threshold"),
                        ],
                        max_length=9,
                    ),
                ),
                ("threshold", models.BigIntegerField(default=0, help_text="In minor units.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("currency", "kind"), name="wallets_approval_rule_once"),
                    models.CheckConstraint(
                        condition=models.Q(("threshold__gte", 0)), name="wallets_approval_rule_threshold"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FeeRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(help_text="ISO 4217, such as NGN.", max_length=3)),
                ("provider", models.CharField(blank=True, default="", help_text="Empty: any provider.", max_length=32)),
                ("flat", models.BigIntegerField(default=0, help_text="In minor units.")),
                (
                    "basis_points",
                    models.IntegerField(default=0, help_text="Hundredths of a per cent of the amount, rounded up."),
                ),
                (
                    "minimum",
                    models.BigIntegerField(blank=True, help_text="The fee is never less, in minor units.", null=True),
                ),
                (
                    "maximum",
                    models.BigIntegerField(blank=True, help_text="The fee is never more, in minor units.", null=True),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("currency", "provider"), name="wallets_fee_rule_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("basis_points__range", (0, 10000)),
                            ("flat__range", (0, 1000000000000)),
                            models.Q(
                                ("minimum__isnull", True), ("minimum__range", (0, 1000000000000)), _connector="OR"
                            ),
                            models.Q(
                                ("maximum__isnull", True), ("maximum__range", (0, 1000000000000)), _connector="OR"
                            ),
                            models.Q(
                                ("minimum__isnull", True),
                                ("maximum__isnull", True),
                                ("minimum__lte", models.F("maximum")),
                                _connector="OR",
                            ),
                        ),
                        name="wallets_fee_rule_range",
                        violation_error_message="Amounts are from 0 to 10^12, the minimum isn't above the maximum, and 10,000 basis points are the whole amount.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PayoutPause",
            fields=[
                (
                    "provider",
                    models.CharField(
                        help_text="A provider, or * for all.", max_length=32, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.CharField(max_length=255)),
                ("paused_by", models.CharField(max_length=110)),
                ("paused_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="ProviderCircuit",
            fields=[
                ("provider", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("failures", models.IntegerField(default=0, help_text="Orders in a row that weren't answered.")),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("retry_at", models.DateTimeField(blank=True, help_text="When one order may try again.", null=True)),
                ("reason", models.CharField(blank=True, default="", max_length=255)),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
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
        migrations.CreateModel(
            name="WithdrawalLimit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(help_text="ISO 4217, such as NGN.", max_length=3)),
                (
                    "scope",
                    models.CharField(
                        choices=[("user", "All wallets of an owner"), ("wallet", "A wallet")], max_length=6
                    ),
                ),
                ("window", models.CharField(choices=[("single", "At once"), ("day", "In a day")], max_length=6)),
                ("amount", models.BigIntegerField(help_text="The most, in minor units, without fees.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("currency", "scope", "window"), name="wallets_withdrawal_limit_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0)), name="wallets_withdrawal_limit_amount"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WithdrawalStep",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "before",
                    models.CharField(blank=True, help_text="Its status before; empty for a new one.", max_length=17),
                ),
                ("after", models.CharField(max_length=17)),
                ("actor", models.CharField(help_text="person, service, staff or system, and which", max_length=110)),
                ("attempt", models.SmallIntegerField(blank=True, null=True)),
                ("what", models.CharField(max_length=500)),
                ("raw", models.JSONField(blank=True, default=dict)),
            ],
        ),
        migrations.AlterModelOptions(
            name="withdrawal",
            options={
                "permissions": [
                    ("approve_withdrawal", "Can approve or reject withdrawals"),
                    ("review_withdrawal", "Can settle withdrawals in review"),
                ]
            },
        ),
        migrations.RemoveConstraint(
            model_name="withdrawal",
            name="wallets_withdrawal_status",
        ),
        migrations.RemoveConstraint(
            model_name="withdrawal",
            name="wallets_withdrawal_done",
        ),
        migrations.RemoveConstraint(
            model_name="withdrawal",
            name="wallets_withdrawal_paid",
        ),
        migrations.AddField(
            model_name="bankaccount",
            name="recipient",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                help_text="The provider's own name for it, once asked; a trigger drops it when the account changes.",
                max_length=100,
            ),
        ),
        migrations.AddField(
            model_name="payoutattempt",
            name="action_since",
            field=models.DateTimeField(blank=True, help_text="Since when the bank waits for somebody.", null=True),
        ),
        migrations.AddField(
            model_name="payoutattempt",
            name="doubtful",
            field=models.BooleanField(default=False, help_text="An earlier sending may have arrived."),
        ),
        migrations.AddField(
            model_name="payoutattempt",
            name="missed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="payoutattempt",
            name="misses",
            field=models.IntegerField(default=0, help_text="How often, in a row and spaced, the bank didn't know it."),
        ),
        migrations.AddField(
            model_name="payoutattempt",
            name="sends",
            field=models.IntegerField(default=0, help_text="How often it was about to be sent, always as it was."),
        ),
        migrations.AddField(
            model_name="payoutattempt",
            name="sent_at",
            field=models.DateTimeField(blank=True, help_text="When it was last about to be sent.", null=True),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="approval_reason",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Why a second person must approve it; empty where none must.",
                max_length=255,
            ),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="busy_until",
            field=models.DateTimeField(blank=True, help_text="Until when the worker that has it may take.", null=True),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="heard",
            field=models.BooleanField(default=False, help_text="Somebody said meanwhile that the bank has news."),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="approved_by",
            field=models.CharField(blank=True, default="", help_text="person:<id>", max_length=50),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="completed_at",
            field=models.DateTimeField(blank=True, help_text="When the bank's payment was booked.", null=True),
        ),
        migrations.AddField(
            model_name="withdrawal",
            name="return_transaction",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                help_text="The transaction that put the money back after the bank had paid.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.transaction",
            ),
        ),
        migrations.AlterField(
            model_name="payoutattempt",
            name="answered_at",
            field=models.DateTimeField(blank=True, help_text="When the bank last said what we understand.", null=True),
        ),
        migrations.AlterField(
            model_name="payoutattempt",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("unknown", "Sent, or about to be; the answer isn't known"),
                    ("not_sent", "Known not to have reached the bank"),
                    ("accepted", "The bank has it"),
                    ("action_required", "The bank has it, and waits for somebody"),
                    ("rejected", "The bank refused the order; it is being asked once more"),
                    ("paid", "The bank paid"),
                    ("refused", "The bank refused"),
                ],
                default="unknown",
                max_length=15,
            ),
        ),
        migrations.AlterField(
            model_name="withdrawal",
            name="status",
            field=models.CharField(
                choices=[
                    ("awaiting_approval", "Awaiting Approval"),
                    ("pending", "Pending"),
                    ("processing", "Processing"),
                    ("in_review", "In Review"),
                    ("completed", "Completed"),
                    ("failed", "Failed"),
                    ("cancelled", "Cancelled"),
                    ("returned", "Returned"),
                ],
                default="pending",
                max_length=17,
            ),
        ),
        migrations.AlterField(
            model_name="withdrawal",
            name="wallet",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="withdrawals",
                to="wallets.wallet",
            ),
        ),
        AddConstraintNotValid(
            model_name="withdrawal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        (
                            "awaiting_approval",
                            "pending",
                            "processing",
                            "in_review",
                            "completed",
                            "failed",
                            "cancelled",
                            "returned",
                        ),
                    )
                ),
                name="wallets_withdrawal_state",
            ),
        ),
        AddConstraintNotValid(
            model_name="withdrawal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("next_at__isnull", False), ("status__in", ("pending", "processing"))),
                    models.Q(("next_at__isnull", True), ("status__in", ("awaiting_approval", "in_review", "returned"))),
                    ("status__in", ("completed", "failed", "cancelled")),
                    _connector="OR",
                ),
                name="wallets_withdrawal_next",
            ),
        ),
        AddConstraintNotValid(
            model_name="withdrawal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ("completed", "returned")), _negated=True),
                    ("transaction__isnull", False),
                    _connector="OR",
                ),
                name="wallets_withdrawal_paid",
            ),
        ),
        AddConstraintNotValid(
            model_name="withdrawal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("return_transaction__isnull", False), ("status", "returned")),
                    models.Q(models.Q(("status", "returned"), _negated=True), ("return_transaction__isnull", True)),
                    _connector="OR",
                ),
                name="wallets_withdrawal_returned",
            ),
        ),
        AddConstraintNotValid(
            model_name="withdrawal",
            constraint=models.CheckConstraint(condition=models.Q(("fee__gte", 0)), name="wallets_withdrawal_fee"),
        ),
        AddConstraintNotValid(
            model_name="withdrawal",
            constraint=models.CheckConstraint(
                condition=models.Q(("approved_by", models.F("created_by")), _negated=True),
                name="wallets_withdrawal_four_eyes",
            ),
        ),
        AddConstraintNotValid(
            model_name="withdrawal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approval_reason", ""),
                    models.Q(("approved_by", ""), _negated=True),
                    ("status__in", ("awaiting_approval", "cancelled")),
                    _connector="OR",
                ),
                name="wallets_withdrawal_approved",
            ),
        ),
        migrations.AddField(
            model_name="withdrawalstep",
            name="withdrawal",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="steps",
                to="wallets.withdrawal",
            ),
        ),
        migrations.AddIndex(
            model_name="withdrawalstep",
            index=models.Index(models.F("withdrawal"), models.F("id"), name="wallets_step_of_withdrawal"),
        ),
        migrations.RunSQL(REFUSE, ALLOW),
        migrations.RunSQL(FORGET, REMEMBER),
    ]
