"""A batch's transfers are written before the books are locked; the few that these refuse are taken back.

The application may delete no transfer. A function does it in its stead, for what says that it was made and wasn't; and
so that nothing else can be made to say so, a transfer that waits completes only with its transaction.
"""

import django.db.models.deletion
from django.db import migrations, models

TAKE_BACK = """
CREATE FUNCTION wallets_take_back_transfers(ids uuid[]) RETURNS void LANGUAGE sql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM public.wallets_transfer m WHERE m.id = ANY (ids) AND m.status = 'completed'
        AND NOT EXISTS (SELECT FROM public.ledger_transaction t WHERE t.id = m.id)
$$;

REVOKE ALL ON FUNCTION wallets_take_back_transfers FROM PUBLIC;
"""
COMPLETES = """
CREATE FUNCTION wallets_check_completed_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.ledger_transaction WHERE id = NEW.id) THEN
        RAISE EXCEPTION 'transfer % completes only with its transaction, which the books don''t have', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER wallets_transfer_completes BEFORE UPDATE OF status ON wallets_transfer FOR EACH ROW
    WHEN (NEW.status = 'completed' AND OLD.status <> 'completed') EXECUTE FUNCTION wallets_check_completed_transfer();
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0026_usage_feed_index"), ("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(TAKE_BACK, "DROP FUNCTION wallets_take_back_transfers"),
        migrations.RunSQL(COMPLETES, "DROP FUNCTION wallets_check_completed_transfer CASCADE"),
        # Each that is taken back would be looked for among all attempts.
        migrations.AlterField(
            model_name="automatictopupattempt",
            name="transfer",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="wallets.transfer"
            ),
        ),
    ]
