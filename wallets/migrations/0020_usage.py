"""Metered usage: events, months, settlements. All tables are new: nothing waits for a lock."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

# `written_by` is for who follows the table: below the oldest transaction that runs, no more rows will come.
EVENTS = """
CREATE TABLE wallets_usageevent (
    received_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    written_by bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    key uuid NOT NULL,
    wallet_id uuid NOT NULL,
    meter_id uuid NOT NULL,
    quantity numeric(24, 9) NOT NULL,
    source varchar(200) NOT NULL,
    event_id varchar(200) NOT NULL,
    properties jsonb NOT NULL
) PARTITION BY RANGE (received_at);
CREATE INDEX wallets_usage_event_of_wallet ON wallets_usageevent (wallet_id, occurred_at);
CREATE INDEX wallets_usage_event_feed ON wallets_usageevent USING brin (written_by) WITH (pages_per_range = 16);
CREATE TABLE wallets_usageevent_default PARTITION OF wallets_usageevent DEFAULT;
"""
NO_EVENTS = "DROP TABLE wallets_usageevent"

# The application owns no table, so that it can't make or drop one: these do it in its stead, and nothing else. What came
# to the default partition meanwhile is moved. Attaching doesn't keep anybody from adding events to other days.
PARTITIONS = """
CREATE FUNCTION wallets_make_usage_partitions(first date, days integer) RETURNS integer LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made integer := 0;
    day date;
    name text;
    since timestamptz;
    until timestamptz;
BEGIN
    IF days NOT BETWEEN 1 AND 100 THEN
        RAISE EXCEPTION 'between 1 and 100 days are made at a time, not %', days USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(2, 1);
    FOR day IN SELECT first + number FROM generate_series(0, days - 1) AS number LOOP
        name := 'wallets_usageevent_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        since := day::timestamp AT TIME ZONE 'UTC';
        until := (day + 1)::timestamp AT TIME ZONE 'UTC';
        LOCK TABLE public.wallets_usageevent_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.wallets_usageevent INCLUDING DEFAULTS)', name);
        EXECUTE format('WITH moved AS (DELETE FROM public.wallets_usageevent_default'
            ' WHERE received_at >= %L AND received_at < %L RETURNING *) INSERT INTO public.%I SELECT * FROM moved',
            since, until, name);
        EXECUTE format('ALTER TABLE public.wallets_usageevent ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
            name, since, until);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION wallets_drop_usage_partitions(before date) RETURNS integer LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dropped integer := 0;
    name text;
BEGIN
    IF before > current_date - 7 THEN
        RAISE EXCEPTION 'events are kept for a week at least' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(2, 1);
    FOR name IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.wallets_usageevent'::regclass AND c.relname ~ '^wallets_usageevent_[0-9]{8}$'
            AND to_date(right(c.relname, 8), 'YYYYMMDD') < before ORDER BY 1 LOOP
        EXECUTE format('DROP TABLE public.%I', name);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM public.wallets_usageevent_default WHERE received_at < before::timestamp AT TIME ZONE 'UTC';
    RETURN dropped;
END $$;

REVOKE ALL ON FUNCTION wallets_make_usage_partitions, wallets_drop_usage_partitions FROM PUBLIC;
"""

# A new installation has its first days at once.
FIRST_DAYS = "SELECT wallets_make_usage_partitions((now() AT TIME ZONE 'UTC')::date, 8)"

APPEND_ONLY = """
CREATE TRIGGER wallets_usageevent_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallets_usageevent
    FOR EACH STATEMENT EXECUTE FUNCTION wallets_refuse_change();
CREATE TRIGGER wallets_usagesettlement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallets_usagesettlement
    FOR EACH STATEMENT EXECUTE FUNCTION wallets_refuse_change();
