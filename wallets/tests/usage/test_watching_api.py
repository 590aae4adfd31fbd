"""Thresholds, alerts and automatic top-ups over HTTP: set by owners, seen by members, and there for nobody else."""

import pytest
from django.utils import timezone

from wallets import tasks
from wallets.models import AutomaticTopUp, Member, UsageThreshold


@pytest.fixture
def shared(purse, bob):
    """Alice's wallet, which Bob may look at."""
    Member.objects.create(wallet=purse, user=bob.user, role="viewer", created_at=timezone.now())
    return f"wallets/{purse.pk}/usage"


def test_an_owner_sets_a_threshold_hears_of_it_and_removes_it(metering, alice, bob, purse, shared):
    made = alice.http.post(f"{shared}/thresholds", {"below": 500}, key=None)
    assert (made.status, made.body["kind"], made.body["clears_at"]) == (201, "current", 550)
    metering.use(purse, 2_004)
    tasks.watch_usage()
    (alert,) = bob.http.get(f"{shared}/alerts").body["results"]
    assert (alert["figure"], alert["below"], alert["closed_at"]) == ("499", 500, None)
    assert len(bob.http.get(f"{shared}/thresholds").body["results"]) == 1
    assert alice.http.delete(f"{shared}/thresholds/{made.body['id']}").status == 204
    assert bob.http.get(f"{shared}/alerts").body["results"][0]["closed_at"]


def test_an_owner_sets_up_an_automatic_top_up_and_switches_it_off(metering, alice, purse, shared):
    source = alice.open(name="Savings")
    body = {"source": str(source.pk), "below": 500, "amount": 2_000, "monthly_cap": 10_000}
    made = alice.http.send("PUT", f"{shared}/automatic-top-up", body, {})
    assert (made.status, made.body["cool_down"], made.body["is_active"]) == (200, 600, True)
    assert alice.http.get(f"{shared}/automatic-top-up").body == made.body
    assert alice.http.delete(f"{shared}/automatic-top-up").status == 204
    assert not AutomaticTopUp.objects.get().is_active


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("charlie", 404), ("shop", 403)])
def test_others_set_nothing(request, alice, shared, who, status):
    http = request.getfixturevalue(who).http
    plan = {"source": str(alice.open().pk), "below": 5, "amount": 20}
    assert http.post(f"{shared}/thresholds", {"below": 500}, key=None).status == status
    if who != "shop":
        assert http.send("PUT", f"{shared}/automatic-top-up", plan, {}).status == status
    assert not UsageThreshold.objects.exists() and not AutomaticTopUp.objects.exists()


def test_a_stranger_sees_nothing(charlie, shared):
    assert {charlie.http.get(f"{shared}/{what}").status for what in ("alerts", "thresholds", "automatic-top-up")} == {
        404
    }


def test_a_threshold_of_another_wallet_is_not_found(alice, bobs, shared):
    other = UsageThreshold.objects.create(
        wallet=bobs, kind="current", below=5, clears_at=6, set_by="system:test", created_at=timezone.now()
    )
    assert alice.http.delete(f"{shared}/thresholds/{other.pk}").status == 404
    assert UsageThreshold.objects.get() == other
