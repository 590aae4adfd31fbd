"""Meters and their prices over HTTP: made once, announced ahead, and never changed for what was rated."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from wallets.models import Meter, MeterPrice
from wallets.tests.usage.conftest import read

STORAGE = {"slug": "storage", "name": "Storage", "unit": "GB", "aggregation": "max"}


def price(reporter, slug="calls", **more):
    body = {"currency": "NGN", "model": "per_unit", "unit_amount": "0.5"} | more
    return reporter.post(f"meters/{slug}/prices", body, key=None)


def in_minutes(minutes):
    return (timezone.now() + timedelta(minutes=minutes)).isoformat()


def test_a_meter_is_made_and_read(reporter, alice):
    made = reporter.post("meters", STORAGE, key=None)
    assert (made.status, made.headers["Location"]) == (201, "/api/v1/meters/storage")
    assert alice.http.get("meters/storage").body == made.body
    assert [meter["slug"] for meter in alice.http.get("meters").body["results"]] == ["storage"]


@pytest.mark.parametrize("wrong", [{"slug": "A b"}, {"aggregation": "mean"}, {"property": "user"},
                                   {"aggregation": "unique"}, {"name": ""}])  # fmt: skip
def test_a_meter_that_makes_no_sense_is_refused(reporter, wrong):
    assert reporter.post("meters", STORAGE | wrong, key=None).code == "validation_error"
    assert not Meter.objects.exists()


def test_a_slug_is_taken_once(reporter, metering):
    answer = reporter.post("meters", STORAGE | {"slug": "calls"}, key=None)
    assert (answer.status, answer.body["errors"][0]["code"]) == (400, "taken")


def test_a_meter_out_of_use_takes_nothing(reporter, metering, purse):
    assert reporter.patch("meters/calls", {"is_active": False}).body["is_active"] is False
    assert metering.use(purse).code == "meter_inactive"


@pytest.mark.parametrize(
    "wrong",
    [{"unit_amount": None}, {"unit_amount": "-1"}, {"unit_amount": 1}, {"model": "package"},
     {"package_size": "10"}, {"model": "graduated"}, {"currency": "XXX"}, {"starts_at": "2026-03-10T12:00:00Z"},
     {"model": "package", "package_size": "0"},
     {"model": "graduated", "unit_amount": None, "tiers": [{"up_to": "5", "unit_amount": "1"}]},
     {"model": "graduated", "unit_amount": None,
      "tiers": [{"up_to": "5", "unit_amount": "1"}, {"up_to": "5", "unit_amount": "1"}, {"unit_amount": "1"}]}],
)  # fmt: skip
def test_a_price_that_makes_no_sense_is_refused(reporter, metering, wrong):
    assert price(reporter, **wrong).code == "validation_error"
    assert MeterPrice.objects.count() == 1


def test_the_next_price_ends_the_one_before(reporter, metering, purse, clock):
    made = price(reporter, starts_at=in_minutes(10))
    assert made.status == 201
    newest, before = reporter.get("meters/calls/prices").body["results"]
    assert (newest["id"], before["ends_at"]) == (made.body["id"], made.body["starts_at"])
    metering.use(purse, 8)
    clock.shift(timedelta(minutes=11))
    metering.use(purse, 8)
    assert read(purse).unsettled == Decimal(8) / 4 + Decimal(8) / 2


def test_a_price_is_taken_back_until_it_is_in_effect(reporter, metering, clock):
    made = price(reporter, starts_at=in_minutes(10)).body
    path = f"meters/calls/prices/{made['id']}"
    clock.shift(timedelta(minutes=11))
    assert reporter.delete(path).code == "invalid_state"
    clock.shift(timedelta(minutes=-11))
    assert reporter.delete(path).status == 204
    (left,) = reporter.get("meters/calls/prices").body["results"]
    assert left["ends_at"] is None


def test_a_wallet_has_its_own_price_until_it_ends(reporter, metering, purse, bobs, clock):
    own = price(reporter, unit_amount="1", wallet=str(purse.id)).body
    metering.take(metering.event(purse, 4), metering.event(bobs, 4))
    assert (read(purse).unsettled, read(bobs).unsettled) == (4, 1)
    clock.shift(timedelta(minutes=1))
    ended = reporter.post(f"meters/calls/prices/{own['id']}/end", {}, key=None)
    assert ended.status == 200
    clock.shift(timedelta(minutes=10))
    metering.use(purse, 4)
    assert read(purse).unsettled == 5


def test_a_wallets_own_price_isnt_shown_to_people(reporter, metering, alice, purse):
    price(reporter, unit_amount="1", wallet=str(purse.id))
    assert len(reporter.get("meters/calls/prices").body["results"]) == 2
    assert len(alice.http.get("meters/calls/prices").body["results"]) == 1


def test_people_dont_set_prices(alice, metering):
    for method, path, body in (
        ("POST", "meters", STORAGE), ("PATCH", "meters/calls", {"name": "x"}),
        ("POST", "meters/calls/prices", {"currency": "NGN", "model": "per_unit", "unit_amount": "0"}),
    ):  # fmt: skip
        assert alice.http.send(method, path, body, {}).code == "permission_denied"
    assert (Meter.objects.count(), MeterPrice.objects.count()) == (1, 1)
