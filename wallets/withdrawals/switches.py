"""The switch that stops payouts: of one provider, or of all. It stops new orders and nothing else: asking goes on."""

from datetime import datetime

from ledger import sql
from ledger.durable import durable
from users import audit
from users.callers import Actor
from wallets.models import PayoutPause

EVERY = PayoutPause.EVERY


@durable
def pause(*, provider: str = EVERY, reason: str, actor: Actor, now: datetime) -> bool:
    """Send no new orders through a provider, or through any. Returns whether that is new; the first reason stays."""
    _, fresh = PayoutPause.objects.get_or_create(
        provider=provider,
        defaults={"reason": reason[:255], "paused_by": ":".join(actor.actor), "paused_at": now},
    )
    if fresh:
        audit.record(
            actor=actor, action="payouts.paused", kind="provider", object_id=provider, data={"reason": reason}, now=now
        )
    return fresh


@durable
def resume(*, provider: str = EVERY, actor: Actor, now: datetime) -> bool:
    """Lift a pause, and let what waited be sent now. Returns whether there was one."""
    lifted, _ = PayoutPause.objects.filter(provider=provider).delete()
    if lifted:
        wake(provider, now)
        audit.record(actor=actor, action="payouts.resumed", kind="provider", object_id=provider, now=now)
    return bool(lifted)


# Over half a minute: what has waited together needn't come together.
WAKE = """
UPDATE wallets_withdrawal SET next_at = %(now)s + random() * interval '30 s'
WHERE status = 'pending' AND next_at > %(now)s + interval '30 s' AND %(provider)s IN ('*', provider)
  AND %(currency)s IN ('', currency)
"""


def wake(provider: str, now: datetime, *, currency: str = "") -> None:
    """Let what waits to be sent through a provider (`*` for all) be due soon, all of it or what is in a currency."""
    sql.run(WAKE, {"now": now, "provider": provider, "currency": currency})


def paused() -> list[PayoutPause]:
    """The pauses that hold now."""
    return list(PayoutPause.objects.order_by("provider"))
