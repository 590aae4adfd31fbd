"""The trail of a closed day takes no more events. Which days are closed isn't known here: who closes them replaces the
function that tells from when on the trail is open, which by itself is for ever.

An event that was let pass before a day was closed may be committed after it, as a posting may: who closes waits.
"""

import django.contrib.postgres.indexes
from django.db import migrations

OPEN_DAYS = """
CREATE FUNCTION users_trail_opens() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT '-infinity'::timestamptz $$;

CREATE FUNCTION users_check_trail_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    earliest timestamptz;
BEGIN
    SELECT min(at) INTO earliest FROM fresh;
    IF earliest < public.users_trail_opens() THEN
        RAISE EXCEPTION 'the trail of % is closed; record the event when it happens', (earliest AT TIME ZONE 'UTC')::date
            USING ERRCODE = 'check_violation';
    ELSIF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'the trail is written at READ COMMITTED; an older snapshot can''t tell which days are closed'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER users_auditevent_open_days AFTER INSERT ON users_auditevent REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION users_check_trail_day();
"""

UNDO = """
DROP FUNCTION users_check_trail_day CASCADE;
DROP FUNCTION users_trail_opens;
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0004_found_by_name")]

    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["at"], name="users_audit_by_day"
            ),
        ),
        migrations.RunSQL(OPEN_DAYS, UNDO),
    ]
