"""The version a lane had at a moment. An entry's posted_at never falls below the one before it (law 3), so halving
the versions finds it in a score of probes of the primary key, and no index on time has to be kept.
"""

from django.db import migrations

VERSION_AT = """
CREATE FUNCTION ledger_version_at(p_account uuid, p_lane smallint, p_version bigint, p_moment timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    low bigint := 0;
    high bigint := p_version;
    middle bigint;
    posted timestamptz;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        SELECT posted_at INTO posted FROM ledger_entry
            WHERE account_id = p_account AND lane = p_lane AND version = middle;
        IF posted <= p_moment THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_post")]

    operations = [migrations.RunSQL(VERSION_AT, "DROP FUNCTION ledger_version_at")]
