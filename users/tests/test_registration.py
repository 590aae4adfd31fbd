from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from users import registration
from users.models import AuditEvent, User
from users.tests.conftest import PASSWORD
from users.validation import ValidationError

REGISTER = "/api/v1/auth/register"


def test_registering_answers_with_the_person_and_without_the_password(anyone):
    body = {"email": "Bob@Example.com", "password": PASSWORD, "full_name": "Bob"}
    answer = anyone.post(REGISTER, body, format="json")
    bob = User.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"id": str(bob.pk), "email": "bob@example.com", "full_name": "Bob"}


def test_registering_leaves_a_trace(alice):
    event = AuditEvent.objects.get(action="user.registered")
    assert (event.actor_kind, event.actor_id, event.object_id) == ("person", str(alice.user.pk), str(alice.user.pk))


def test_the_password_is_stored_hashed(alice):
    assert alice.password not in User.objects.values_list("password", flat=True).get()


def test_an_email_is_taken_whatever_its_case(alice, anyone):
    answer = anyone.post(REGISTER, {"email": "ALICE@example.COM", "password": PASSWORD}, format="json")
    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("email", "taken")]
    assert User.objects.count() == 1


def test_the_database_itself_refuses_an_email_in_capitals(db):
    with pytest.raises(IntegrityError, match="users_user_email_lower"):
        User.objects.create(email="Alice@example.com")


@pytest.mark.parametrize(
    "email", ["", "alice", "alice@", "@example.com", "a b@example.com", "ä@example.com", "a@ex\n.c"]
)
def test_what_is_no_email_is_refused(email, now):
    with pytest.raises(ValidationError) as refusal:
        registration.register(email=email, password=PASSWORD, now=now)
    assert refusal.value.errors[0]["field"] == "email"
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "password1234", "12345678901234", "bob@example.com"])
def test_a_weak_password_is_refused(password, now):
    with pytest.raises(ValidationError) as refusal:
        registration.register(email="bob@example.com", password=password, now=now)
    assert {error["field"] for error in refusal.value.errors} == {"password"}
    assert not User.objects.exists()


def test_every_wrong_field_is_named_at_once(anyone):
    body = {"email": 5, "is_staff": True}
    errors = anyone.post(REGISTER, body, format="json").json()["errors"]
    assert {(error["field"], error["code"]) for error in errors} == {
        ("email", "invalid"),
        ("password", "required"),
        ("is_staff", "unknown_field"),
    }


def test_registration_can_be_switched_off(anyone, settings):
    settings.REGISTRATION_ENABLED = False
    answer = anyone.post(REGISTER, {"email": "bob@example.com", "password": PASSWORD}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert not User.objects.exists()


def test_one_of_four_registrations_at_once_wins(committed, now):
    def attempt(_):
        try:
            return registration.register(email="bob@example.com", password=PASSWORD, now=now)
        except ValidationError as refusal:
            return refusal.errors[0]["code"]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(4)))
    assert outcomes.count("taken") == 3
    assert User.objects.count() == 1
