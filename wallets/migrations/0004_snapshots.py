"""What providers say that they hold for us. All tables are new: nothing waits for a lock."""

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

APPEND_ONLY = """
CREATE FUNCTION wallets_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: it is history, and only ever added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER wallets_balancesnapshot_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallets_balancesnapshot
    FOR EACH STATEMENT EXECUTE FUNCTION wallets_refuse_change();
"""

CHANGEABLE = """
DROP TRIGGER wallets_balancesnapshot_append_only ON wallets_balancesnapshot;
DROP FUNCTION wallets_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_version_at"),
        ("wallets", "0003_incoming"),
    ]

    operations = [
        migrations.CreateModel(
            name="BalanceSnapshot",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("external_account_id", models.CharField(max_length=100)),
                ("external_balance_id", models.CharField(max_length=64)),
                ("currency", models.CharField(max_length=3)),
                ("balance", models.DecimalField(decimal_places=9, max_digits=30)),
                ("total", models.DecimalField(decimal_places=9, max_digits=30)),
                ("ledger_balance", models.BigIntegerField(help_text="What our books say that the provider holds.")),
                (
                    "in_flight",
                    models.BigIntegerField(help_text="Payouts that were sent and aren't settled in our books."),
                ),
                ("drift", models.BigIntegerField(help_text="What neither our books nor payouts in flight explain.")),
                ("metadata", models.JSONField(blank=True, default=dict)),
                ("created_by", models.CharField(help_text="person:<id>, service:<id> or system:<name>", max_length=50)),
                ("idempotency_key", models.CharField(blank=True, max_length=255, null=True)),
                ("as_of", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="DriftAlert",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("external_account_id", models.CharField(max_length=100)),
                ("currency", models.CharField(max_length=3)),
                ("threshold", models.BigIntegerField(help_text="How much was allowed when it was opened.")),
                ("drift", models.BigIntegerField(help_text="How much it was when it was opened.")),
                ("latest_drift", models.BigIntegerField()),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("currency", models.CharField(max_length=3)),
                ("external_account_id", models.CharField(max_length=100)),
                ("next_at", models.DateTimeField(help_text="When a worker shall read it again.")),
                (
                    "lease",
                    models.BigIntegerField(
                        default=0, help_text="Counts the claims: an older worker's write is refused by it."
                    ),
                ),
                (
                    "failures",
                    models.IntegerField(
                        default=0, help_text="How often the provider hasn't answered since it last did."
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="balancesnapshot",
            name="wallet",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="balance_snapshots",
                to="wallets.wallet",
            ),
        ),
        migrations.AddField(
            model_name="driftalert",
            name="snapshot",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="wallets.balancesnapshot",
            ),
        ),
        migrations.AddField(
            model_name="provideraccount",
            name="wallet",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="provider_accounts",
                to="wallets.wallet",
            ),
        ),
        migrations.AddIndex(
            model_name="balancesnapshot",
            index=models.Index(models.F("wallet"), models.F("id"), name="wallets_snapshot_newest"),
        ),
        migrations.AddConstraint(
            model_name="balancesnapshot",
            constraint=models.UniqueConstraint(
                models.F("created_by"), models.F("idempotency_key"), name="wallets_snapshot_key_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="balancesnapshot",
            constraint=models.UniqueConstraint(
                models.F("provider"), models.F("external_balance_id"), name="wallets_snapshot_reading_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="balancesnapshot",
            constraint=models.UniqueConstraint(
                models.F("wallet"), models.F("as_of"), name="wallets_snapshot_moment_once"
            ),
        ),
        migrations.AddIndex(
            model_name="driftalert",
            index=models.Index(
                models.F("opened_at"),
                condition=models.Q(("mailed_at__isnull", True)),
                name="wallets_drift_alert_unmailed",
            ),
        ),
        migrations.AddConstraint(
            model_name="driftalert",
            constraint=models.UniqueConstraint(
                models.F("provider"),
                models.F("external_account_id"),
                models.F("currency"),
                condition=models.Q(("closed_at__isnull", True)),
                name="wallets_drift_alert_one_open",
            ),
        ),
        migrations.AddIndex(
            model_name="provideraccount",
            index=models.Index(models.F("next_at"), name="wallets_provider_account_due"),
        ),
        migrations.AddConstraint(
            model_name="provideraccount",
            constraint=models.UniqueConstraint(
                models.F("wallet"), models.F("provider"), name="wallets_provider_account_once"
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
    ]
