"""What a wallet used over time, how that was settled, and what gates an expensive call, over HTTP."""

from decimal import Decimal

import pytest

from wallets.models import UsageReservation, UsageSettlement
from wallets.tests.conftest import balance, books_are_clean
from wallets.tests.usage.conftest import read


def check(http, wallet, key="", **body):
    return http.post(f"wallets/{wallet.id}/check", body, key=key)


def usage(http, wallet, query=""):
    return http.get(f"wallets/{wallet.id}/usage{query}")


def test_usage_is_told_step_by_step(alice, metering, purse):
    metering.take(*[metering.event(purse, 4, ago=ago) for ago in (0, 30, 90, 3_700)])
    by_minute = usage(alice.http, purse, "?granularity=minute").body
    assert [(point["at"][11:16], point["quantity"], point["amount"]) for point in by_minute["results"]] == [
        ("11:58", "4", "1"), ("11:59", "4", "1"), ("12:00", "4", "1"),
    ]  # fmt: skip
    by_day = usage(alice.http, purse, "?granularity=day").body
    assert [(point["quantity"], point["amount"], point["events"]) for point in by_day["results"]] == [("16", "4", 4)]
    assert (by_day["currency"], by_day["granularity"]) == ("NGN", "day")


def test_usage_can_be_narrowed_down(alice, metering, purse):
    metering.meter("minutes", "2")
    metering.take(metering.event(purse, 4), metering.event(purse, 4, meter="minutes", ago=7_200))
    assert [point["meter"] for point in usage(alice.http, purse).body["results"]] == ["minutes", "calls"]
    assert [point["amount"] for point in usage(alice.http, purse, "?meter=minutes").body["results"]] == ["8"]
    assert usage(alice.http, purse, "?from=2026-03-10T11:00:00Z&meter=minutes").body["results"] == []
    assert len(usage(alice.http, purse, "?from=2026-03-10&to=2026-03-10").body["results"]) == 2


@pytest.mark.parametrize("query", ["?granularity=second", "?from=x", "?from=2026-03-11&to=2026-03-10", "?more=1",
                                   "?granularity=minute&from=2026-03-02"])  # fmt: skip
def test_a_series_that_cant_be_is_refused(alice, metering, purse, query):
    assert usage(alice.http, purse, query).code == "validation_error"


def test_usage_of_no_meter_isnt_found(alice, metering, purse):
    assert usage(alice.http, purse, "?meter=minutes").code == "not_found"


def test_usage_is_settled_on_demand(reporter, alice, metering, purse):
    metering.use(purse, 42)
    answer = reporter.post(f"wallets/{purse.id}/usage/settle", key=None)
    made = answer.body["settlement"]
    assert (made["amount"], made["unsettled"], made["billed"]) == (10, "0.5", 0)
    assert made["lines"][0]["quantity"] == "42"
    assert balance(alice.http, purse)[0] == 990
    assert reporter.post(f"wallets/{purse.id}/usage/settle", key=None).body == {"settlement": None}
    assert alice.http.get(f"wallets/{purse.id}/usage/settlements").body["results"] == [made]
    (newest, _) = alice.http.get(f"wallets/{purse.id}/transactions").body["results"]
    assert (newest["type"], newest["direction"], newest["amount"]) == ("usage", "debit", 10)


def test_people_dont_settle_nor_set_policies(alice, metering, purse):
    metering.use(purse, 42)
    assert alice.http.post(f"wallets/{purse.id}/usage/settle").code == "permission_denied"
    assert alice.http.patch(f"wallets/{purse.id}/usage/policy", {"overage": "bill"}).code == "permission_denied"
    assert not UsageSettlement.objects.exists()


def test_a_policy_is_read_and_set(reporter, alice, metering, purse):
    path = f"wallets/{purse.id}/usage/policy"
    assert alice.http.get(path).body["overage"] == "stop"
    assert reporter.patch(path, {"overage": "bill", "low_mark": 500}).status == 200
    body = alice.http.get(path).body
    assert (body["overage"], body["low_mark"], body["unsettled"]) == ("bill", 500, "0")


