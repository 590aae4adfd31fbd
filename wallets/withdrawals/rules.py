"""What staff have ruled for withdrawals of a currency: fees, limits, and what a second person must approve.

The rules are read with every withdrawal, all of them by one query: no cache decides about money. What counts the day's
sum does so one withdrawal of an owner and currency at a time, so that two can't both be the last that fits.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Struct

from ledger import sql
from wallets.models import BankAccount, Withdrawal


class LimitExceeded(Exception):
    """More than may be withdrawn at once, or in a day."""

    code: ClassVar[str] = "limit_exceeded"
    title: ClassVar[str] = "Limit exceeded"

    def __init__(self, limit: "Limit", used: int) -> None:
        whose = "this wallet" if limit.scope == "wallet" else "all wallets of its owner"
        when = "at once" if limit.window == "single" else f"in a day (UTC); {used} is used"
        super().__init__(f"At most {limit.amount} may be withdrawn from {whose} {when}.")
        self.data: dict[str, Any] = {
            "limit": limit.amount, "used": used, "scope": limit.scope, "window": limit.window,
        }  # fmt: skip


class Fee(Struct, frozen=True):
    """What a withdrawal costs."""

    flat: int
    basis_points: int
    minimum: int | None = None
    maximum: int | None = None

    def of(self, amount: int) -> int:
        """The fee of an amount, in minor units."""
        fee = max(self.flat + rounded_up(amount, self.basis_points), self.minimum or 0)
        return fee if self.maximum is None else min(fee, self.maximum)


class Limit(Struct, frozen=True):
    """The most that may be withdrawn."""

    scope: str
    window: str
    amount: int


class Approval(Struct, frozen=True):
    """What needs a second person."""

    kind: str
    threshold: int


class Used(Struct, frozen=True):
    """What was withdrawn today (UTC), without fees: from the wallet, and from all wallets of its owner."""

    wallet: int = 0
    user: int = 0


class Rules(Struct, frozen=True):
    """What holds for a currency and provider."""

    fee: Fee | None = None
    limits: tuple[Limit, ...] = ()
    approvals: tuple[Approval, ...] = ()

    @property
    def count_the_day(self) -> bool:
        """Whether any of them asks for the day's sum."""
        return any(limit.window == "day" for limit in self.limits) or any(
            approval.kind == "daily_sum" for approval in self.approvals
        )

    def fee_of(self, amount: int) -> int:
        """What a withdrawal of an amount costs."""
        return self.fee.of(amount) if self.fee else 0

    def check_limits(self, amount: int, used: Used) -> None:
        """Raise LimitExceeded where the amount doesn't fit any more."""
        for limit in self.limits:
            before = getattr(used, limit.scope) if limit.window == "day" else 0
            if before + amount > limit.amount:
                raise LimitExceeded(limit, before)

    def approval_of(self, amount: int, used: Used, account: BankAccount) -> str:
        """Why a second person must approve it, or "" where none must."""
        reasons = (_why(approval, amount, used, account) for approval in self.approvals)
        return " ".join(reason for reason in reasons if reason)


def rounded_up(amount: int, basis_points: int) -> int:
    """So many hundredths of a per cent of an amount: a fraction of a minor unit is a whole one, in our favour."""
    return -(-amount * basis_points // 10_000)


LOAD = """
SELECT w.currency, w.provider, jsonb_build_object(
    'fee', (SELECT to_jsonb(f) FROM wallets_feerule f
            WHERE f.currency = w.currency AND f.provider IN ('', w.provider) ORDER BY f.provider DESC LIMIT 1),
    'limits', (SELECT coalesce(jsonb_agg(l ORDER BY l.amount), '[]') FROM wallets_withdrawallimit l
               WHERE l.currency = w.currency),
    'approvals', (SELECT coalesce(jsonb_agg(a ORDER BY a.kind), '[]') FROM wallets_approvalrule a
                  WHERE a.currency = w.currency))::text
FROM unnest(%s::text[], %s::text[]) AS w (currency, provider)
"""


def load(wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Rules]:
    """The rules as they are now, for each currency and provider."""
    pairs = sql.texts(currency for currency, _ in wanted), sql.texts(provider for _, provider in wanted)
    return {
        (currency, provider): msgspec.json.decode(document, type=Rules)
        for currency, provider, document in sql.rows(LOAD, pairs)
    }


LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended('withdrawals ' || coalesce(owner_id, id) || ' ' || currency, 0))
FROM wallets_wallet WHERE id = %s
"""
USED = """
SELECT coalesce(sum(w.amount) FILTER (WHERE w.wallet_id = %(wallet)s), 0)::int8, coalesce(sum(w.amount), 0)::int8
FROM wallets_wallet mine
JOIN wallets_wallet other ON other.id = mine.id OR other.owner_id = mine.owner_id
JOIN wallets_withdrawal w ON w.wallet_id = other.id AND w.created_at >= %(midnight)s AND w.currency = mine.currency
WHERE mine.id = %(wallet)s AND w.status NOT IN ('failed', 'cancelled', 'returned')
"""


def used_today(wallet_id: UUID, *, now: datetime) -> Used:
    """What was withdrawn today; whoever else wants to know waits for the end of the caller's transaction."""
    sql.run(LOCK, (wallet_id,))
    return used(wallet_id, now=now)


def used(wallet_id: UUID, *, now: datetime) -> Used:
    """What was withdrawn today, as far as it is committed: to be shown, not to decide upon."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Used(*sql.rows(USED, {"wallet": wallet_id, "midnight": midnight})[0])


def _why(approval: Approval, amount: int, used: Used, account: BankAccount) -> str:
    match approval.kind:
        case "amount" if amount > approval.threshold:
            return f"More than {approval.threshold}."
        case "daily_sum" if used.user + amount > approval.threshold:
            return f"With {used.user} before, more than {approval.threshold} in a day."
        case "first_use" if amount > approval.threshold and not _was_paid(account):
            return "The bank account was never paid before."
    return ""


def _was_paid(account: BankAccount) -> bool:
    return Withdrawal.objects.filter(bank_account=account, status=Withdrawal.Status.COMPLETED).exists()
