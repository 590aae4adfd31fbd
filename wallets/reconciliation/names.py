"""By which words the outside may name a transaction of ours: its own references, and what providers know it by."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from ledger import sql
from ledger.items import Item

_withdrawal = re.compile(r"withdrawal:([0-9a-f-]{36})").match
_payment = re.compile(r"deposit:[^:]+:(.+)").fullmatch
# A name this short says nothing.
SHORTEST = 4

# What a bank refused, and was tried again under another name, isn't what was paid.
ATTEMPTS = """
SELECT a.withdrawal_id, a.reference, a.provider_id FROM wallets_payoutattempt a
WHERE a.withdrawal_id = ANY (%s::uuid[]) AND (a.outcome <> 'refused' OR NOT EXISTS (
    SELECT FROM wallets_payoutattempt later WHERE later.withdrawal_id = a.withdrawal_id AND later.number > a.number))
"""
TOP_UPS = """
SELECT transaction_id, reference, provider_id, payment_id FROM wallets_topup WHERE transaction_id = ANY (%s::uuid[])
"""
RECEIPTS = """
SELECT transaction_id, reference, payment_id FROM wallets_unmatchedreceipt WHERE transaction_id = ANY (%s::uuid[])
"""
UNDONE = """
SELECT transaction_id, names FROM wallets_booksitem WHERE account_id = %s AND transaction_id = ANY (%s::uuid[])
"""


def names(account: UUID, items: Sequence[Item]) -> list[list[str]]:
    """The names of each, in small letters. What undoes a transaction of a reconciled account has its names as well."""
    told = _told_by_providers(items)
    withdrawals = _attempts(items)
    found = {item.transaction: [*_own(item), *withdrawals[_withdrawn(item)], *told[item.transaction]] for item in items}
    undone = dict(sql.rows(UNDONE, (account, sql.uuids(item.reverses for item in items if item.reverses)))) | found
    return [_plain([*found[item.transaction], *undone.get(item.reverses, ())]) for item in items]


def _told_by_providers(items: Sequence[Item]) -> defaultdict[UUID, list[str]]:
    """By transaction, what payments are called that came in."""
    told: defaultdict[UUID, list[str]] = defaultdict(list)
    for statement in (TOP_UPS, RECEIPTS):
        for transaction, *names in sql.rows(statement, (sql.uuids(item.transaction for item in items),)):
            told[transaction] += names
    return told


def _attempts(items: Iterable[Item]) -> defaultdict[UUID | None, list[str]]:
    """By withdrawal, what each attempt is called by us and by the bank."""
    found: defaultdict[UUID | None, list[str]] = defaultdict(list)
    withdrawals = {_withdrawn(item) for item in items} - {None}
    for withdrawal, *told in sql.rows(ATTEMPTS, (sql.uuids(withdrawals),)) if withdrawals else ():
        found[withdrawal] += told
    return found


def _own(item: Item) -> list[str]:
    """Its reference, the payment or withdrawal that this names, and the reference that it was given from outside."""
    named = _payment(item.reference) or _withdrawal(item.reference)
    return [item.reference, named[1] if named else "", item.external_reference]


def _withdrawn(item: Item) -> UUID | None:
    found = _withdrawal(item.reference)
    return UUID(found[1]) if found else None


def _plain(told: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.lower() for name in told if len(name) >= SHORTEST))
