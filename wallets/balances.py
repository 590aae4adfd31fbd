"""What a wallet stands at, for those who may see it. Always exact: no cache is asked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from ledger import sql
from ledger.balances import Standing, standing_at
from users.callers import Caller
from users.validation import ValidationError
from wallets.access import Access, Need, NotFound, check, enter


class Ask(NamedTuple):
    """Somebody who wants to know what is in a wallet."""

    caller: Caller
    wallet: UUID


# Each wallet, its asker's role in it and its standing (as in ledger.balances) in one round trip: clients ask it most.
# There is room for more about the wallet.
BALANCES = """
SELECT {columns} w.id, w.currency, w.status, w.account_id, m.role, b.sign * b.balance,
       b.held - coalesce(lapsed.held, 0)::int8, b.pending - coalesce(lapsed.pending, 0)::int8, b.version
FROM unnest(%s::uuid[], %s::uuid[]) WITH ORDINALITY AS a (wallet_id, person_id, position)
LEFT JOIN wallets_wallet w ON w.id = a.wallet_id
LEFT JOIN wallets_member m ON m.wallet_id = w.id AND m.user_id = a.person_id
LEFT JOIN ledger_balance b ON b.account_id = w.account_id AND b.lane = 0
LEFT JOIN LATERAL (
    SELECT sum(h.amount) FILTER (WHERE h.kind = 'held') AS held,
           sum(h.amount) FILTER (WHERE h.kind = 'pending') AS pending
    FROM ledger_hold h WHERE h.account_id = b.account_id AND h.status = 'open' AND h.expires_at <= %s
) AS lapsed ON b.held + b.pending > 0
{joins}
ORDER BY a.position
"""
_PLAIN = BALANCES.format(columns="", joins="")


def balances(asks: Sequence[Ask], *, now: datetime) -> list[Standing | NotFound]:
    """The balances as they are, one for each who asks; NotFound where there is none that they may see."""
    rows = ask_for(_PLAIN, asks, now)
    return [standing(ask.caller, row) for ask, row in zip(asks, rows, strict=True)]


def ask_for(statement: str, asks: Sequence[Ask], now: datetime) -> list[tuple[Any, ...]]:
    """The rows of BALANCES, however it was filled in, one for each who asks."""
    people = (ask.caller.id if ask.caller.kind == "person" else None for ask in asks)
    return sql.rows(statement, (sql.uuids(ask.wallet for ask in asks), sql.uuids(people), now))


def standing(caller: Caller, row: Sequence[Any]) -> Standing | NotFound:
    """A row's standing, where its asker may see it."""
    id, currency, status, account, role, *amounts = row
    found = None if id is None else Access(id, currency, status, account, {caller.id: role} if role else {})
    try:
        check(caller, found, Need.VIEW)
    except NotFound as refusal:
        return refusal
    return Standing(account, currency, *amounts)


def balance_at(*, caller: Caller, wallet_id: UUID, moment: datetime, now: datetime) -> Standing:
    """The balance as it stood at a moment. Raises NotFound, and ValidationError for a moment that is still to come."""
    if moment > now:
        raise ValidationError.on("at", "out_of_range", "That moment is still to come; ask for one that has been.")
    found = enter(caller, wallet_id, Need.VIEW)
    stood = standing_at(found.account, moment)
    if stood is None:
        raise NotFound("wallet")
    return stood
