"""What is done about a month that raw events come to differently: it is set right by a posting, or left."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ledger import sql
from ledger.durable import durable, within
from users import audit
from users.callers import Actor
from users.validation import ValidationError
from wallets.access import NotFound
from wallets.models import UsageDifference, UsageSettlement
from wallets.opening import InvalidState
from wallets.usage import settlement
from wallets.usage.amounts import exact
from wallets.usage.months import start

State = UsageDifference.State


@durable
@exact
def repair(id: UUID, *, by: Actor, reason: str, now: datetime) -> UsageSettlement | None:
    """Set a month to what its raw events come to, and post what that changes, and whatever else is due of the wallet,
    with the reason. None where it isn't a whole minor unit, or nothing covers it yet.

    Raises NotFound, ValidationError, and InvalidState where it has been decided, or the month has moved since.
    """
    found = _open(id, reason)
    _set_right(found, now)
    made = within(settlement.settle)(found.wallet_id, by=by, now=now, reason=reason.strip())
    _decide(found, State.REPAIRED, by, reason, now, settlement=made)
    return made


@durable
def dismiss(id: UUID, *, by: Actor, reason: str, now: datetime) -> None:
    """Leave a month as it stands. Raises NotFound, ValidationError and InvalidState."""
    _decide(_open(id, reason), State.DISMISSED, by, reason, now)


def _open(id: UUID, reason: str) -> UsageDifference:
    if not reason.strip():
        raise ValidationError.on("reason", "required", "Say why.")
    found = UsageDifference.objects.select_for_update(no_key=True).filter(pk=id).first()
    if found is None:
        raise NotFound("difference")
    if found.state != State.OPEN:
        raise InvalidState(f"It was {found.state} already.")
    return found


LOCK = "SELECT FROM wallets_usageaccount WHERE wallet_id = %s FOR NO KEY UPDATE"
# A month that raw events know of and the totals don't is begun with nothing.
BEGIN = """
INSERT INTO wallets_usagemonth (wallet_id, month, meter_id, price_id, quantity, events, latest_at, amount,
                                settled_quantity, settled_amount)
SELECT %s, %s, %s, %s, 0, 0, %s, 0, 0, 0 ON CONFLICT DO NOTHING
"""
SET_MONTH = """
UPDATE wallets_usagemonth SET quantity = %s, amount = %s
WHERE wallet_id = %s AND month = %s AND meter_id = %s AND price_id = %s AND quantity = %s AND amount = %s
"""
# Whatever went wrong with the month, the account is what its months come to.
SET_ACCOUNT = """
UPDATE wallets_usageaccount a
SET rated = (SELECT sum(m.amount) FROM wallets_usagemonth m WHERE m.wallet_id = a.wallet_id),
    version = version + 1, revised = version + 1
WHERE a.wallet_id = %s
"""


def _set_right(found: UsageDifference, now: datetime) -> None:
    where = (found.wallet_id, found.month, found.meter_id, found.price_id)
    sql.run(LOCK, where[:1])
    sql.run(BEGIN, (*where, start(found.month)))
    counted = (found.counted_quantity, found.counted_amount)
    if not sql.run(SET_MONTH, (*counted, *where, found.quantity, found.amount)).rowcount:
        raise InvalidState("The month has moved since it was counted; have it counted again.")
    sql.run(SET_ACCOUNT, where[:1])


def _decide(
    found: UsageDifference, state: UsageDifference.State, by: Actor, reason: str, now: datetime, **more: Any
) -> None:
    changes = {"state": state, "decided_by": ":".join(by.actor)[:60], "decided_because": reason.strip()[:500]}
    UsageDifference.objects.filter(pk=found.pk).update(**changes, **more, decided_at=now)
    data = {"wallet": str(found.wallet_id), "month": str(found.month), "reason": reason.strip()}
    audit.record(actor=by, action=f"usage.{state}", kind="difference", object_id=found.pk, data=data, now=now)
