"""What a wallet stands at, for those who may see it. Always exact: no cache is asked."""

from datetime import datetime
from uuid import UUID

from ledger import sql
from ledger.balances import Standing, standing_at
from users.callers import Caller
from wallets.access import Access, Need, NotFound, check, enter

# The wallet, the caller's role in it and its standing (as in ledger.balances) in one round trip: clients ask it most.
BALANCE = """
SELECT w.id, w.currency, w.status, w.account_id, m.role, b.sign * b.balance,
       b.held - coalesce(lapsed.held, 0)::int8, b.pending - coalesce(lapsed.pending, 0)::int8, b.version
FROM wallets_wallet w
JOIN ledger_balance b ON b.account_id = w.account_id AND b.lane = 0
LEFT JOIN wallets_member m ON m.wallet_id = w.id AND m.user_id = %s
LEFT JOIN LATERAL (
    SELECT sum(h.amount) FILTER (WHERE h.kind = 'held') AS held,
           sum(h.amount) FILTER (WHERE h.kind = 'pending') AS pending
    FROM ledger_hold h WHERE h.account_id = w.account_id AND h.status = 'open' AND h.expires_at <= %s
) AS lapsed ON b.held + b.pending > 0
WHERE w.id = %s
"""


def balance(*, caller: Caller, wallet_id: UUID, now: datetime) -> Standing:
    """The balance as it is. Raises NotFound."""
    person = caller.id if caller.kind == "person" else None
    row = sql.run(BALANCE, (person, now, wallet_id)).fetchone()
    if row is None:
        raise NotFound("wallet")
    id, currency, status, account, role, *standing = row
    check(caller, Access(id, currency, status, account, {caller.id: role} if role else {}), Need.VIEW)
    return Standing(account, currency, *standing)


def balance_at(*, caller: Caller, wallet_id: UUID, moment: datetime) -> Standing:
    """The balance as it stood at a moment. Raises NotFound."""
    found = enter(caller, wallet_id, Need.VIEW)
    standing = standing_at(found.account, moment)
    if standing is None:
        raise NotFound("wallet")
    return standing
