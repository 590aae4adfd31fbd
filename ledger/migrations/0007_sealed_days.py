"""Closed days are sealed, in order: their balances are kept, and a hash over everything that was written on them.

PostgreSQL computes the balances of a day itself, for the application's role may not write them. Until a day is sealed,
what an unfinished try has left of it can be forgotten; from then on nothing of it changes.
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

TURN = """
CREATE FUNCTION ledger_check_turn(p_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first_open date := (SELECT opens FROM public.ledger_boundary);
    next_day date := (SELECT max(day) + 1 FROM public.ledger_seal);
    midnight timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF (p_day < first_open) IS NOT TRUE THEN
        RAISE EXCEPTION 'ledger law 7: % isn''t closed, so that it can''t be sealed', p_day
            USING ERRCODE = 'restrict_violation';
    ELSIF p_day <> next_day THEN
        RAISE EXCEPTION 'ledger law 7: days are sealed in order; it is the turn of %, not of %', next_day, p_day
            USING ERRCODE = 'restrict_violation';
    ELSIF next_day IS NULL AND EXISTS (
        SELECT FROM public.ledger_transaction
        WHERE posted_at < midnight OR (effective_at < midnight AND effective_at < posted_at)) THEN
        RAISE EXCEPTION 'ledger law 7: % isn''t the first day with transactions, where the seals begin', p_day
            USING ERRCODE = 'restrict_violation';
    END IF;
END $$;

CREATE FUNCTION ledger_check_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM public.ledger_check_turn(NEW.day);
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_seal_laws BEFORE INSERT ON ledger_seal FOR EACH ROW EXECUTE FUNCTION ledger_check_seal();
CREATE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
"""

SEALED = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER {table}_grows_until_sealed AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_unsealed();
CREATE TRIGGER {table}_stays_when_sealed AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_unsealed();
"""

UNSEALED = """
CREATE FUNCTION ledger_check_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sealed date;
BEGIN
    SELECT s.day INTO sealed FROM changed JOIN public.ledger_seal s ON s.day = changed.day LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger law 7: % is sealed, so that nothing of it changes in %', sealed, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
"""

# A transaction is of the day on which it takes effect: the one it was posted on, unless it is dated back. A day's rows are
# found by their ranges of pages, whatever the planner makes of a LIMIT.
BEGIN_SEAL = """
CREATE FUNCTION ledger_check_whole(since timestamptz, until timestamptz) RETURNS void LANGUAGE plpgsql
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
DECLARE
    culprit text;
BEGIN
    SELECT min(coalesce(t.id, e.transaction_id)::text) INTO culprit
    FROM (
        SELECT id, posted_at FROM public.ledger_transaction WHERE posted_at >= since AND posted_at < until
    ) AS t
    FULL JOIN (
        SELECT transaction_id, min(posted_at) AS first, max(posted_at) AS last
        FROM public.ledger_entry WHERE posted_at >= since AND posted_at < until GROUP BY transaction_id
    ) AS e ON e.transaction_id = t.id
    WHERE (t.posted_at = e.first AND t.posted_at = e.last) IS NOT TRUE;
    IF culprit IS NOT NULL THEN
        RAISE EXCEPTION 'ledger law 1: transaction % is not whole, so that its day can''t be sealed', culprit
            USING ERRCODE = 'check_violation';
    END IF;
END $$;

CREATE FUNCTION ledger_begin_seal(p_day date) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
DECLARE
    since timestamptz := p_day::timestamp AT TIME ZONE 'UTC';
    until timestamptz := (p_day + 1)::timestamp AT TIME ZONE 'UTC';
BEGIN
    PERFORM public.ledger_check_turn(p_day);
    PERFORM public.ledger_check_whole(since, until);
    DELETE FROM public.ledger_sealedrows WHERE day = p_day;
    DELETE FROM public.ledger_daybalance WHERE day = p_day;
    INSERT INTO public.ledger_daybalance (account_id, day, debits, credits, balance)
    SELECT moved.account_id, p_day, moved.debits, moved.credits,
           coalesce(before.balance, 0) + moved.debits - moved.credits
    FROM (
        SELECT account_id, sum(greatest(amount, 0))::bigint AS debits, sum(greatest(-amount, 0))::bigint AS credits
        FROM (
            SELECT e.account_id, e.amount FROM public.ledger_entry e
            WHERE e.posted_at >= since AND e.posted_at < until AND NOT EXISTS (
                SELECT FROM public.ledger_transaction t
                WHERE t.id = e.transaction_id AND t.effective_at < since AND t.posted_at >= since AND t.posted_at < until)
            UNION ALL
            SELECT e.account_id, e.amount
            FROM public.ledger_transaction t JOIN public.ledger_entry e ON e.transaction_id = t.id
            WHERE t.effective_at >= since AND t.effective_at < until AND t.effective_at < t.posted_at
              AND t.posted_at >= until
        ) AS of_the_day
        GROUP BY account_id
    ) AS moved
    LEFT JOIN LATERAL (
        SELECT d.balance FROM public.ledger_daybalance d
        WHERE d.account_id = moved.account_id AND d.day < p_day ORDER BY d.day DESC LIMIT 1
    ) AS before ON true;
END $$;
"""

UNDO = """
DROP FUNCTION ledger_begin_seal, ledger_check_whole, ledger_check_unsealed, ledger_check_seal, ledger_check_turn CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_closed_days")]

    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                (
                    "parts",
                    models.JSONField(
                        help_text="Of each sealed table, how many rows it has of the day, and their SHA-256."
                    ),
                ),
                ("seal", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
                ("sealed_by", models.CharField(max_length=120)),
            ],
            options={"permissions": [("close_period", "Can close days of the books")]},
        ),
        migrations.CreateModel(
            name="SealedRows",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "part", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("part", models.CharField(max_length=32)),
                ("number", models.IntegerField()),
                ("leaves", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="DayBalance",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("debits", models.BigIntegerField()),
                ("credits", models.BigIntegerField()),
                ("balance", models.BigIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="days",
                        to="ledger.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["day"], name="ledger_daybalance_by_day"
                    )
                ],
            },
        ),
        migrations.RunSQL(
            TURN
            + UNSEALED
            + SEALED.format(table="ledger_daybalance")
            + SEALED.format(table="ledger_sealedrows")
            + BEGIN_SEAL,
            UNDO,
        ),
    ]
