"""Whether the product's rows and the books tell the same story: each movement has its transaction, of the same amount
between the same accounts, and each transaction its movement; what is held is what is asked for; wallets have accounts.

The ledger proves its own laws (`ledger.verify`); these are the facts that it can't know.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ledger import sql, verify


class Fact(NamedTuple):
    """What must be so, in words, and the query that finds where it isn't: one text a row."""

    says: str
    offenders: str


class Finding(NamedTuple):
    """What came of a fact: how many offenders, and the first of them in words."""

    check: Fact
    total: int
    shown: list[str]


# What a transaction moves an account by; NULL where it doesn't touch it.
MOVED = "(SELECT sum(e.amount) FROM ledger_entry e WHERE e.transaction_id = t.id AND e.account_id = {account})"

FACTS = (
    Fact("a wallet has its account, and an account of the wallets its wallet", """
        SELECT format('wallet %s, account %s', w.id, a.code)
        FROM wallets_wallet w
        FULL JOIN (SELECT * FROM ledger_account WHERE code LIKE 'liabilities:wallets:%') AS a ON a.id = w.account_id
        WHERE (a.code = 'liabilities:wallets:' || w.id AND a.currency = w.currency) IS NOT TRUE"""),
    Fact("a closed wallet is empty", """
        SELECT format('wallet %s has a balance of %s, %s held, %s pending', w.id, -b.balance, b.held, b.pending)
        FROM wallets_wallet w JOIN ledger_balance b ON b.account_id = w.account_id
        WHERE w.status = 'closed' AND (b.balance, b.held, b.pending) <> (0, 0, 0)"""),
    Fact("a deposit is in the books, of its amount to its wallet", f"""
        SELECT format('deposit %s of %s', d.id, d.amount)
        FROM wallets_deposit d JOIN wallets_wallet w ON w.id = d.wallet_id
        LEFT JOIN ledger_transaction t ON t.id = d.transaction_id AND t.reference = 'deposit:' || d.id
        WHERE ({MOVED.format(account="w.account_id")} = -d.amount AND w.currency = d.currency) IS NOT TRUE"""),
    Fact("a transfer that was made is in the books, of its amount from its source to its destination", f"""
        SELECT format('transfer %s of %s', m.id, m.amount)
        FROM wallets_transfer m
        JOIN wallets_wallet s ON s.id = m.source_id JOIN wallets_wallet d ON d.id = m.destination_id
        LEFT JOIN ledger_transaction t ON t.id = m.transaction_id AND t.reference = 'transfer:' || m.id
        WHERE m.status = 'completed' AND ({MOVED.format(account="s.account_id")} = m.amount
              AND {MOVED.format(account="d.account_id")} = -m.amount) IS NOT TRUE"""),
    Fact("a transfer that wasn't made isn't in the books", """
        SELECT format('transfer %s is %s', m.id, m.status)
        FROM wallets_transfer m LEFT JOIN ledger_transaction t ON t.reference = 'transfer:' || m.id
        WHERE m.status <> 'completed' AND (m.transaction_id IS NOT NULL OR t.id IS NOT NULL)"""),
    Fact("a top-up that was paid is in the books, of its amount to its wallet", f"""
        SELECT format('top-up %s of %s', u.id, u.amount)
        FROM wallets_topup u JOIN wallets_wallet w ON w.id = u.wallet_id
        LEFT JOIN ledger_transaction t ON t.id = u.transaction_id
        WHERE (u.status = 'completed' AND {MOVED.format(account="w.account_id")} = -u.amount
               OR u.status <> 'completed' AND u.transaction_id IS NULL) IS NOT TRUE"""),
    Fact("money that came unmatched is in suspense, or was given to a wallet from there", f"""
        SELECT format('receipt %s of %s', r.id, r.amount)
        FROM wallets_unmatchedreceipt r
        JOIN ledger_account s ON s.code = format('liabilities:suspense:%s:%s', r.provider, r.currency)
        LEFT JOIN ledger_transaction t ON t.id = r.transaction_id
        WHERE {MOVED.format(account="s.id")} IS DISTINCT FROM -r.amount
        UNION ALL
        SELECT format('receipt %s of %s, assigned', r.id, r.amount)
        FROM wallets_unmatchedreceipt r
        JOIN wallets_wallet w ON w.id = r.wallet_id
        JOIN ledger_account s ON s.code = format('liabilities:suspense:%s:%s', r.provider, r.currency)
        LEFT JOIN ledger_transaction t ON t.id = r.assignment_id
        WHERE ({MOVED.format(account="s.id")} = r.amount
               AND {MOVED.format(account="w.account_id")} = -r.amount) IS NOT TRUE"""),
    Fact("a withdrawal that was paid is in the books, of its amount and fee from its wallet", f"""
        SELECT format('withdrawal %s of %s and %s, %s', o.id, o.amount, o.fee, o.status)
        FROM wallets_withdrawal o JOIN wallets_wallet w ON w.id = o.wallet_id
        LEFT JOIN ledger_account c ON c.code = format('assets:clearing:%s:%s', o.provider, o.currency)
        LEFT JOIN ledger_transaction t ON t.id = o.transaction_id AND t.reference = 'withdrawal:' || o.id
        WHERE o.transaction_id IS NOT NULL AND ({MOVED.format(account="w.account_id")} = o.amount + o.fee
              AND {MOVED.format(account="c.id")} = -o.amount) IS NOT TRUE"""),
    Fact("a withdrawal that was returned is reversed in the books, whole", """
        SELECT format('withdrawal %s', o.id)
        FROM wallets_withdrawal o LEFT JOIN ledger_transaction t ON t.id = o.return_transaction_id
        WHERE o.status = 'returned' AND t.reverses_id IS DISTINCT FROM o.transaction_id"""),
    Fact("a withdrawal that wasn't paid isn't in the books", """
        SELECT format('withdrawal %s is %s', o.id, o.status)
        FROM wallets_withdrawal o JOIN ledger_transaction t ON t.reference = 'withdrawal:' || o.id
        WHERE o.transaction_id IS NULL"""),
    Fact("what an open withdrawal needs is held, and nothing of one that has ended", """
        SELECT format('withdrawal %s is %s: %s of %s and %s is %s', o.id, o.status, h.amount, o.amount, o.fee, h.status)
        FROM wallets_withdrawal o JOIN wallets_wallet w ON w.id = o.wallet_id JOIN ledger_hold h ON h.id = o.hold_id
        WHERE CASE WHEN o.status IN ('awaiting_approval', 'pending', 'processing') THEN h.status = 'open'
                   WHEN o.status = 'in_review' THEN true ELSE h.status <> 'open' END IS NOT TRUE
           OR h.status = 'open' AND (h.account_id, h.amount) <> (w.account_id, o.amount + o.fee)"""),
    Fact("what an open reservation needs is held until it lapses, and nothing of one that has ended", """
        SELECT format('reservation %s is %s: %s of %s is %s', r.id, r.status, h.amount, r.amount, h.status)
        FROM wallets_usagereservation r JOIN wallets_wallet w ON w.id = r.wallet_id
        LEFT JOIN ledger_hold h ON h.id = r.hold_id
        WHERE ((h.account_id, h.amount, h.expires_at) = (w.account_id, r.amount, r.expires_at)
               AND CASE h.status WHEN 'open' THEN r.status = 'open' WHEN 'expired' THEN r.status = 'open'
                        ELSE r.status <> 'open' END) IS NOT TRUE"""),
    Fact("what is held is held for a withdrawal or a reservation", """
        SELECT format('hold %s of %s, %s', h.id, h.amount, h.reference)
        FROM ledger_hold h LEFT JOIN wallets_withdrawal o ON o.hold_id = h.id
        LEFT JOIN wallets_usagereservation r ON r.hold_id = h.id
        WHERE h.status = 'open' AND h.kind = 'held' AND o.id IS NULL AND r.id IS NULL"""),
    Fact("a settlement of usage is in the books, from its wallet and from what is billed", f"""
        SELECT format('settlement %s of %s, %s billed', s.id, s.amount, s.billed)
        FROM wallets_usagesettlement s JOIN wallets_wallet w ON w.id = s.wallet_id
        LEFT JOIN ledger_account i ON i.code = 'income:usage:' || s.currency
        LEFT JOIN ledger_transaction t ON t.id = s.transaction_id AND t.reference = 'usage:' || s.id
        WHERE (coalesce({MOVED.format(account="w.account_id")}, 0) = s.amount - s.billed
               AND {MOVED.format(account="i.id")} = -s.amount) IS NOT TRUE"""),
    Fact("a reservation that was captured is in the books, of what was captured", f"""
        SELECT format('reservation %s, %s captured', r.id, r.captured)
        FROM wallets_usagereservation r JOIN wallets_wallet w ON w.id = r.wallet_id
        LEFT JOIN ledger_transaction t ON t.id = r.transaction_id AND t.reference = 'reservation:' || r.id
        WHERE r.status = 'captured' AND ({MOVED.format(account="w.account_id")} = r.captured) IS NOT TRUE
           OR r.status <> 'captured' AND r.transaction_id IS NOT NULL"""),
    Fact("a wallet's usage was rated as its months come to, and posted as its settlements do", """
        SELECT format('wallet %s: rated %s, months %s; posted %s, settled %s', a.wallet_id, a.rated, m.amount, a.posted,
                      s.amount)
        FROM wallets_usageaccount a
        CROSS JOIN LATERAL (SELECT coalesce(sum(m.amount), 0) AS amount FROM wallets_usagemonth m
                            WHERE m.wallet_id = a.wallet_id) AS m
        CROSS JOIN LATERAL (SELECT coalesce(sum(s.amount), 0) AS amount FROM wallets_usagesettlement s
                            WHERE s.wallet_id = a.wallet_id) AS s
        WHERE (a.rated, a.posted) <> (m.amount, s.amount)"""),
    Fact("what the books call usage is a settlement or a reservation", """
        SELECT format('transaction %s, %s', t.id, t.reference)
        FROM ledger_transaction t
        WHERE t.kind = 'usage' AND NOT EXISTS (SELECT FROM wallets_usagesettlement s WHERE s.transaction_id = t.id)
          AND NOT EXISTS (SELECT FROM wallets_usagereservation r WHERE r.transaction_id = t.id)"""),
    Fact("what the books call a deposit, transfer or withdrawal is one", """
        SELECT format('transaction %s, %s', t.id, t.reference)
        FROM ledger_transaction t
        WHERE t.kind = 'transfer' AND NOT EXISTS (SELECT FROM wallets_transfer m WHERE m.transaction_id = t.id)
           OR t.kind = 'withdrawal' AND NOT EXISTS (SELECT FROM wallets_withdrawal o WHERE o.transaction_id = t.id)
           OR t.kind = 'reversal' AND t.reference LIKE 'withdrawal:%:return'
              AND NOT EXISTS (SELECT FROM wallets_withdrawal o WHERE o.return_transaction_id = t.id)
           OR t.kind = 'deposit' AND NOT EXISTS (SELECT FROM wallets_deposit d WHERE d.transaction_id = t.id)
              AND NOT EXISTS (SELECT FROM wallets_topup u WHERE u.transaction_id = t.id)
              AND NOT EXISTS (SELECT FROM wallets_unmatchedreceipt r WHERE r.transaction_id = t.id)
              AND NOT EXISTS (SELECT FROM wallets_unmatchedreceipt r WHERE r.assignment_id = t.id)"""),
)  # fmt: skip


def check() -> Iterator[Finding]:
    """Hold every fact against the rows, all on one snapshot, and tell of each what was found, as it is done."""
    with sql.snapshot():
        for fact in FACTS:
            yield Finding(fact, *verify.find(fact.offenders))


def clean() -> bool:
    """Whether the product and the books agree in everything."""
    return not any(finding.total for finding in check())
