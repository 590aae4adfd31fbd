"""Keys of events that are all new, as they mostly are, claimed by a plain insert: it looks each up once, not twice, and
writes one record of it. Where one of them is known, none is claimed.
"""

from django.db import migrations

CLAIM = """
CREATE FUNCTION wallets_claim_new_events(keys uuid[], contents uuid[], moment timestamptz) RETURNS boolean
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.wallets_usageeventkey (key, content, received_at)
    SELECT a.key, a.content, moment FROM unnest(keys, contents) AS a (key, content) ORDER BY a.key;
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    RETURN false;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0027_transfers_taken_back")]

    operations = [migrations.RunSQL(CLAIM, "DROP FUNCTION wallets_claim_new_events")]
