"""Closing days as finance does it: the books are closed and sealed, the trail with them, and finance hears of the head.

The head of the seals is what tells, kept elsewhere, whether anything that was sealed has been changed since.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from django.conf import settings

from ledger import closing
from ledger.closing import DAY
from ledger.durable import durable
from ledger.seals.parts import Part
from ledger.seals.sealing import Head, head, seal_closed
from users import audit
from users.callers import Actor, System
from wallets import bell, finance
from wallets.models import MailedHead
from wallets.opening import InvalidState

CLOSER = System("closing")
AUDIT = Part(
    "audit",
    "users_auditevent",
    """
SELECT id, at, actor_kind, actor_id, action, object_kind, object_id, request_id, data
FROM users_auditevent WHERE at >= %(since)s AND at < %(until)s ORDER BY id
""",
    "audit event {id}",
    dated="(at AT TIME ZONE 'UTC')::date",
)


def grace() -> timedelta:
    """How long after a day its requests may still be under way."""
    return timedelta(minutes=settings.CLOSE_GRACE_MINUTES)


def last_closable_day(now: datetime) -> date:
    """The newest day that may be closed."""
    return closing.last_closable_day(now, grace())


def check_closable(through: date, *, now: datetime) -> None:
    """Raise NotOver unless the days up to one may be closed."""
    closing.check_over(through, grace=grace(), now=now)


def check_open(through: date) -> None:
    """Raise InvalidState where there is nothing to be closed up to a day: all of it is."""
    opens = closing.first_open_day()
    if opens and through < opens:
        raise InvalidState(f"The days before {opens} are closed already.")


def close_soon(through: date, *, actor: Actor, now: datetime) -> None:
    """Close all open days up to one, and let a worker seal them. Raises NotOver."""
    _close(through, actor, now)
    bell.ring("wallets.close_days")


def close(
    through: date, *, actor: Actor, clock: Callable[[], datetime], told: Callable[[Head], object] = lambda _: None
) -> Head | None:
    """Close all open days up to one, seal what is closed, and have the new head mailed; returns the newest head.

    Each sealed day is `told`. Stopped at any point, it goes on where it was when it is run again, by hand or by a
    worker. Raises NotOver, and StillWriting where a posting of those days doesn't end.
    """
    _close(through, actor, clock())
    _seal(actor, clock, told)
    return head()


def close_due(*, clock: Callable[[], datetime]) -> None:
    """Close the days whose time has come, if they are to be closed by themselves; and seal what was left unsealed.

    Raises StillWriting.
    """
    if settings.CLOSE_DAYS_AFTER:
        _close(last_closable_day(clock()) - DAY * (settings.CLOSE_DAYS_AFTER - 1), CLOSER, clock())
    _seal(CLOSER, clock)


def mail_head(*, now: datetime) -> bool:
    """Tell finance of the newest head, once, whoever else is about to. Returns whether it was told now.

    Raises what the mail server says.
    """
    newest = head()
    if newest is None or not MailedHead.objects.get_or_create(day=newest.day, defaults={"mailed_at": now})[1]:
        return False
    try:
        finance.mail(f"The books are closed up to {newest.day}", _letter(newest))
    except Exception:
        MailedHead.objects.filter(day=newest.day).delete()
        raise
    return True


@durable
def _close(through: date, actor: Actor, now: datetime) -> None:
    opened = closing.first_open_day()
    if closing.close(through, by=":".join(actor.actor), grace=grace(), now=now):
        data = {"through": str(through), "open_since": opened and str(opened)}
        audit.record(actor=actor, action="books.closed", kind="books", object_id=str(through), data=data, now=now)


def _seal(actor: Actor, clock: Callable[[], datetime], told: Callable[[Head], object] = lambda _: None) -> None:
    if seal_closed(by=":".join(actor.actor), clock=clock, told=told):
        bell.ring("wallets.mail_head")


def _letter(newest: Head) -> str:
    return (
        f"The days up to {newest.day} are closed: nothing can be posted there any more, and what was is sealed.\n"
        f"The head of the seals is\n\n{newest}\n\n"
        "Keep this letter where those who run the database can't reach it. With it anybody can tell whether something\n"
        "that was sealed has been changed since, even by somebody who made all the seals anew:\n\n"
        f"manage.py verify_ledger --head {newest}\n"
    )
