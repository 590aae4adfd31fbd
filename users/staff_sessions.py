"""Sessions of the back office: how many somebody may have at once, for how long, and ending them."""

from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest

from users import audit
from users.callers import Actor
from users.models import StaffSession, User

STARTED = "started_at"


def start(request: HttpRequest, user: User, *, address: str, now: datetime) -> None:
    """Note a session that has just begun, and end the oldest where somebody has too many."""
    if request.session.session_key is None:
        request.session.save()
    key = request.session.session_key or ""
    request.session[STARTED] = now.timestamp()
    with transaction.atomic():
        StaffSession.objects.update_or_create(
            session_key=key,
            defaults={
                "user": user, "started_at": now, "address": address[:45],
                "browser": request.META.get("HTTP_USER_AGENT", "")[:255],
            },
        )  # fmt: skip
        audit.record(
            actor=user, action="staff.logged_in", kind="user", object_id=user.pk, data={"address": address}, now=now
        )
        mine = StaffSession.objects.filter(user=user).order_by("-started_at", "session_key")
        for session in mine[settings.STAFF_SESSIONS :]:
            _forget(session)


def renamed(old: str, new: str) -> None:
    """A session goes on under another key."""
    StaffSession.objects.filter(session_key=old).update(session_key=new)


def is_over(request: HttpRequest, *, now: datetime) -> bool:
    """Whether a session has lasted for as long as one may, however busy it is."""
    started = request.session.get(STARTED)
    return started is not None and now.timestamp() - started > settings.STAFF_SESSION_HOURS * 3600


def end(key: str, *, actor: Actor, now: datetime) -> bool:
    """End a session: its browser must log in again. False where there is none."""
    with transaction.atomic():
        session = StaffSession.objects.filter(session_key=key).first()
        if session is None:
            return False
        _forget(session)
        audit.record(actor=actor, action="staff.session_ended", kind="user", object_id=session.user_id, now=now)
    return True


def forget_old(now: datetime) -> None:
    """Take sessions off the list that can't be alive any more."""
    StaffSession.objects.filter(started_at__lt=now - timedelta(hours=settings.STAFF_SESSION_HOURS)).delete()


def _forget(session: StaffSession) -> None:
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    store(session.session_key).delete()
    session.delete()
