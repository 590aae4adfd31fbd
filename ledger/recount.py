"""Balances counted anew from the entries: what the kept ones must say, and where they say something else."""

# Each account's sealed days as its entries say. They take effect on the day that they were posted on, but for the few
# that are dated back, which are taken off that one.
DAYS = """
SELECT account_id, day, sum(debits)::bigint AS debits, sum(credits)::bigint AS credits,
       sum(sum(debits - credits)) OVER (PARTITION BY account_id ORDER BY day)::bigint AS balance
FROM (
    SELECT account_id, (posted_at AT TIME ZONE 'UTC')::date AS day, sum(greatest(amount, 0)) AS debits,
           sum(greatest(-amount, 0)) AS credits
    FROM ledger_entry GROUP BY 1, 2
    UNION ALL
    SELECT e.account_id, dated.day, sum(dated.sign * greatest(e.amount, 0)), sum(dated.sign * greatest(-e.amount, 0))
    FROM ledger_transaction t
    CROSS JOIN LATERAL (VALUES ((t.posted_at AT TIME ZONE 'UTC')::date, -1),
                               ((t.effective_at AT TIME ZONE 'UTC')::date, 1)) AS dated (day, sign)
    JOIN ledger_entry e ON e.transaction_id = t.id
    WHERE t.effective_at < t.posted_at
    GROUP BY 1, 2
) AS of_days
WHERE day <= (SELECT max(day) FROM ledger_seal)
GROUP BY account_id, day HAVING sum(debits) <> 0 OR sum(credits) <> 0
"""

DIFFERING_DAYS = f"""
SELECT coalesce(kept.account_id, said.account_id) AS account_id, coalesce(kept.day, said.day) AS day,
       kept.debits AS kept_debits, kept.credits AS kept_credits, kept.balance AS kept_balance,
       said.debits, said.credits, said.balance
FROM ledger_daybalance kept FULL JOIN ({DAYS}) AS said ON said.account_id = kept.account_id AND said.day = kept.day
WHERE (kept.debits, kept.credits, kept.balance) IS DISTINCT FROM (said.debits, said.credits, said.balance)
"""

# Lanes that keep something else than their entries and open holds say; and whether the entries say one thing.
DIFFERING_LANES = """
SELECT b.account_id, b.lane, b.version AS kept_version, b.balance AS kept_balance, b.held AS kept_held,
       b.pending AS kept_pending, coalesce(e.entries, 0) AS version, coalesce(e.total, 0) AS balance,
       coalesce(h.held, 0) AS held, coalesce(h.pending, 0) AS pending,
       (e.entries, e.total) IS NOT DISTINCT FROM (newest.version, newest.balance) AS sound
FROM ledger_balance b
LEFT JOIN (
    SELECT account_id, lane, count(*) AS entries, sum(amount)::bigint AS total FROM ledger_entry GROUP BY 1, 2
) AS e ON e.account_id = b.account_id AND e.lane = b.lane
LEFT JOIN LATERAL (
    SELECT version, balance FROM ledger_entry
    WHERE account_id = b.account_id AND lane = b.lane ORDER BY version DESC LIMIT 1
) AS newest ON true
LEFT JOIN (
    SELECT account_id, coalesce(sum(amount) FILTER (WHERE kind = 'held'), 0)::bigint AS held,
           coalesce(sum(amount) FILTER (WHERE kind = 'pending'), 0)::bigint AS pending
    FROM ledger_hold WHERE status = 'open' GROUP BY 1
) AS h ON h.account_id = b.account_id AND b.lane = 0
WHERE (b.version, b.balance, b.held, b.pending)
      <> (coalesce(e.entries, 0), coalesce(e.total, 0), coalesce(h.held, 0), coalesce(h.pending, 0))
"""
