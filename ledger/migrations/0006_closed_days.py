"""Law 7: what is closed stays as it is.

The books are open from a day on, which one row says. It only moves forward, by whole days (in UTC) that are over.
Nothing is posted before it: no transaction is effective there, and no entry posted. A transaction takes effect when it
is posted, or earlier, and never later; so what is effective in the open days was posted in them too.

Who posts looks at that row and doesn't lock it, so that one who looked before the boundary moved may commit after it.
`ledger.closing`, when it has moved the boundary, waits for everybody who was writing then; who begins to write later
sees the boundary, because at READ COMMITTED each query of a trigger has a snapshot of its own. Under an older snapshot
it might not: there nothing is posted.
"""

import django.contrib.postgres.indexes
from django.db import migrations, models

BOUNDARY = """
INSERT INTO ledger_boundary (id, moved_by) VALUES (1, '');

CREATE FUNCTION ledger_check_boundary() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.opens > coalesce(OLD.opens, '-infinity') AND NEW.opens <= (clock_timestamp() AT TIME ZONE 'UTC')::date)
        IS NOT TRUE THEN
        RAISE EXCEPTION 'ledger law 7: the boundary moves forward, over days that have ended; from % it can''t go to %',
            coalesce(OLD.opens::text, 'nowhere'), coalesce(NEW.opens::text, 'nowhere')
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_boundary_laws BEFORE UPDATE ON ledger_boundary
    FOR EACH ROW EXECUTE FUNCTION ledger_check_boundary();
CREATE TRIGGER ledger_boundary_stays BEFORE INSERT OR DELETE OR TRUNCATE ON ledger_boundary
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
"""

# As cheap as PL/pgSQL has it: a look at the new rows, and one at a table of one row.
OPEN_DAYS = """
CREATE FUNCTION ledger_check_{table}_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    earliest timestamptz;
    first_day date;
BEGIN
    SELECT min({column}) INTO earliest FROM fresh;
    SELECT opens INTO first_day FROM public.ledger_boundary;
    IF earliest < first_day::timestamp AT TIME ZONE 'UTC' THEN
        RAISE EXCEPTION 'ledger law 7: % is closed, so that no {table} can be {word} then; the first open day is %',
            (earliest AT TIME ZONE 'UTC')::date, first_day
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_open_days', DETAIL = first_day;
    ELSIF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'ledger law 7: post at READ COMMITTED; an older snapshot can''t tell which days are closed'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_{table}_open_days AFTER INSERT ON ledger_{table} REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_{table}_day();
"""

UNDO = """
DROP FUNCTION ledger_check_boundary, ledger_check_transaction_day, ledger_check_entry_day CASCADE;
DROP TRIGGER ledger_boundary_stays ON ledger_boundary;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0005_no_prefix_indexes")]

    operations = [
        migrations.CreateModel(
            name="Boundary",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("opens", models.DateField(help_text="The first open day; null while no day is closed.", null=True)),
                ("moved_at", models.DateTimeField(null=True)),
                (
                    "moved_by",
                    models.CharField(
                        blank=True, default="", help_text="Who closed the days before it.", max_length=120
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "boundary",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="ledger_boundary_one_row"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="transaction",
            constraint=models.CheckConstraint(
                condition=models.Q(("effective_at__lte", models.F("posted_at"))), name="ledger_transaction_effective"
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["posted_at"], name="ledger_entry_by_day"
            ),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["posted_at"], name="ledger_transaction_by_day"
            ),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                models.F("effective_at"),
                condition=models.Q(("effective_at__lt", models.F("posted_at"))),
                name="ledger_transaction_dated_back",
            ),
        ),
        migrations.RunSQL(
            BOUNDARY
            + OPEN_DAYS.format(table="transaction", column="effective_at", word="effective")
            + OPEN_DAYS.format(table="entry", column="posted_at", word="posted"),
            UNDO,
        ),
    ]
