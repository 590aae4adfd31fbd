import pytest
from django.utils import timezone

from users import sessions
from users.callers import Caller
from users.models import AuditEvent, User
from users.permissions import PermissionDenied, require_person, require_scope

ME = "/api/v1/me"


@pytest.fixture
def as_alice(alice, anyone):
    """A client with Alice's access token."""
    pair = sessions.log_in(email=alice.user.email, password=alice.password, now=timezone.now())
    anyone.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
    return anyone


def test_a_person_sees_themselves(alice, as_alice):
    answer = as_alice.get(ME)
    assert answer.status_code == 200
    assert answer.json() == {"id": str(alice.user.pk), "email": "alice@example.com", "full_name": "Alice"}


def test_a_person_changes_their_name(as_alice):
    answer = as_alice.patch(ME, {"full_name": "Alice B."}, format="json")
    assert (answer.status_code, answer.json()["full_name"]) == (200, "Alice B.")
    assert AuditEvent.objects.filter(action="user.renamed").count() == 1
    assert as_alice.patch(ME, {}, format="json").json()["full_name"] == "Alice B."


@pytest.mark.parametrize("field", ["id", "email", "is_staff", "is_superuser", "password"])
def test_a_person_changes_nothing_else(as_alice, field):
    before = User.objects.values().get()
    answer = as_alice.patch(ME, {field: "x"}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown_field")
    assert User.objects.values().get() == before


@pytest.mark.parametrize("header", [None, "Basic YTpi", "Token x"])
def test_without_a_token_nobody_is_known(anyone, header):
    answer = anyone.get(ME, **({"HTTP_AUTHORIZATION": header} if header else {}))
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x", "bearer é", "Bearer a.b.c"])
def test_a_bad_token_is_refused(anyone, header):
    answer = anyone.get(ME, HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


def test_scopes_bind_services_and_not_people(alice):
    person = Caller(kind="person", id=alice.user.pk)
    service = Caller(kind="service", id=alice.user.pk, scopes=frozenset({"wallets:read"}))
    require_scope(person, "wallets:write")
    require_scope(service, "wallets:read")
    require_person(person)
    with pytest.raises(PermissionDenied, match="wallets:write"):
        require_scope(service, "wallets:write")
    with pytest.raises(PermissionDenied):
        require_person(service)
