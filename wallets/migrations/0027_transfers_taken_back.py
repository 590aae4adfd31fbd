"""A batch's transfers are written before the books are locked; the few that these refuse are taken back.

The application may delete no transfer. This does it in its stead, for what says that it was made and wasn't.
"""

from django.db import migrations

TAKE_BACK = """
CREATE FUNCTION wallets_take_back_transfers(ids uuid[]) RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM public.wallets_transfer m WHERE m.id = ANY (ids) AND m.status = 'completed'
        AND NOT EXISTS (SELECT FROM public.ledger_transaction t WHERE t.id = m.transaction_id)
$$;

REVOKE ALL ON FUNCTION wallets_take_back_transfers FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0026_usage_feed_index"), ("ledger", "0001_initial")]

    operations = [migrations.RunSQL(TAKE_BACK, "DROP FUNCTION wallets_take_back_transfers")]
