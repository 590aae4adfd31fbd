"""The audit trail is append-only, for everybody: the trigger refuses what a role could still be granted."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION users_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is never changed, so % is refused; record another event instead', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER users_auditevent_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON users_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION users_refuse_change();
"""

ALLOW = """
DROP TRIGGER users_auditevent_append_only ON users_auditevent;
DROP FUNCTION users_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("users", "0001_initial")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
