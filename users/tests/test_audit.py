from uuid import uuid4

import pytest
from django.db import DatabaseError, connections, transaction
from django.db.transaction import TransactionManagementError

from users import audit
from users.callers import Caller, System
from users.context import request_id
from users.models import AuditEvent, User
from users.tests.round_trips import round_trips

ATTACKS = [
    "UPDATE users_auditevent SET actor_id = 'somebody else'",
    "DELETE FROM users_auditevent",
    "DELETE FROM users_auditevent WHERE false",
    "TRUNCATE users_auditevent",
    "INSERT INTO users_auditevent SELECT * FROM users_auditevent ON CONFLICT (id) DO UPDATE SET action = 'nothing'",
    "WITH gone AS (DELETE FROM users_auditevent RETURNING *) SELECT count(*) FROM gone",
]


@pytest.fixture
def event(committed, now):
    """One deed, written down and committed."""
    with transaction.atomic():
        audit.record(actor=System("test"), action="door.opened", kind="door", object_id="front", now=now)
    return AuditEvent.objects.get()


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("role", ["default", "owner"])
def test_nobody_changes_the_trail(event, role, attack):
    with pytest.raises(DatabaseError, match=r"never changed|permission denied"), connections[role].cursor() as cursor:
        cursor.execute(attack)
    assert AuditEvent.objects.values().get() == AuditEvent.objects.filter(pk=event.pk).values().get()
    assert AuditEvent.objects.get().actor_id == "test"


@pytest.mark.parametrize("attack", ["DROP TABLE users_auditevent", "ALTER TABLE users_auditevent DISABLE TRIGGER ALL"])
def test_the_application_cannot_switch_the_guard_off(event, attack):
    with pytest.raises(DatabaseError, match="must be owner"), connections["default"].cursor() as cursor:
        cursor.execute(attack)


def test_the_trail_refuses_to_be_written_outside_a_transaction(committed, now):
    with pytest.raises(TransactionManagementError):
        audit.record(actor=System("test"), action="door.opened", kind="door", object_id="front", now=now)
    assert not AuditEvent.objects.exists()


def test_the_trail_goes_with_the_deed(committed, now):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(actor=System("test"), action="door.opened", kind="door", object_id="front", now=now)
        raise ZeroDivisionError
    assert not AuditEvent.objects.exists()


ID = uuid4()


@pytest.mark.parametrize(
    ("actor", "named"),
    [
        (Caller(kind="person", id=ID), ("person", str(ID))),
        (Caller(kind="person", id=ID, is_staff=True), ("staff", str(ID))),
        (Caller(kind="service", id=ID), ("service", str(ID))),
        (System("sweep"), ("system", "sweep")),
        (User(id=ID), ("person", str(ID))),
        (User(id=ID, is_staff=True), ("staff", str(ID))),
    ],
)
def test_every_kind_of_actor_is_named(actor, named, now):
    audit.record(actor=actor, action="door.opened", kind="door", object_id=ID, data={"by": ID, "at": now}, now=now)
    event = AuditEvent.objects.get()
    assert (event.actor_kind, event.actor_id) == named
    assert (event.object_id, event.data["by"], event.at) == (str(ID), str(ID), now)


def test_an_event_carries_the_id_of_its_request(now):
    token = request_id.set("req-1")
    try:
        audit.record(actor=System("test"), action="door.opened", kind="door", object_id="front", now=now)
    finally:
        request_id.reset(token)
    assert AuditEvent.objects.get().request_id == "req-1"


def test_many_events_cost_one_round_trip_and_none_cost_nothing(now):
    events = [
        audit.Event(actor=System("test"), action="door.opened", kind="door", object_id=str(n), now=now)
        for n in range(1000)
    ]
    audit.record_many(events[:1])
    with round_trips() as counted:
        audit.record_many(events[1:])
        audit.record_many([])
    assert counted == [1]
    assert list(AuditEvent.objects.order_by("id").values_list("object_id", flat=True)) == [str(n) for n in range(1000)]
