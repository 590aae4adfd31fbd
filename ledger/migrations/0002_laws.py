"""The laws of the books, kept by PostgreSQL itself whatever Python believes.

1. The entries of a transaction sum to zero in each currency; an entry's currency is its account's, by construction.
2. Transactions and entries are append-only, for everybody.
3. The versions of a lane have no gap, each entry's balance is the one before plus its amount, and the balance kept
   beside them is the last entry's.
4. A balance less its holds isn't below its floor (a CHECK of ledger_balance), and what is held is what the open
   holds say: a trigger moves it, and the application's role has no other way to.
5. A reference names one transaction for ever (a UNIQUE constraint).
6. Amounts stay within ±10^15 a transaction and ±9·10^15 a balance (CHECKs, and law 1's query).

The checks of laws 1 and 3 are triggers on the statement, with the new rows as a table: one query for a batch of
thousands, where a trigger on each row would cost more than the posting. Their plans are cached, so they must be good
for one row and for ten thousand, whatever the statistics were when they were made: each row is looked up by itself
(LATERAL with LIMIT can't become another kind of join) and by an index (seqscan off).

Tables are named with their schema: else a temporary table of the same name would be believed in their place.
"""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger law 2: % is never changed, so % is refused; post a reversal instead', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_balance_stays BEFORE DELETE OR TRUNCATE ON ledger_balance
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_hold_stays BEFORE DELETE OR TRUNCATE ON ledger_hold
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_account_stays BEFORE DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_account_keeps_its_kind BEFORE UPDATE OF id, code, type, currency ON ledger_account FOR EACH ROW
    WHEN ((OLD.id, OLD.code, OLD.type, OLD.currency) IS DISTINCT FROM (NEW.id, NEW.code, NEW.type, NEW.currency))
    EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_balance_keeps_its_kind BEFORE UPDATE OF account_id, lane, currency, sign ON ledger_balance
    FOR EACH ROW
    WHEN ((OLD.account_id, OLD.lane, OLD.currency, OLD.sign) IS DISTINCT FROM
          (NEW.account_id, NEW.lane, NEW.currency, NEW.sign))
    EXECUTE FUNCTION ledger_refuse_change();
"""

LANES = """
CREATE FUNCTION ledger_open_lane() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT currency, CASE WHEN type IN ('asset', 'expense') THEN 1 ELSE -1 END
        INTO NEW.currency, NEW.sign FROM public.ledger_account WHERE id = NEW.account_id;
    IF (NEW.balance, NEW.version, NEW.held, NEW.pending) <> (0, 0, 0, 0) THEN
        RAISE EXCEPTION 'ledger law 3: a lane opens empty; post a transaction to fill it'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_balance_opens BEFORE INSERT ON ledger_balance
    FOR EACH ROW EXECUTE FUNCTION ledger_open_lane();
