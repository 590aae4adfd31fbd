"""Closing as finance does it: with the trail, a letter, and a command that a cron can run."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import StringIO
from threading import Event, Thread

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django.urls import reverse

from ledger import sql, verify
from ledger.closing import NotOver, StillWriting, first_open_day
from ledger.seals import chain
from ledger.seals.parts import lines
from ledger.seals.sealing import Head, head, seal_closed
from users import audit
from users.callers import System
from users.models import AuditEvent, User
from wallets import closing, metrics, nightly
from wallets.models import MailedHead

MONDAY = datetime(2026, 10, 12, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def monday(request, settings):
    """Monday noon; it goes on when a test travels."""
    settings.FINANCE_EMAILS = ["finance@example.com"]
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def trade(monday, alice, bobs, shop):
    """On Monday Alice got 1,000 and sent Bob 300. It is Tuesday, twenty past midnight."""
    wallet = alice.open()
    shop.fund(wallet, 1_000)
    alice.http.post("transfers", {"source": str(wallet.id), "destination": str(bobs.id), "amount": 300})
    monday.move_to(datetime(2026, 10, 13, 0, 20, tzinfo=UTC))
    return wallet


def close(through=MONDAY.date(), actor=System("test")):  # noqa: B008
    return closing.close(through, actor=actor, clock=lambda: datetime.now(UTC))


def run(*options):
    """What close_period prints."""
    out = StringIO()
    call_command("close_period", *options, stdout=out)
    return out.getvalue()


def test_who_closed_a_day_is_in_the_trail(trade, sade):
    close(actor=sade.user)
    event = AuditEvent.objects.get(action="books.closed")
    assert (event.actor_kind, event.actor_id, event.object_id) == ("staff", str(sade.user.pk), "2026-10-12")
    assert event.data == {"through": "2026-10-12", "open_since": None}
    assert first_open_day() == date(2026, 10, 13)


def test_a_day_is_closed_and_told_once(trade):
    assert close() == close() == head()
    assert AuditEvent.objects.filter(action="books.closed").count() == 1


def test_a_day_that_goes_on_is_refused_and_stays_open(trade):
    with pytest.raises(NotOver):
        close(MONDAY.date() + DAY)
    assert first_open_day() is None and not AuditEvent.objects.filter(action="books.closed").exists()


def test_money_moves_on_when_yesterday_is_closed(trade, shop):
    close()
    assert shop.fund(trade, 100)["amount"] == 100
    assert verify.clean()


def test_no_event_of_a_closed_day_is_recorded(trade):
    close()
    with pytest.raises(DatabaseError, match="the trail of 2026-10-12 is closed"), transaction.atomic():
        audit.record(actor=System("test"), action="door.opened", kind="door", object_id="front", now=MONDAY)
    assert not AuditEvent.objects.filter(action="door.opened").exists()


def test_the_trail_is_sealed_with_the_books(trade):
    close()
    sql.plainly()
    rows = list(lines(closing.AUDIT, MONDAY.date()))
    assert len(rows) == AuditEvent.objects.filter(at__lt=MONDAY + DAY / 2).count() > 3
    (said,) = sql.rows("SELECT parts ->> 'audit' FROM ledger_seal WHERE day = '2026-10-12'")[0]
    assert said == f"{len(rows)} {sha256(b''.join(rows)).hexdigest()}"


def test_who_was_recording_when_the_day_was_closed_is_waited_for(committed, trade):
    recorded, may_commit = Event(), Event()

    def record_slowly():
        with transaction.atomic():
            audit.record(actor=System("test"), action="door.opened", kind="door", object_id="front", now=MONDAY)
            recorded.set()
            may_commit.wait(10)
        connection.close()

    slow = Thread(target=record_slowly)
    slow.start()
    assert recorded.wait(10)
    closing.close_soon(MONDAY.date(), actor=System("test"), now=datetime.now(UTC))
    with pytest.raises(StillWriting):
        seal_closed(by="test", clock=lambda: datetime.now(UTC), patience=0)
    may_commit.set()
    slow.join()
    close()
    assert verify.clean() and AuditEvent.objects.filter(action="door.opened").exists()


NEW = "01900000-0000-7000-8000-000000000001"
TAMPERING = [
    ("UPDATE users_auditevent SET actor_id = 'x' WHERE action = 'transfer.made'", "{made} was changed"),
    ("UPDATE users_auditevent SET data = '{}' WHERE action = 'transfer.made'", "{made} was changed"),
    ("DELETE FROM users_auditevent WHERE action = 'transfer.made'", "{made} is gone"),
    ("INSERT INTO users_auditevent (id, at, actor_kind, actor_id, action, object_kind, object_id, request_id, data)"
     f" VALUES ('{NEW}', '2026-10-12', 'system', 'x', 'x', 'x', 'x', '', '{{}}')", f"{NEW} was added"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "said"), TAMPERING)
def test_an_event_that_was_tampered_with_is_named(committed, trade, statement, said):
    close()
    made = AuditEvent.objects.get(action="transfer.made").pk
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE users_auditevent DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE users_auditevent ENABLE TRIGGER USER")
    with sql.snapshot():
        assert list(chain.broken()) == [f"2026-10-12: audit event {said.format(made=made)}"]


def test_finance_hears_of_the_newest_head_once(trade):
    now = datetime.now(UTC)
    assert not closing.mail_head(now=now)
    close()
    assert [closing.mail_head(now=now), closing.mail_head(now=now)] == [True, False]
    (letter,) = mail.outbox
    assert letter.to == ["finance@example.com"] and letter.subject == "The books are closed up to 2026-10-12"
    assert f"\n{head()}\n" in letter.body


def test_a_letter_that_couldnt_be_sent_is_sent_later(trade, monkeypatch):
    close()
    with monkeypatch.context() as patched, pytest.raises(ZeroDivisionError):
        patched.setattr("wallets.finance.EmailMessage.send", lambda *_: 1 / 0)
        closing.mail_head(now=MONDAY)
    assert not MailedHead.objects.exists()
    assert closing.mail_head(now=MONDAY) and len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("days", "at", "newest"),
    [
        (0, "2026-10-15 12:00", None),
        (1, "2026-10-13 00:14", "2026-10-11"),
        (1, "2026-10-13 00:15", "2026-10-12"),
        (3, "2026-10-15 00:15", "2026-10-12"),
        (3, "2026-10-15 00:14", "2026-10-11"),
    ],
)
def test_days_are_closed_by_themselves_when_their_time_has_come(trade, monday, settings, days, at, newest):
    settings.CLOSE_DAYS_AFTER = days
    monday.move_to(datetime.fromisoformat(f"{at}+00:00"))
    closing.close_due(clock=lambda: datetime.now(UTC))
    assert first_open_day() == (newest and date.fromisoformat(newest) + DAY)
    assert (head() and str(head().day)) == (newest if newest == "2026-10-12" else None)


def test_a_worker_seals_what_was_closed_and_left(trade):
    closing.close_soon(MONDAY.date(), actor=System("test"), now=datetime.now(UTC))
    assert head() is None
    closing.close_due(clock=lambda: datetime.now(UTC))
    assert head().day == MONDAY.date()


def test_the_command_closes_yesterday_and_prints_the_head(trade):
    out = run()
    assert "To be closed and sealed: 2026-10-12 to 2026-10-12, 1 days." in out
    assert f"Head of the seals: {head()}" in out
    assert AuditEvent.objects.get(action="books.closed").actor_id == "close_period"
    assert "To be closed and sealed: nothing." in run()


def test_the_command_closes_a_month(trade, monday):
    monday.move_to(datetime(2026, 11, 1, 1, tzinfo=UTC))
    assert "2026-10-12 to 2026-10-31, 20 days" in run("--month", "2026-10")
    assert head().day == date(2026, 10, 31)


def test_a_rehearsal_closes_nothing(trade):
    assert "2026-10-12 to 2026-10-12" in run("--dry-run")
    assert first_open_day() is None and head() is None


@pytest.mark.parametrize("options", [["--through", "2026-10-13"], ["--month", "2026-10", "--dry-run"]])
def test_the_command_says_when_a_day_can_be_closed(trade, options):
    with pytest.raises(CommandError, match=r"can be closed from 2026-1\d-\d\d 00:15 UTC on"):
        run(*options)
    assert first_open_day() is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--day", "yesterday"], "'yesterday' is no day"),
        (["--month", "October"], "'October' is no month"),
        (["--month", "2026-10", "--day", "2026-10-12"], "not allowed with"),
    ],
)
def test_the_command_refuses_what_it_cant_read(options, said):
    with pytest.raises(CommandError, match=said):
        run(*options)


def test_a_quiet_command_says_nothing(trade):
    assert run("--quiet") == ""
    assert isinstance(head(), Head)


@pytest.mark.parametrize(
    ("hour", "at", "proven"), [(3, "02:59", 0), (3, "03:00", 1), (-1, "12:00", 0), (0, "00:00", 1)]
)
def test_the_books_are_proven_once_a_night(trade, settings, hour, at, proven):
    settings.VERIFY_HOUR = hour
    for seconds in range(2):
        now = datetime.fromisoformat(f"2026-10-14 {at}+00:00") + timedelta(seconds=seconds)
        nightly.verify(clock=lambda now=now: now)
    assert sql.rows("SELECT count(*) FROM ledger_verification") == [(proven,)]


def test_finance_hears_of_it_when_the_books_dont_hold(committed, trade):
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_balance DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_balance SET balance = balance - 5 WHERE floor = 0")
        cursor.execute("ALTER TABLE ledger_balance ENABLE TRIGGER USER")
    for _ in range(2):
        nightly.verify(clock=lambda: datetime(2026, 10, 14, 3, tzinfo=UTC))
    (letter,) = mail.outbox
    assert letter.subject == "The books don't hold: 2 offenders"
    assert letter.body.count("law 3: account") == 2
    assert b"wallet_verification_broken 2.0" in metrics.exposition()


@pytest.fixture
def ada(database, monday):
    """The accountant, in the back office."""
    user = User.objects.create_user("ada@example.com", "a long password", is_staff=True)
    user.groups.set(Group.objects.filter(name="accountant"))
    client = Client()
    client.force_login(user)
    return client


def press(client, through):
    """The button above the list of closed days."""
    url = reverse("admin:ledger_seal_close_days")
    return client.post(url, {"through": through, "_form_submitted": "on"})


def test_finance_closes_days_in_the_back_office_and_has_their_seals(trade, ada, settings):
    assert press(ada, "2026-10-12").status_code == 200
    assert (first_open_day(), head()) == (date(2026, 10, 13), None), "a worker seals it"
    closing.close_due(clock=lambda: datetime.now(UTC))
    listed = ada.get(reverse("admin:ledger_seal_changelist")).content.decode()
    assert "2026-10-12" in listed and head().seal.hex()[-8:] in listed
    assert str(head()) in ada.get(reverse("admin:ledger_seal_change", args=["2026-10-12"])).content.decode()
    report = ada.get(reverse("admin:report", args=["seals"]), {"since": "2026-10-01", "until": "2026-10-31"})
    assert str(head()).encode() in report.content


@pytest.mark.parametrize(("through", "said"), [
    ("2026-10-13", "can be closed from 2026-10-14 00:15 UTC on"),
    ("2026-10-10", "are closed already"),
    ("", "required"),
])  # fmt: skip
def test_what_cant_be_closed_is_said_in_the_dialog(trade, ada, through, said):
    close()
    assert said in press(ada, through).content.decode()
    assert first_open_day() == date(2026, 10, 13)
