from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import jwt
import pytest
from django.conf import settings as project
from django.contrib.auth import hashers
from django.db import connection

from users import sessions, tokens
from users.callers import Caller
from users.models import AuditEvent, RefreshToken, User
from users.tokens import TokenInvalid


@pytest.fixture
def pair(alice, now):
    return sessions.log_in(email=alice.user.email, password=alice.password, now=now)


def forge(token, *, key=None, algorithm="HS256", **changes):
    """The same claims with changes, signed with our own key unless another is given."""
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    return jwt.encode(claims, project.JWT_SIGNING_KEY if key is None else key, algorithm=algorithm)


def test_logging_in_gives_a_pair_that_says_who_calls(alice, anyone, now):
    answer = anyone.post(
        "/api/v1/auth/token", {"email": "ALICE@example.com", "password": alice.password}, format="json"
    )
    assert answer.status_code == 200
    assert tokens.authenticate(answer.json()["access"], now=now) == Caller(kind="person", id=alice.user.pk)
    assert AuditEvent.objects.filter(action="session.started", actor_id=str(alice.user.pk)).count() == 1


def test_a_wrong_password_and_a_missing_account_look_the_same(alice, anyone):
    wrong = anyone.post("/api/v1/auth/token", {"email": alice.user.email, "password": "wrong"}, format="json")
    missing = anyone.post("/api/v1/auth/token", {"email": "nobody@example.com", "password": "wrong"}, format="json")
    assert wrong.status_code == missing.status_code == 401
    assert wrong.json()["code"] == "not_authenticated"
    assert {**wrong.json(), "request_id": ""} == {**missing.json(), "request_id": ""}


def test_a_missing_account_costs_a_hash_as_well(alice, now, monkeypatch):
    hasher, hashed = hashers.get_hasher(), []
    encode = type(hasher).encode
    monkeypatch.setattr(type(hasher), "encode", lambda *args: hashed.append(args) or encode(*args))
    for email in (alice.user.email, "nobody@example.com"):
        with pytest.raises(sessions.WrongCredentials):
            sessions.log_in(email=email, password="wrong", now=now)
    assert len(hashed) == 2


def test_somebody_switched_off_can_neither_log_in_nor_stay(alice, pair, now):
    User.objects.update(is_active=False)
    with pytest.raises(sessions.WrongCredentials):
        sessions.log_in(email=alice.user.email, password=alice.password, now=now)
    with pytest.raises(TokenInvalid):
        sessions.refresh(token=pair.refresh, now=now)


def test_an_access_token_needs_no_query(pair, now, django_assert_num_queries):
    with django_assert_num_queries(0):
        tokens.authenticate(pair.access, now=now)


def test_an_access_token_lives_five_minutes(pair, now):
    tokens.authenticate(pair.access, now=now + timedelta(seconds=298))
    with pytest.raises(TokenInvalid):
        tokens.authenticate(pair.access, now=now + timedelta(seconds=300))


def test_the_two_kinds_of_token_are_not_each_other(pair, now):
    with pytest.raises(TokenInvalid):
        tokens.authenticate(pair.refresh, now=now)
    with pytest.raises(TokenInvalid):
        sessions.refresh(token=pair.access, now=now)
    assert not RefreshToken.objects.filter(revoked_at__isnull=False).exists()


def test_a_token_with_another_key_or_algorithm_is_refused(pair, now):
    assert tokens.authenticate(forge(pair.access), now=now)
    for changes in ({"key": "x" * 64}, {"key": "", "algorithm": "none"}, {"algorithm": "HS512"}):
        with pytest.raises(TokenInvalid):
            tokens.authenticate(forge(pair.access, **changes), now=now)


@pytest.mark.parametrize(
    "changes",
    [{"sub": "1"}, {"sub": None}, {"exp": "soon"}, {"exp": 1e400}, {"exp": -1}, {"jti": 5}, {"fam": ""}, {"typ": []}],
)
def test_claims_that_make_no_sense_are_refused(pair, now, changes):
    with pytest.raises(TokenInvalid):
        tokens.authenticate(forge(pair.access, **changes), now=now)


@pytest.mark.parametrize("token", ["", ".", "a.b.c", "é.é.é", "e30.e30.", "\x00", "x" * 5000])
def test_what_is_no_token_is_refused(token, now):
    with pytest.raises(TokenInvalid):
        tokens.authenticate(token, now=now)


def test_only_a_true_staff_claim_makes_staff(pair, now):
    assert tokens.authenticate(forge(pair.access, staff=True), now=now).is_staff
    assert not tokens.authenticate(forge(pair.access, staff="false"), now=now).is_staff


def test_a_refresh_token_serves_once_and_its_reuse_ends_the_family(pair, now):
    second = sessions.refresh(token=pair.refresh, now=now)
    with pytest.raises(TokenInvalid):
        sessions.refresh(token=pair.refresh, now=now)
    with pytest.raises(TokenInvalid):
        sessions.refresh(token=second.refresh, now=now)
    assert AuditEvent.objects.filter(action="session.revoked").count() == 1


def test_another_log_in_of_the_same_person_goes_on(alice, pair, now):
    other = sessions.log_in(email=alice.user.email, password=alice.password, now=now)
    sessions.log_out(token=pair.refresh, now=now)
    assert sessions.refresh(token=other.refresh, now=now)


def test_a_refresh_token_grows_old(pair, now, settings):
    with pytest.raises(TokenInvalid):
        sessions.refresh(token=pair.refresh, now=now + timedelta(seconds=settings.JWT_REFRESH_SECONDS))


def test_logging_out_ends_the_family(pair, anyone, now):
    second = sessions.refresh(token=pair.refresh, now=now)
    answer = anyone.post("/api/v1/auth/logout", {"refresh": second.refresh}, format="json")
    assert (answer.status_code, answer.content) == (204, b"")
    with pytest.raises(TokenInvalid):
        sessions.refresh(token=second.refresh, now=now)


def test_refreshing_over_http(pair, anyone):
    answer = anyone.post("/api/v1/auth/token/refresh", {"refresh": pair.refresh}, format="json")
    again = anyone.post("/api/v1/auth/token/refresh", {"refresh": pair.refresh}, format="json")
    assert (answer.status_code, set(answer.json())) == (200, {"access", "refresh"})
    assert (again.status_code, again.json()["code"]) == (401, "token_invalid")


def at_once(act, arguments):
    """Call from one real thread for each argument, all let go together; exceptions are outcomes."""
    barrier = Barrier(len(arguments))

    def run(argument):
        try:
            barrier.wait()
            return act(argument)
        except TokenInvalid as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


def test_of_four_uses_of_one_token_at_once_one_wins_and_the_family_is_dead(committed, pair, now):
    outcomes = at_once(lambda token: sessions.refresh(token=token, now=now), [pair.refresh] * 4)
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, tokens.Pair)]
    with pytest.raises(TokenInvalid):
        sessions.refresh(token=winner.refresh, now=now)
    assert not RefreshToken.objects.filter(revoked_at__isnull=True).exists()


def test_a_rotation_under_way_does_not_outlive_the_revocation_of_its_family(committed, alice, now):
    for _ in range(20):
        first = sessions.log_in(email=alice.user.email, password=alice.password, now=now)
        second = sessions.refresh(token=first.refresh, now=now)
        at_once(lambda token: sessions.refresh(token=token, now=now), [first.refresh, second.refresh])
        assert not RefreshToken.objects.filter(revoked_at__isnull=True).exists()


def test_tokens_stay_out_of_reprs(pair):
    assert pair.access not in repr(pair)
    assert pair.refresh not in repr(pair)
