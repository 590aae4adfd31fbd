"""The balances of both sides on a day, and what explains their difference.

ledger − statement = open here − open there + in transit + accepted + unexplained: what is unexplained was so before the
first statement, or is missing from the statements themselves.
"""

from dataclasses import dataclass
from datetime import date

from ledger import sql
from wallets.models import ReconciledAccount, Reconciliation


@dataclass(frozen=True, slots=True)
class Explained:
    """All in minor units of the account, at the end of a day. No statement's balance: None, and so unexplained."""

    ledger: int
    statement: int | None
    open_here: int
    open_there: int
    in_transit: int
    accepted: int

    @property
    def unexplained(self) -> int | None:
        """What is left when all that is known is taken into account."""
        if self.statement is None:
            return None
        known = self.open_here - self.open_there + self.in_transit + self.accepted
        return self.ledger - self.statement - known


LATER = """
SELECT coalesce(sum(amount), 0)::int8 FROM wallets_booksitem WHERE account_id = %(account)s AND effective_on > %(until)s
"""
# From the last balance that is stated up to the day on, else back from the first that is.
STATED = """
SELECT (s.balance + coalesce((
    SELECT sum(l.amount) FROM wallets_statementline l
    WHERE l.account_id = %(account)s AND l.status = 'booked' AND l.booked_on > s.day AND l.booked_on <= %(until)s
), 0))::int8
FROM (
    SELECT closing_balance AS balance, last_on AS day, 1 AS choice FROM wallets_statement
    WHERE account_id = %(account)s AND closing_balance IS NOT NULL AND last_on <= %(until)s
    UNION ALL
    SELECT opening_balance, first_on - 1, 2 FROM wallets_statement
    WHERE account_id = %(account)s AND opening_balance IS NOT NULL AND first_on <= %(until)s
) AS s
ORDER BY s.choice, s.day DESC LIMIT 1
"""
OPEN_HERE = """
SELECT coalesce(sum(amount), 0)::int8 FROM wallets_booksitem
WHERE account_id = %(account)s AND match_id IS NULL AND effective_on BETWEEN %(since)s AND %(until)s
"""
OPEN_THERE = """
SELECT coalesce(sum(amount), 0)::int8 FROM wallets_statementline
WHERE account_id = %(account)s AND match_id IS NULL AND status = 'booked' AND booked_on <= %(until)s
"""
ACCEPTED = """
SELECT coalesce(sum(difference), 0)::int8 FROM wallets_match
WHERE account_id = %(account)s AND undone_at IS NULL AND difference <> 0 AND last_on <= %(until)s
"""
IN_TRANSIT = """
SELECT coalesce(sum(coalesce(ours.amount, 0) - coalesce(theirs.amount, 0)), 0)::int8
FROM wallets_match m
CROSS JOIN LATERAL (
    SELECT sum(amount) AS amount FROM wallets_booksitem WHERE match_id = m.id AND effective_on <= %(until)s
) AS ours
CROSS JOIN LATERAL (
    SELECT sum(amount) AS amount FROM wallets_statementline WHERE match_id = m.id AND booked_on <= %(until)s
) AS theirs
WHERE m.account_id = %(account)s AND m.undone_at IS NULL AND m.last_on > %(until)s AND m.first_on <= %(until)s
"""


def explain(account: ReconciledAccount, until: date) -> Explained:
    """The two balances at the end of a day, and what is known to lie between them."""
    known = {"account": account.pk, "until": until}
    stated = sql.rows(STATED, known)
    return Explained(
        ledger=account.total - _sum(LATER, known), statement=stated[0][0] if stated else None,
        open_here=_sum(OPEN_HERE, known | {"since": account.since}), open_there=_sum(OPEN_THERE, known),
        in_transit=_sum(IN_TRANSIT, known), accepted=_sum(ACCEPTED, known),
    )  # fmt: skip


def explained_by(run: Reconciliation) -> Explained:
    """The same as a run has found it, on its last day."""
    return Explained(
        run.ledger_balance, run.statement_balance, run.open_here, run.open_there, run.in_transit, run.accepted
    )


def _sum(statement: str, known: dict[str, object]) -> int:
    return int(sql.rows(statement, known)[0][0])
