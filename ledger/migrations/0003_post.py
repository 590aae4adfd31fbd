"""One call for one posting: lock, decide and write without a second round trip.

It answers with the lanes as they are afterwards, or with nothing where the posting doesn't plainly fit: then nothing
was written, the lanes are locked, and `ledger.posting` takes the longer way, which refuses with a reason or frees
expired holds first. So this function decides nothing that `ledger.decision` doesn't, and the laws bind both. Its
legs are of different lanes. Left alone, PostgreSQL would plan for the arrays of each call anew, which costs more than
the posting.
"""

from django.db import migrations

POST = """
CREATE FUNCTION ledger_post(
    posting uuid, kind text, reference text, external_reference text, description text, metadata jsonb,
    reverses uuid, effective_at timestamptz, now timestamptz, accounts uuid[], lanes smallint[], amounts bigint[]
) RETURNS TABLE (
    account_id uuid, lane smallint, currency varchar, sign smallint, floor bigint, balance bigint, version bigint,
    held bigint, pending bigint, posted_at timestamptz
) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz;
BEGIN
    WITH locked AS MATERIALIZED (
        SELECT b.*, l.amount
        FROM unnest(accounts, lanes, amounts) AS l (account_id, lane, amount)
        JOIN ledger_balance b ON b.account_id = l.account_id AND b.lane = l.lane
        ORDER BY b.account_id, b.lane FOR NO KEY UPDATE OF b
    )
    SELECT greatest(now, max(posted_at)) INTO moment FROM locked
    HAVING count(*) = cardinality(accounts) AND min(currency) = max(currency)
        AND bool_and(abs(balance + amount) <= 9000000000000000)
        AND bool_and(floor IS NULL OR sign * (balance + amount) - held - pending >= floor)
        AND bool_and(CASE WHEN held + pending = 0 THEN true ELSE NOT EXISTS (
            SELECT FROM ledger_hold h
            WHERE h.account_id = locked.account_id AND h.status = 'open' AND h.expires_at <= now) END);
    IF moment IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH written AS (
        INSERT INTO ledger_transaction (id, kind, reference, external_reference, description, metadata, reverses_id,
                                        effective_at, posted_at)
        VALUES (posting, kind, reference, external_reference, description, metadata, reverses,
                coalesce(effective_at, moment), moment)
    ), moved AS (
        UPDATE ledger_balance b
        SET balance = b.balance + l.amount, version = b.version + 1, posted_at = moment
        FROM unnest(accounts, lanes, amounts) WITH ORDINALITY AS l (account_id, lane, amount, leg)
        WHERE b.account_id = l.account_id AND b.lane = l.lane
        RETURNING b.*, l.amount, l.leg
    ), entered AS (
        INSERT INTO ledger_entry (account_id, lane, version, transaction_id, leg, amount, balance, posted_at)
        SELECT account_id, lane, version, posting, leg, amount, balance, moment FROM moved
    )
    SELECT account_id, lane, currency, sign, floor, balance, version, held, pending, posted_at FROM moved;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_laws")]

    operations = [migrations.RunSQL(POST, "DROP FUNCTION ledger_post")]
