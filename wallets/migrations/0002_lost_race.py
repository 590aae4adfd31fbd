"""What a statement calls that finds that it lost a race: PostgreSQL undoes all of it, and `ledger.durable` comes again.

So the statement needs no second one to look at its result, and can be sent without waiting for it.
"""

from django.db import migrations

LOST_RACE = """
CREATE FUNCTION wallets_lost_race() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was read before the locks were taken is no longer so' USING ERRCODE = 'serialization_failure';
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0001_initial")]

    operations = [migrations.RunSQL(LOST_RACE, "DROP FUNCTION wallets_lost_race")]
