"""What needs two people, and what a proposal may never become.

That it is decided once is a trigger's business; that the two differ, a CHECK's; that what was asked for stays as it
was, a matter of privileges: the application's role may write no other column.
"""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

ONCE = """
CREATE FUNCTION wallets_refuse_second_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a proposal is asked for open, and decided once' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER wallets_proposal_decided_once BEFORE UPDATE ON wallets_proposal
    FOR EACH ROW WHEN (OLD.status <> 'open') EXECUTE FUNCTION wallets_refuse_second_decision();
CREATE TRIGGER wallets_proposal_begins_open BEFORE INSERT ON wallets_proposal
    FOR EACH ROW WHEN (NEW.status <> 'open') EXECUTE FUNCTION wallets_refuse_second_decision();
"""

AGAIN = """
DROP TRIGGER wallets_proposal_decided_once ON wallets_proposal;
DROP TRIGGER wallets_proposal_begins_open ON wallets_proposal;
DROP FUNCTION wallets_refuse_second_decision();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_no_prefix_indexes"),
        ("wallets", "0012_forgotten_webhooks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="JournalTemplate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True)),
                ("description", models.CharField(blank=True, default="", max_length=255)),
                (
                    "legs",
                    models.JSONField(
                        default=list, help_text='Such as [{"account": "income:fees:NGN", "debit": 0, "credit": 0}]'
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("journal", "Manual journal"),
                            ("reversal", "Reversal"),
                            ("account", "New account of the chart"),
                            ("freeze", "Freeze of a wallet, or its end"),
                            ("credit_limit", "Credit limit of a wallet"),
                            ("rule", "Change of fees, limits and approval rules"),
                            ("receipt", "Unmatched receipt"),
                            ("review", "Withdrawal that a person must judge"),
                            ("bank_account", "Block of a bank account, or its end"),
                            ("roles", "Roles of staff"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "subject_kind",
                    models.CharField(help_text="What it is about: wallet, withdrawal, transaction …", max_length=30),
                ),
                ("subject_id", models.CharField(max_length=100)),
                ("says", models.CharField(max_length=500, verbose_name="what")),
                ("content", models.JSONField()),
                ("basis", models.JSONField(default=dict)),
                ("reason", models.CharField(max_length=500)),
                ("requested_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_because", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "permissions": [
                    ("ask_journal", "Can ask: manual journal"),
                    ("ask_reversal", "Can ask: reversal"),
                    ("ask_account", "Can ask: new account of the chart"),
                    ("ask_freeze", "Can ask: freeze of a wallet, or its end"),
                    ("ask_credit_limit", "Can ask: credit limit of a wallet"),
                    ("ask_rule", "Can ask: change of fees, limits and approval rules"),
                    ("ask_receipt", "Can ask: unmatched receipt"),
                    ("ask_review", "Can ask: withdrawal that a person must judge"),
                    ("ask_bank_account", "Can ask: block of a bank account, or its end"),
                    ("ask_roles", "Can ask: roles of staff"),
                    ("decide_journal", "Can decide: manual journal"),
                    ("decide_reversal", "Can decide: reversal"),
                    ("decide_account", "Can decide: new account of the chart"),
                    ("decide_freeze", "Can decide: freeze of a wallet, or its end"),
                    ("decide_credit_limit", "Can decide: credit limit of a wallet"),
                    ("decide_rule", "Can decide: change of fees, limits and approval rules"),
                    ("decide_receipt", "Can decide: unmatched receipt"),
                    ("decide_review", "Can decide: withdrawal that a person must judge"),
                    ("decide_bank_account", "Can decide: block of a bank account, or its end"),
                    ("decide_roles", "Can decide: roles of staff"),
                ],
            },
        ),
        migrations.RemoveConstraint(
            model_name="unmatchedreceipt",
            name="wallets_receipt_assigned",
        ),
        migrations.AddField(
            model_name="bankaccount",
            name="blocked_at",
            field=models.DateTimeField(blank=True, help_text="Since then nothing is paid to its number.", null=True),
        ),
        migrations.AlterField(
            model_name="unmatchedreceipt",
            name="wallet",
            field=models.ForeignKey(
                blank=True,
                help_text="None where it was written off.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="wallets.wallet",
            ),
        ),
        migrations.AddConstraint(
            model_name="unmatchedreceipt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("assigned_at__isnull", True), ("assignment__isnull", True), ("wallet__isnull", True)),
                    models.Q(("assigned_at__isnull", False), ("assignment__isnull", False)),
                    _connector="OR",
                ),
                name="wallets_receipt_assigned",
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="transaction",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.transaction",
            ),
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(models.F("id"), condition=models.Q(("status", "open")), name="wallets_proposal_open"),
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(
                models.F("subject_kind"), models.F("subject_id"), models.F("id"), name="wallets_proposal_subject"
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ("open", "approved", "rejected", "withdrawn"))),
                name="wallets_proposal_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("decided_by__isnull", True), ("status", "open")),
                    models.Q(
                        models.Q(("status", "open"), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="wallets_proposal_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_by__isnull", True),
                    models.Q(("status", "withdrawn"), ("decided_by", models.F("requested_by"))),
                    models.Q(
                        models.Q(("status", "withdrawn"), _negated=True),
                        models.Q(("decided_by", models.F("requested_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="wallets_proposal_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="wallets_proposal_reason"
            ),
        ),
        migrations.RunSQL(ONCE, AGAIN),
    ]