def test_a_check_allows_what_is_left(reporter, alice, metering, purse):
    metering.use(purse, 2_000)
    for amount, allowed in ((500, True), (501, False)):
        body = check(reporter, purse, amount=amount).body
        assert (body["allowed"], body["current"], body["reservation"]) == (allowed, "500", None)
    assert body["code"] == "insufficient_funds"
    assert check(alice.http, purse, key=None, amount=500).body["allowed"]
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)


def test_a_check_prices_a_quantity(reporter, metering, purse):
    for quantity, amount in (("10", 3), ("4000", 1_000), ("4000.1", 1_001)):
        body = check(reporter, purse, meter="calls", quantity=quantity).body
        assert (body["amount"], body["allowed"]) == (amount, amount <= 1_000)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"amount": 1, "meter": "calls", "quantity": "1"}, {"meter": "calls"}, {"quantity": "1"}, {"amount": 0},
     {"amount": "1"}, {"amount": 1, "ttl": 0}],
)  # fmt: skip
def test_a_check_of_nothing_is_refused(reporter, metering, purse, wrong):
    assert check(reporter, purse, **wrong).code == "validation_error"


def test_a_reservation_holds_until_it_is_captured(reporter, alice, metering, purse):
    held = check(reporter, purse, amount=400, reserve=True).body["reservation"]
    assert (held["status"], balance(alice.http, purse)) == ("open", (1_000, 400, 0, 600))
    assert not check(reporter, purse, amount=601, reserve=True).body["allowed"]
    taken = reporter.post(f"usage/reservations/{held['id']}/capture", {"amount": 150}).body
    assert (taken["status"], taken["captured"]) == ("captured", 150)
    assert balance(alice.http, purse) == (850, 0, 0, 850)
    assert reporter.post(f"usage/reservations/{held['id']}/capture", {"amount": 1}).code == "invalid_state"
    assert books_are_clean()


def test_a_reservation_is_released(reporter, alice, metering, purse):
    held = check(reporter, purse, meter="calls", quantity="100", reserve=True).body["reservation"]
    assert (held["amount"], held["meter"], held["quantity"]) == (25, "calls", "100")
    assert reporter.post(f"usage/reservations/{held['id']}/release").body["status"] == "released"
    assert balance(alice.http, purse) == (1_000, 0, 0, 1_000)


def test_a_reservation_lapses(reporter, alice, metering, purse, clock):
    held = check(reporter, purse, amount=400, reserve=True, ttl=60).body["reservation"]
    clock.shift(61)
    assert reporter.get(f"usage/reservations/{held['id']}").body["status"] == "expired"
    assert reporter.post(f"usage/reservations/{held['id']}/capture").code == "invalid_state"
    assert balance(alice.http, purse)[3] == 1_000


def test_no_more_is_captured_than_was_held(reporter, alice, metering, purse):
    held = check(reporter, purse, amount=400, reserve=True).body["reservation"]
    assert reporter.post(f"usage/reservations/{held['id']}/capture", {"amount": 401}).code == "validation_error"
    assert balance(alice.http, purse) == (1_000, 400, 0, 600)


def test_the_same_reservation_twice_holds_once(reporter, alice, metering, purse):
    first = check(reporter, purse, key="k-1", amount=400, reserve=True)
    again = check(reporter, purse, key="k-1", amount=400, reserve=True)
    assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")
    assert UsageReservation.objects.count() == 1
    assert check(reporter, purse, key=None, amount=400, reserve=True).code == "idempotency_key_missing"


def test_people_reserve_and_capture_nothing(reporter, alice, metering, purse):
    assert check(alice.http, purse, amount=1, reserve=True).code == "permission_denied"
    held = check(reporter, purse, amount=400, reserve=True).body["reservation"]
    for verb in ("capture", "release"):
        assert alice.http.post(f"usage/reservations/{held['id']}/{verb}").code == "permission_denied"
    assert balance(alice.http, purse)[1] == 400


def test_what_is_reserved_isnt_settled_away(reporter, alice, metering, purse):
    held = check(reporter, purse, amount=400, reserve=True).body["reservation"]
    metering.use(purse, 4_000)
    metering.settle(purse)
    assert (balance(alice.http, purse)[3], read(purse).current) == (0, Decimal(-400))
    reporter.post(f"usage/reservations/{held['id']}/release")
    metering.settle(purse)
    assert (balance(alice.http, purse)[0], read(purse).current) == (0, Decimal(0))