"""

# Rows that are changed again and again find room beside themselves.
STORAGE = """
ALTER TABLE wallets_usageaccount SET (fillfactor = 60);
ALTER TABLE wallets_usagemonth SET (fillfactor = 60);
ALTER TABLE wallets_usagerollup SET (fillfactor = 80);
"""

UNDO = """
DROP FUNCTION wallets_make_usage_partitions, wallets_drop_usage_partitions;
DROP TRIGGER wallets_usagesettlement_append_only ON wallets_usagesettlement;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0009_found_by_external_reference"),
        ("wallets", "0019_backups"),
    ]

    operations = [
        migrations.CreateModel(
            name="UsageImport",
            fields=[
                (
                    "digest",
                    models.CharField(
                        help_text="SHA-256 of its size and first megabyte.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("file_name", models.CharField(max_length=255)),
                ("offset", models.BigIntegerField(default=0, help_text="Bytes of the file that are done.")),
                (
                    "outcomes",
                    models.JSONField(default=dict, help_text="How many events were taken, and how many weren't."),
                ),
                ("started_at", models.DateTimeField()),
                ("moved_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Meter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "slug",
                    models.CharField(
                        help_text="What events name it by, such as api-calls.", max_length=64, unique=True
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                (
                    "unit",
                    models.CharField(
                        help_text="What one of the quantity is called, such as call or GB.", max_length=32
                    ),
                ),
                (
                    "aggregation",
                    models.CharField(
                        choices=[
                            ("sum", "The sum of the quantities"),
                            ("count", "How many events there are"),
                            ("max", "The largest quantity"),
                            ("unique", "How many different values a property has"),
                            ("latest", "The quantity of the latest event"),
                        ],
                        max_length=6,
                    ),
                ),
                (
                    "property",
                    models.CharField(blank=True, default="", help_text="Whose values are counted.", max_length=64),
                ),
                ("is_active", models.BooleanField(default=True, help_text="One that isn't takes no more events.")),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("aggregation", "unique"), models.Q(("property", ""), _negated=True)),
                            models.Q(models.Q(("aggregation", "unique"), _negated=True), ("property", "")),
                            _connector="OR",
                        ),
                        name="wallets_meter_property",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MeterPrice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "model",
                    models.CharField(
                        choices=[
                            ("per_unit", "Per unit"),
                            ("package", "Per package"),
                            ("graduated", "Graduated tiers"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "tiers",
                    models.JSONField(
                        help_text="Prices of a unit in minor units, by how much was used; one if not graduated."
                    ),
                ),
                ("package_size", models.DecimalField(blank=True, decimal_places=9, max_digits=38, null=True)),
                (
                    "allowance",
                    models.DecimalField(
                        decimal_places=9,
                        default=0,
                        help_text="How much of a calendar month (UTC) is free.",
                        max_digits=38,
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("created_by", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField()),
                (
                    "meter",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="prices",
                        to="wallets.meter",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("meter", "currency", "wallet", "starts_at"),
                        name="wallets_meter_price_start",
                        nulls_distinct=False,
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ends_at__isnull", True)),
                        fields=("meter", "currency", "wallet"),
                        name="wallets_meter_price_one_open",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                        ),
                        name="wallets_meter_price_ends",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("model", "package"), ("package_size__gt", 0)),
                            models.Q(models.Q(("model", "package"), _negated=True), ("package_size__isnull", True)),
                            _connector="OR",
                        ),
                        name="wallets_meter_price_package",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("allowance__gte", 0)), name="wallets_meter_price_allowance"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarantinedEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.UUIDField()),
                ("content", models.UUIDField()),
                ("code", models.CharField(help_text="Why it wasn't taken.", max_length=32)),
                ("source", models.CharField(max_length=200)),
                ("event_id", models.CharField(max_length=200)),
                ("wallet", models.UUIDField(help_text="As the event names it: it needn't exist.")),
                ("meter", models.CharField(max_length=64)),
                ("quantity", models.DecimalField(decimal_places=9, max_digits=24)),
                ("occurred_at", models.DateTimeField()),
                ("properties", models.JSONField(default=dict)),
                ("sent_by", models.CharField(max_length=60)),
                ("received_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("admitted", "Admitted"), ("discarded", "Discarded")],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("decided_by", models.CharField(blank=True, default="", max_length=60)),
                ("decided_because", models.CharField(blank=True, default="", max_length=500)),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "permissions": [("decide_quarantined", "Can say what becomes of events that weren't taken")],
                "indexes": [
                    models.Index(models.F("id"), condition=models.Q(("state", "open")), name="wallets_quarantined_open")
                ],
                "constraints": [
                    models.UniqueConstraint(models.F("key"), models.F("content"), name="wallets_quarantined_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageAccount",
            fields=[
                (
                    "wallet",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="usage",
                        serialize=False,
                        to="wallets.wallet",
                    ),
                ),
                ("rated", models.DecimalField(decimal_places=6, default=0, max_digits=38)),
                ("posted", models.BigIntegerField(default=0, help_text="What settlements came to, in minor units.")),
                ("version", models.BigIntegerField(default=0, help_text="Counts the changes.")),
                (
                    "revised",
                    models.BigIntegerField(default=0, help_text="The version that last changed minutes gone by."),
                ),
                ("opened_at", models.DateTimeField()),
                ("watermark", models.DateTimeField(help_text="When events were last taken.")),
                (
                    "overage",
                    models.CharField(
                        choices=[
                            ("stop", "Wait for money; nothing is allowed meanwhile"),
                            ("overdraft", "Overdraw the wallet to its credit limit"),
                            ("bill", "Bill what the wallet can't cover"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "low_mark",
                    models.BigIntegerField(default=0, help_text="Below it usage is settled at once, in minor units."),
                ),
                ("settle_at", models.DateTimeField(null=True)),
                (
                    "tries",
                    models.SmallIntegerField(
                        default=0, help_text="How often the wallet couldn't cover it since it last did."
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("settle_at"),
                        condition=models.Q(("settle_at__isnull", False)),
                        name="wallets_usage_account_due",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageEventKey",
            fields=[
                ("key", models.UUIDField(primary_key=True, serialize=False)),
                ("content", models.UUIDField()),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        models.F("received_at"), name="wallets_usage_key_received"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageMonth",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id",
                        "month",
                        "meter_id",
                        "price_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.DateField()),
                ("quantity", models.DecimalField(decimal_places=9, max_digits=38)),
                ("events", models.BigIntegerField()),
                ("latest_at", models.DateTimeField(help_text="When the latest event occurred.")),
                ("amount", models.DecimalField(decimal_places=6, max_digits=38)),
                ("settled_quantity", models.DecimalField(decimal_places=9, default=0, max_digits=38)),
                ("settled_amount", models.DecimalField(decimal_places=6, default=0, max_digits=38)),
                (
                    "meter",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.meter",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.meterprice",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UsageRecalculation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("since", models.DateField(help_text="The first month.")),
                ("until", models.DateField(help_text="The last month.")),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("finished", "Finished"), ("stopped", "Stopped")],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("reached", models.UUIDField(help_text="The last wallet that is done.", null=True)),
                ("wallets_total", models.BigIntegerField()),
                ("wallets_done", models.BigIntegerField(default=0)),
                ("events", models.BigIntegerField(default=0)),
                ("differences", models.BigIntegerField(default=0)),
                ("started_by", models.CharField(max_length=60)),
                ("started_at", models.DateTimeField()),
                (
                    "next_at",
                    models.DateTimeField(
                        help_text="When a worker shall go on with it; null once it has ended.", null=True
                    ),
                ),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "only",
                    models.ForeignKey(
                        help_text="Null: all wallets.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "permissions": [("run_usage_recalculation", "Can have usage counted again from raw events")],
                "indexes": [
                    models.Index(
                        models.F("next_at"),
                        condition=models.Q(("next_at__isnull", False)),
                        name="wallets_recalculation_due",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageReservation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="In minor units.")),
                ("currency", models.CharField(max_length=3)),
                ("quantity", models.DecimalField(decimal_places=9, max_digits=38, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("captured", "Captured"), ("released", "Released")],
                        default="open",
                        max_length=8,
                    ),
                ),
                ("captured", models.BigIntegerField(default=0)),
                ("expires_at", models.DateTimeField()),
                ("created_by", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "hold",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.hold",
                    ),
                ),
                (
                    "meter",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.meter",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.transaction",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("captured__gte", 0), ("captured__lte", models.F("amount"))),
                        name="wallets_usage_reservation_captured",
                    ),
                ],
                "indexes": [
                    models.Index(models.F("wallet"), models.F("id"), name="wallets_reservation_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageRollup",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id",
                        "at",
                        "meter_id",
                        "price_id",
                        "grain",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("grain", models.IntegerField(choices=[(60, "Minute"), (3600, "Hour"), (86400, "Day")])),
                ("quantity", models.DecimalField(decimal_places=9, max_digits=38)),
                ("events", models.BigIntegerField()),
                ("latest_at", models.DateTimeField(help_text="When the latest event occurred.")),
                (
                    "meter",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="wallets.meter",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="wallets.meterprice",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        models.F("at"), name="wallets_usage_rollup_at", pages_per_range=32
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageSettlement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("billed", models.BigIntegerField(default=0)),
                (
                    "unsettled",
                    models.DecimalField(decimal_places=6, help_text="What is left, and carried on.", max_digits=38),
                ),
                ("lines", models.JSONField()),
                (
                    "reason",
                    models.CharField(
                        blank=True, default="", help_text="Why, where it is a correction.", max_length=500
                    ),
                ),
                ("made_by", models.CharField(max_length=60)),
                ("made_at", models.DateTimeField()),
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.transaction",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="wallets_settlement_amount"
                    ),
                ],
                "indexes": [
                    models.Index(models.F("wallet"), models.F("id"), name="wallets_settlement_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageDifference",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("month", models.DateField()),
                ("quantity", models.DecimalField(decimal_places=9, help_text="What stands there.", max_digits=38)),
                ("amount", models.DecimalField(decimal_places=6, max_digits=38)),
                (
                    "counted_quantity",
                    models.DecimalField(decimal_places=9, help_text="What the raw events come to.", max_digits=38),
                ),
                ("counted_amount", models.DecimalField(decimal_places=6, max_digits=38)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("repaired", "Repaired"), ("dismissed", "Dismissed")],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("decided_by", models.CharField(blank=True, default="", max_length=60)),
                ("decided_because", models.CharField(blank=True, default="", max_length=500)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "meter",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.meter",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.meterprice",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
                (
                    "recalculation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="found",
                        to="wallets.usagerecalculation",
                    ),
                ),
                (
                    "settlement",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.usagesettlement",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("wallet"),
                        models.F("id"),
                        condition=models.Q(("state", "open")),
                        name="wallets_difference_open",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsageValue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "wallet_id",
                        "meter_id",
                        "month",
                        "value",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.DateField()),
                ("value", models.UUIDField(help_text="A hash of it.")),
                ("first_at", models.DateTimeField(help_text="When it occurred first.")),
                (
                    "meter",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="wallets.meter",
                    ),
                ),
                (
                    "wallet",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="wallets.wallet",
                    ),
                ),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="UsageEvent",
                    fields=[
                        ("key", models.UUIDField(primary_key=True, serialize=False)),
                        ("source", models.CharField(max_length=200)),
                        ("event_id", models.CharField(max_length=200)),
                        ("quantity", models.DecimalField(decimal_places=9, max_digits=24)),
                        ("occurred_at", models.DateTimeField()),
                        ("received_at", models.DateTimeField()),
                        ("properties", models.JSONField(default=dict)),
                        (
                            "meter",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="wallets.meter",
                            ),
                        ),
                        (
                            "wallet",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="wallets.wallet",
                            ),
                        ),
                    ],
                ),
                migrations.AddIndex(
                    model_name="usageevent",
                    index=models.Index(
                        models.F("wallet"), models.F("occurred_at"), name="wallets_usage_event_of_wallet"
                    ),
                ),
            ],
            database_operations=[migrations.RunSQL(EVENTS, NO_EVENTS)],
        ),
        migrations.RunSQL(PARTITIONS + APPEND_ONLY + STORAGE, UNDO),
        migrations.RunSQL(FIRST_DAYS, migrations.RunSQL.noop),
    ]
