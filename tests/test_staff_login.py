"""Staff log in: a password, a second factor where there is one, a lock after wrong passwords, and sessions that end."""

from datetime import timedelta
from time import time

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP

from users import second_factor, sessions, tokens
from users.models import AuditEvent, Authenticator, RecoveryCode, StaffSession, User

PASSWORD = "a long password"
INDEX, FACTOR = "/admin/", "/admin/second-factor/"


@pytest.fixture
def ada(db, settings):
    settings.RATELIMIT_ENABLE = False
    return User.objects.create_superuser("ada@example.com", PASSWORD)


def log_in(password=PASSWORD, client=None, **more):
    client = client or Client()
    answer = client.post(reverse("admin:login"), {"username": "ada@example.com", "password": password}, **more)
    return client, answer


def code_of(authenticator, steps=0):
    totp = TOTP(authenticator.key)
    totp.time = time() + 30 * steps
    return f"{totp.token():06}"


def enrol(user):
    """An authenticator in use, and recovery codes; its first code has served."""
    found = second_factor.begin(user)
    codes = second_factor.confirm(user, code_of(found, -1), now=timezone.now())
    return Authenticator.objects.get(), codes


def is_in(client):
    return client.get(INDEX).status_code == 200


def test_without_a_second_factor_a_password_is_enough_in_development(ada):
    client, answer = log_in()
    assert (answer.status_code, answer["Location"], is_in(client)) == (302, INDEX, True)
    assert AuditEvent.objects.filter(action="staff.logged_in", actor_id=str(ada.pk)).count() == 1


def test_whoever_has_one_must_show_it(ada):
    authenticator, _ = enrol(ada)
    client, _ = log_in()
    assert client.get(INDEX).status_code == 302
    asked = client.get("/admin/wallets/wallet/", follow=True)
    assert asked.redirect_chain[-1][0] == f"{FACTOR}?next=%2Fadmin%2Fwallets%2Fwallet%2F"
    assert b"one of your recovery codes" in asked.content
    assert client.post(FACTOR, {"code": "000000"}).status_code == 200
    assert not is_in(client)
    with time_machine.travel(time() + 2):
        let_in = client.post(f"{FACTOR}?next=/admin/wallets/wallet/", {"code": code_of(authenticator)})
        assert (let_in.status_code, let_in["Location"]) == (302, "/admin/wallets/wallet/")
        assert is_in(client)


def test_a_second_factor_leads_to_no_other_host(ada):
    authenticator, _ = enrol(ada)
    client, _ = log_in()
    let_in = client.post(f"{FACTOR}?next=https://elsewhere.example/", {"code": code_of(authenticator)})
    assert let_in["Location"] == INDEX


def test_where_it_is_required_it_is_set_up_at_the_first_log_in(ada, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    client, _ = log_in()
    page = client.get(INDEX, follow=True)
    authenticator = Authenticator.objects.get()
    assert b"<svg" in page.content and authenticator.written.encode() in page.content
    assert not is_in(client)
    kept = client.post(FACTOR, {"code": code_of(authenticator)})
    assert kept.status_code == 200
    assert len(kept.context["codes"]) == RecoveryCode.objects.count() == 10
    assert is_in(client)
    assert authenticator.written.encode() not in bytes(Authenticator.objects.get().secret)


def test_a_code_serves_once(ada):
    authenticator, _ = enrol(ada)
    code = code_of(authenticator)
    assert second_factor.check(ada, code, now=timezone.now())
    with time_machine.travel(time() + 5, tick=False):
        assert not second_factor.check(ada, code, now=timezone.now())


@pytest.mark.parametrize("wrong", ["", "12345", "1234567", "abcdef", "１２３４５６", "0x1f4a", "-12345"])
def test_what_is_no_code_lets_nobody_in(ada, wrong):
    enrol(ada)
    assert second_factor.check(ada, wrong, now=timezone.now()) is None


def test_guessing_is_slowed_down(ada):
    authenticator, _ = enrol(ada)
    wrong = f"{(int(code_of(authenticator)) + 1) % 10**6:06}"
    for _ in range(3):
        second_factor.check(ada, wrong, now=timezone.now())
    assert second_factor.check(ada, code_of(authenticator), now=timezone.now()) is None, "too soon after wrong ones"


def test_a_recovery_code_serves_once(ada):
    _, (code, *_rest) = enrol(ada)
    assert second_factor.check(ada, f" {code.upper()} ", now=timezone.now())
    assert not second_factor.check(ada, code, now=timezone.now())
    assert AuditEvent.objects.filter(action="second_factor.recovered").count() == 1


def test_a_second_factor_is_reset_for_whoever_has_lost_everything(ada):
    enrol(ada)
    call_command("reset_second_factor", "ada@example.com")
    client, _ = log_in()
    assert is_in(client)
    assert not RecoveryCode.objects.exists()


def test_a_password_alone_makes_nobody_staff_of_the_api_once_a_second_factor_is_due(ada, settings):
    def is_staff(pair):
        return tokens.authenticate(pair.access, now=timezone.now()).is_staff

    def session():
        return sessions.log_in(email=ada.email, password=PASSWORD, now=timezone.now())

    before = session()
    assert is_staff(before)
    enrol(ada)
    assert not is_staff(session())
    assert not is_staff(sessions.refresh(token=before.refresh, now=timezone.now()))


def test_wrong_passwords_lock_the_name_from_their_address_and_from_no_other(ada, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for _ in range(3):
        _, answer = log_in("wrong")
    assert answer.status_code == 429
    _, answer = log_in()
    assert (answer.status_code, b"Too many wrong passwords" in answer.content) == (429, True)
    elsewhere, _ = log_in(REMOTE_ADDR="198.51.100.7")
    assert is_in(elsewhere)


def test_a_session_ends_when_its_time_is_up_however_busy(ada):
    client, _ = log_in()
    with time_machine.travel(timezone.now() + timedelta(minutes=25)):
        assert is_in(client)
    with time_machine.travel(timezone.now() + timedelta(hours=12, minutes=1)):
        assert not is_in(client)


def test_an_idle_session_ends(ada):
    client, _ = log_in()
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert not is_in(client)


def test_the_oldest_of_too_many_sessions_ends(ada, settings):
    settings.STAFF_SESSIONS = 2
    clients = []
    for minute in range(3):
        with time_machine.travel(timezone.now() + timedelta(minutes=minute)):
            clients.append(log_in()[0])
    assert [is_in(client) for client in clients] == [False, True, True]
    assert StaffSession.objects.count() == 2


def test_logging_out_ends_the_session(ada):
    client, _ = log_in()
    client.post(reverse("admin:logout"))
    assert (StaffSession.objects.count(), Session.objects.count()) == (0, 0)


def test_a_customers_password_opens_no_back_office(db, settings):
    User.objects.create_user("ada@example.com", PASSWORD)
    client, answer = log_in()
    assert (answer.status_code, is_in(client)) == (200, False)
    assert client.get(FACTOR).status_code == 302


@pytest.mark.parametrize("role", ["accountant", "auditor"])
def test_staff_are_made_by_command(db, monkeypatch, role):
    monkeypatch.setattr("sys.stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    with pytest.raises(Exception, match="too short"):
        call_command("create_staff", "eve@example.com", "--role", role)
    monkeypatch.setattr("users.management.commands.create_staff.Command._password", lambda *_: PASSWORD)
    call_command("create_staff", "eve@example.com", "--role", role)
    user = User.objects.get(email="eve@example.com")
    assert (user.is_staff, user.groups.get().name) == (True, role)
    assert user.has_perm("users.view_auditevent")