"""

# int8pl refuses to overflow, and unlike sum(bigint) it doesn't leave the 64 bits: half the cost of the check.
SUM = """
CREATE AGGREGATE ledger_sum(bigint) (SFUNC = int8pl, STYPE = bigint, INITCOND = '0');
"""

# The first query passes what is plainly lawful, nearly everything, in one look at each entry's lane and predecessor.
# What it doesn't pass (two currencies, or a broken law) goes before the two that judge exactly and say what is wrong.
# That the lane's balance is its last entry's is the business of the trigger on balances; here, that it was moved.
ENTRIES = """
CREATE FUNCTION ledger_check_entries() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    culprit text;
BEGIN
    PERFORM FROM fresh f
    LEFT JOIN LATERAL (
        SELECT currency, version FROM public.ledger_balance
        WHERE account_id = f.account_id AND lane = f.lane LIMIT 1
    ) AS b ON true
    LEFT JOIN LATERAL (
        SELECT balance, posted_at FROM public.ledger_entry
        WHERE account_id = f.account_id AND lane = f.lane AND version = f.version - 1 LIMIT 1
    ) AS before ON true
    GROUP BY f.transaction_id
    HAVING (min(f.leg) = 1 AND max(f.leg) = count(*) AND min(b.currency) = max(b.currency)
        AND public.ledger_sum(f.amount) = 0 AND public.ledger_sum(greatest(f.amount, 0)) <= 1000000000000000
        AND bool_and((f.version <= b.version AND f.balance = coalesce(before.balance, 0) + f.amount
                      AND (f.version = 1 OR before.posted_at <= f.posted_at)) IS TRUE)) IS NOT TRUE
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    SELECT transaction_id INTO culprit
    FROM (
        SELECT f.transaction_id, b.currency, count(*) AS legs, min(f.leg) AS first, max(f.leg) AS last,
               sum(f.amount) AS total, sum(greatest(f.amount, 0)) AS debits
        FROM fresh f LEFT JOIN LATERAL (
            SELECT currency FROM public.ledger_balance WHERE account_id = f.account_id AND lane = f.lane LIMIT 1
        ) AS b ON true
        GROUP BY f.transaction_id, b.currency
    ) AS part
    GROUP BY transaction_id
    HAVING bool_or(currency IS NULL) OR bool_or(total <> 0) OR sum(debits) > 1000000000000000
        OR sum(legs) < 2 OR min(first) <> 1 OR max(last) <> sum(legs)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger law 1: transaction % does not balance, names an unknown lane, or is not whole', culprit
            USING ERRCODE = 'check_violation';
    END IF;

    SELECT format('%s lane %s version %s', f.account_id, f.lane, f.version) INTO culprit
    FROM fresh f
    LEFT JOIN LATERAL (
        SELECT version FROM public.ledger_balance WHERE account_id = f.account_id AND lane = f.lane LIMIT 1
    ) AS b ON true
    LEFT JOIN LATERAL (
        SELECT balance, posted_at FROM public.ledger_entry
        WHERE account_id = f.account_id AND lane = f.lane AND version = f.version - 1 LIMIT 1
    ) AS before ON true
    WHERE (f.version <= b.version AND f.balance = coalesce(before.balance, 0) + f.amount
           AND (f.version = 1 OR before.posted_at <= f.posted_at)) IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger law 3: the entry of account % does not follow the one before it', culprit
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_entry_laws AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_entries();
"""

BALANCES = """
CREATE FUNCTION ledger_check_balances() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    culprit text;
BEGIN
    SELECT format('%s lane %s', m.account_id, m.lane) INTO culprit
    FROM moved m LEFT JOIN LATERAL (
        SELECT e.version, e.balance FROM public.ledger_entry e
        WHERE e.account_id = m.account_id AND e.lane = m.lane ORDER BY e.version DESC LIMIT 1
    ) AS last ON true
    WHERE m.version <> coalesce(last.version, 0) OR m.balance <> coalesce(last.balance, 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger law 3: the balance of account % is not what its last entry says', culprit
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_balance_laws AFTER UPDATE ON ledger_balance REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_balances();
"""

HOLDS = """
CREATE FUNCTION ledger_move_reserved() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    change bigint := CASE WHEN NEW.status = 'open' THEN NEW.amount ELSE 0 END;
BEGIN
    IF TG_OP = 'INSERT' AND NEW.status <> 'open' THEN
        RAISE EXCEPTION 'ledger law 4: a hold is placed open' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.status <> 'open' OR
           (OLD.id, OLD.account_id, OLD.kind, OLD.reference, OLD.amount, OLD.expires_at, OLD.placed_at) IS DISTINCT FROM
           (NEW.id, NEW.account_id, NEW.kind, NEW.reference, NEW.amount, NEW.expires_at, NEW.placed_at) THEN
            RAISE EXCEPTION 'ledger law 4: hold % is closed once and changed in nothing else', OLD.id
                USING ERRCODE = 'restrict_violation';
        END IF;
        change := change - OLD.amount;
    END IF;
    UPDATE public.ledger_balance
        SET held = held + CASE WHEN NEW.kind = 'held' THEN change ELSE 0 END,
            pending = pending + CASE WHEN NEW.kind = 'pending' THEN change ELSE 0 END
        WHERE account_id = NEW.account_id AND lane = 0;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'ledger law 4: account % has no lane to hold on', NEW.account_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_hold_laws AFTER INSERT OR UPDATE ON ledger_hold
    FOR EACH ROW EXECUTE FUNCTION ledger_move_reserved();
"""

STORAGE = """
ALTER TABLE ledger_balance SET (fillfactor = 60);
"""

UNDO = """
DROP FUNCTION ledger_refuse_change, ledger_open_lane, ledger_check_entries, ledger_check_balances,
    ledger_move_reserved CASCADE;
DROP AGGREGATE ledger_sum(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY + LANES + SUM + ENTRIES + BALANCES + HOLDS + STORAGE, UNDO),
    ]
