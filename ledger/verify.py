"""Proof of the laws over all rows, by set-based SQL on one snapshot: what the database kept, checked once more.

Each check is a query for offenders; none found means that the law holds for every row.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from itertools import islice
from typing import NamedTuple

from django.conf import settings

from ledger import recount, sql
from ledger.seals import chain
from ledger.seals.sealing import Head

SHOWN = 20


class Check(NamedTuple):
    """A law, in words, and what finds who breaks it: a query with one text a row, or a function that yields them."""

    law: int
    says: str
    offenders: str | Callable[[], Iterable[str]]


class Finding(NamedTuple):
    """What a check found: how many offenders, and the first of them in words."""

    check: Check
    total: int
    shown: list[str]


CHECKS = (
    Check(1, "the entries of a transaction sum to zero in each currency", """
        SELECT format('transaction %s is off by %s %s', e.transaction_id, sum(e.amount), a.currency)
        FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        GROUP BY e.transaction_id, a.currency HAVING sum(e.amount) <> 0"""),
    Check(1, "a transaction has two or more entries, numbered from 1", """
        SELECT format('transaction %s has %s entries', t.id, coalesce(e.legs, 0))
        FROM ledger_transaction t LEFT JOIN (
            SELECT transaction_id, count(*) AS legs, min(leg) AS first, max(leg) AS last
            FROM ledger_entry GROUP BY transaction_id) AS e ON e.transaction_id = t.id
        WHERE e.legs IS NULL OR e.legs < 2 OR e.first <> 1 OR e.last <> e.legs"""),
    Check(1, "an entry belongs to a transaction, of the same moment, and to an account's lane", """
        SELECT CASE WHEN t.posted_at <> e.posted_at
               THEN format('entry %s of transaction %s was posted at another moment', e.leg, e.transaction_id)
               ELSE format('account %s lane %s version %s belongs to nothing', e.account_id, e.lane, e.version) END
        FROM ledger_entry e
        LEFT JOIN ledger_transaction t ON t.id = e.transaction_id
        LEFT JOIN ledger_balance b ON b.account_id = e.account_id AND b.lane = e.lane
        WHERE (t.posted_at = e.posted_at) IS NOT TRUE OR b.account_id IS NULL"""),
    Check(1, "a lane has its account's currency and normal side", """
        SELECT format('account %s lane %s says %s, its account %s', a.code, b.lane, b.currency, a.currency)
        FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
        WHERE b.currency <> a.currency OR b.sign <> CASE WHEN a.type IN ('asset', 'expense') THEN 1 ELSE -1 END"""),
    Check(2, "the triggers that keep the laws are on", """
        SELECT format('trigger %s on %s is missing or off', wanted.name, wanted.place)
        FROM (VALUES ('ledger_transaction_append_only', 'ledger_transaction'),
                     ('ledger_entry_append_only', 'ledger_entry'), ('ledger_entry_laws', 'ledger_entry'),
                     ('ledger_balance_stays', 'ledger_balance'), ('ledger_balance_laws', 'ledger_balance'),
                     ('ledger_balance_opens', 'ledger_balance'), ('ledger_balance_keeps_its_kind', 'ledger_balance'),
                     ('ledger_hold_stays', 'ledger_hold'), ('ledger_hold_laws', 'ledger_hold'),
                     ('ledger_account_stays', 'ledger_account'),
                     ('ledger_account_keeps_its_kind', 'ledger_account'),
                     ('ledger_boundary_laws', 'ledger_boundary'), ('ledger_boundary_stays', 'ledger_boundary'),
                     ('ledger_transaction_open_days', 'ledger_transaction'),
                     ('ledger_entry_open_days', 'ledger_entry'),
                     ('ledger_seal_laws', 'ledger_seal'), ('ledger_seal_append_only', 'ledger_seal'),
                     ('ledger_daybalance_append_only', 'ledger_daybalance'),
                     ('ledger_daybalance_grows_until_sealed', 'ledger_daybalance'),
                     ('ledger_daybalance_stays_when_sealed', 'ledger_daybalance'),
                     ('ledger_sealedrows_append_only', 'ledger_sealedrows'),
                     ('ledger_sealedrows_grows_until_sealed', 'ledger_sealedrows'),
                     ('ledger_sealedrows_stays_when_sealed', 'ledger_sealedrows')) AS wanted (name, place)
        LEFT JOIN pg_trigger t ON t.tgname = wanted.name AND t.tgrelid = wanted.place::regclass AND t.tgenabled <> 'D'
        WHERE t.oid IS NULL"""),
    Check(3, "versions have no gap, and each balance is the one before plus the amount", """
        SELECT format('account %s lane %s version %s: balance %s, expected version %s and balance %s',
                      account_id, lane, version, balance, nth, running)
        FROM (
            SELECT account_id, lane, version, balance, posted_at,
                   row_number() OVER line AS nth, sum(amount) OVER line AS running,
                   lag(posted_at) OVER line AS posted_before
            FROM ledger_entry
            WINDOW line AS (PARTITION BY account_id, lane ORDER BY version ROWS UNBOUNDED PRECEDING)
        ) AS chain
        WHERE version <> nth OR balance <> running OR posted_at < posted_before"""),
    Check(3, "the balance kept beside the entries is the last entry's", """
        SELECT format('account %s lane %s keeps version %s and balance %s; its last entry says %s and %s',
                      b.account_id, b.lane, b.version, b.balance, coalesce(e.version, 0), coalesce(e.balance, 0))
        FROM ledger_balance b LEFT JOIN LATERAL (
            SELECT version, balance FROM ledger_entry e
            WHERE e.account_id = b.account_id AND e.lane = b.lane ORDER BY version DESC LIMIT 1) AS e ON true
        WHERE (b.version, b.balance) <> (coalesce(e.version, 0), coalesce(e.balance, 0))"""),
    Check(4, "what is held and pending is what the open holds say", """
        SELECT format('account %s keeps held %s and pending %s; its open holds say %s and %s',
                      b.account_id, b.held, b.pending, coalesce(h.held, 0), coalesce(h.pending, 0))
        FROM ledger_balance b LEFT JOIN (
            SELECT account_id, coalesce(sum(amount) FILTER (WHERE kind = 'held'), 0) AS held,
                   coalesce(sum(amount) FILTER (WHERE kind = 'pending'), 0) AS pending
            FROM ledger_hold WHERE status = 'open' GROUP BY account_id) AS h
            ON h.account_id = b.account_id AND b.lane = 0
        WHERE (b.held, b.pending) <> (coalesce(h.held, 0), coalesce(h.pending, 0))"""),
    Check(4, "no balance less its holds is below its floor", """
        SELECT format('account %s has %s available, below its floor of %s',
                      account_id, sign * balance - held - pending, floor)
        FROM ledger_balance WHERE sign * balance - held - pending < floor"""),
    Check(4, "a hold's captured part doesn't pass its amount", """
        SELECT format('hold %s captured %s of %s', id, captured, amount)
        FROM ledger_hold WHERE captured > amount OR captured < 0 OR (captured > 0) <> (status = 'captured')"""),
    Check(5, "a reference names one transaction", """
        SELECT format('reference %s names %s transactions', reference, count(*))
        FROM ledger_transaction GROUP BY reference HAVING count(*) > 1"""),
    Check(5, "a transaction is reversed once at most, by its mirror image", """
        SELECT format('transaction %s is no reversal of %s', r.id, r.reverses_id)
        FROM ledger_transaction r WHERE r.reverses_id IS NOT NULL AND EXISTS (
            SELECT FROM (
                SELECT account_id, sum(amount) AS amount FROM ledger_entry
                WHERE transaction_id IN (r.id, r.reverses_id) GROUP BY account_id) AS pair
            WHERE pair.amount <> 0)"""),
    Check(6, "amounts stay within their range", """
        SELECT format('transaction %s moves %s', transaction_id, sum(greatest(amount, 0)))
        FROM ledger_entry GROUP BY transaction_id HAVING sum(greatest(amount, 0)) > 1000000000000000"""),
    Check(7, "the balances of sealed days are what the entries say", f"""
        SELECT format('account %s on %s keeps debits %s, credits %s, balance %s; its entries say %s, %s and %s',
                      account_id, day, kept_debits, kept_credits, kept_balance, debits, credits, balance)
        FROM ({recount.DIFFERING_DAYS}) AS differing"""),
)  # fmt: skip

OWNER = Check(2, "the application's role doesn't own the tables", """
    SELECT format('table %s is owned by %s, the application''s own role', c.relname, r.rolname)
    FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
    WHERE c.relname IN ('ledger_transaction', 'ledger_entry', 'ledger_balance', 'ledger_hold', 'ledger_account',
                        'ledger_boundary', 'ledger_seal', 'ledger_daybalance', 'ledger_sealedrows')
      AND r.rolname = current_user""")  # fmt: skip


def checks(kept: Head | None = None, told: Callable[[date], object] = lambda _: None) -> tuple[Check, ...]:
    """What is to be proven here; that the tables have another owner only where the installation gives them one."""
    seals = Check(7, "sealed days are as they were sealed", partial(chain.broken, kept=kept, told=told))
    return (*CHECKS, *((OWNER,) if settings.DATABASE_APP_ROLE else ()), seals)


def verify(*, kept: Head | None = None, told: Callable[[date], object] = lambda _: None) -> Iterator[Finding]:
    """Run every check on one snapshot of the books, and tell of each what it found, as it is done.

    `kept` is a head of the seals that was kept elsewhere; each sealed day is `told` when it is looked at.
    """
    with sql.snapshot():
        for check in checks(kept, told):
            yield Finding(check, *find(check.offenders))


def clean() -> bool:
    """Whether every law holds for every row."""
    return not any(finding.total for finding in verify())


def find(offenders: str | Callable[[], Iterable[str]]) -> tuple[int, list[str]]:
    """How many offenders there are, and the first of them in words."""
    if not isinstance(offenders, str):
        told = iter(offenders())
        shown = list(islice(told, SHOWN))
        return len(shown) + sum(1 for _ in told), shown
    found = sql.rows(f"SELECT offender, count(*) OVER () FROM ({offenders}) AS o (offender) LIMIT {SHOWN}")
    return found[0][1] if found else 0, [row[0] for row in found]


def size() -> dict[str, int]:
    """How many rows of each table the books have."""
    tables = {
        "sealed days": "seal",
        "accounts": "account",
        "lanes": "balance",
        "transactions": "transaction",
        "entries": "entry",
        "holds": "hold",
    }
    return {name: sql.rows(f"SELECT count(*) FROM ledger_{table}")[0][0] for name, table in tables.items()}
