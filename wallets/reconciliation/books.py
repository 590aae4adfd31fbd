"""Our side: the clearing account's transactions, copied as far as they are new, and what they sum to."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from uuid_utils.compat import uuid7

from ledger import items as ledger_items
from ledger import sql
from ledger.durable import durable
from ledger.items import Batch
from wallets.models import ReconciledAccount
from wallets.reconciliation import accounts
from wallets.reconciliation.names import names

# What was posted so many days before the first statement may yet explain a line of it.
EARLY_DAYS = 7
SEPARATOR = "\x1f"
Told = Callable[[int], object]

COPY = """
INSERT INTO wallets_booksitem (id, account_id, transaction_id, amount, effective_on, kind, reference,
                               external_reference, reverses, names, by_hand)
SELECT id, %(account)s, transaction, amount, (effective_at AT TIME ZONE 'UTC')::date, kind, reference,
       external_reference, reverses, string_to_array(names, E'\\x1f'), false
FROM unnest(%(ids)s::uuid[], %(transactions)s::uuid[], %(amounts)s::int8[], %(moments)s::timestamptz[],
            %(kinds)s::text[], %(references)s::text[], %(externals)s::text[], %(reverses)s::uuid[], %(names)s::text[])
    AS t (id, transaction, amount, effective_at, kind, reference, external_reference, reverses, names)
WHERE (effective_at AT TIME ZONE 'UTC')::date >= %(since)s::date - %(early)s::int4
ON CONFLICT (account_id, transaction_id) DO NOTHING
"""


def collect(account: ReconciledAccount) -> None:
    """Copy what was posted to the account since the last time, inside the caller's transaction, which has it locked."""
    for batch in ledger_items.items(accounts.ledger_account(account), account.versions):
        _copy(account, batch)


def collect_ahead(account_id: UUID, *, told: Told | None = None) -> None:
    """Copy as `collect` does, each batch in a transaction of its own: where there are millions, it may be interrupted
    and goes on from there. `told` hears how many transactions were read.
    """
    read = 0
    while batch := _collect_some(account_id):
        read += len(batch.items)
        if told is not None:
            told(read)


@durable
def _collect_some(account_id: UUID) -> Batch | None:
    account = accounts.locked_by_id(account_id)
    batch = next(ledger_items.items(accounts.ledger_account(account), account.versions), None)
    if batch is not None:
        _copy(account, batch)
    return batch


def _copy(account: ReconciledAccount, batch: Batch) -> None:
    sql.run(COPY, _arrays(account, batch))
    account.versions = batch.versions
    account.total = ledger_items.balance_at(accounts.ledger_account(account), batch.versions)
    account.save(update_fields=["versions", "total"])


def _arrays(account: ReconciledAccount, batch: Batch) -> dict[str, object]:
    items = batch.items
    return {
        "account": account.pk, "since": account.since or date.min, "early": EARLY_DAYS,
        "ids": sql.uuids(uuid7() for _ in items), "transactions": sql.uuids(item.transaction for item in items),
        "amounts": sql.integers(item.amount for item in items),
        "moments": sql.moments(item.effective_at for item in items),
        "kinds": sql.texts(item.kind for item in items), "references": sql.texts(item.reference for item in items),
        "externals": sql.texts(item.external_reference for item in items),
        "reverses": sql.uuids(item.reverses for item in items),
        "names": sql.texts(SEPARATOR.join(found) for found in names(account.pk, items)),
    }  # fmt: skip
