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
