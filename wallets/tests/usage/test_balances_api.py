"""Balances that count usage, over HTTP: what they say, who may see them, and how fresh they are."""

from decimal import Decimal

import pytest
from django.utils import timezone

from ledger import sql
from wallets.balances import Ask
from wallets.models import UsageAccount
from wallets.tests.conftest import service
from wallets.tests.usage.conftest import EVERYBODY, read
from wallets.usage import cache, estimates

ESTIMATED = {
    "wallet", "currency", "exponent", "available", "unsettled_usage", "current", "projected_usage", "estimated",
    "is_estimate", "method", "interval", "rate", "runway_seconds", "as_of", "watermark", "staleness_ms", "source",
    "degraded", "version",
}  # fmt: skip
HEADERS = {
    "X-Balance-Estimated", "X-Balance-As-Of", "X-Balance-Watermark", "X-Balance-Staleness-Ms", "X-Balance-Method",
    "X-Balance-Error-Bound", "Age", "Cache-Control", "ETag",
}  # fmt: skip


@pytest.fixture
def busy(metering, purse, clock):
    """Alice's wallet, which has used 0.4 calls a second for half an hour, up to a minute ago."""
    metering.take(*[metering.event(purse, 4, ago=second) for second in range(1_800, 0, -10)])
    clock.shift(60)
    return purse


def estimate(http, wallet, query="", **headers):
    return http.get(f"wallets/{wallet.id}/balance/estimated{query}", **headers)


def test_current_is_what_is_available_less_what_was_used(alice, metering, purse):
    metering.use(purse, "10.5")
    answer = alice.http.get(f"wallets/{purse.id}/balance/current")
    said = {name: answer.body[name] for name in ("available", "unsettled_usage", "current", "is_estimate", "currency")}
    assert said == {"available": "1000", "unsettled_usage": "2.625", "current": "997.375", "is_estimate": False,
                    "currency": "NGN"}  # fmt: skip
    assert answer.headers["X-Balance-Estimated"] == "false"
    assert answer.headers["ETag"]


def test_a_wallet_without_usage_has_its_available_balance(alice, purse):
    body = alice.http.get(f"wallets/{purse.id}/balance/current").body
    assert (body["current"], body["unsettled_usage"], body["staleness_ms"]) == ("1000", "0", 0)
    body = estimate(alice.http, purse).body
    assert (body["estimated"], body["method"], body["runway_seconds"]) == ("1000", "none", None)


def test_an_estimate_says_all_that_it_should(alice, busy):
    answer = estimate(alice.http, busy)
    body = answer.body
    assert set(body) == ESTIMATED
    assert set(answer.headers) >= HEADERS
    assert Decimal(body["estimated"]) == Decimal(body["current"]) - Decimal(body["projected_usage"])
    assert Decimal(body["interval"]["lower"]) <= Decimal(body["estimated"]) <= Decimal(body["interval"]["upper"])
    assert Decimal(body["interval"]["upper"]) <= Decimal(body["current"])
    assert (body["is_estimate"], body["interval"]["confidence"], answer.headers["X-Balance-Estimated"]) == (
        True, 0.95, "true",
    )  # fmt: skip


def test_what_is_steady_is_projected_to_now(alice, busy):
    body = estimate(alice.http, busy).body
    assert (body["method"], body["staleness_ms"]) == ("ewma", 60_000)
    assert (body["current"], body["rate"]["per_second"]) == ("820", "0.1")
    assert Decimal(body["projected_usage"]) == pytest.approx(Decimal(6), abs=Decimal("0.001"))
    assert body["runway_seconds"] == pytest.approx(8_140, abs=1)


@pytest.mark.parametrize(("used", "current"), [(3_264, 4), (4_000, -180)])
def test_usage_that_is_billed_takes_neither_current_nor_an_estimate_below_zero(
    alice, metering, busy, clock, used, current
):
    metering.use(busy, used, ago=3 * 86_400)
    clock.shift(60)
    waits = figures(estimate(alice.http, busy).body)
    assert (waits["current"], waits["estimated"] < 0) == (current, True)
    UsageAccount.objects.update(overage="bill")
    billed = figures(estimate(alice.http, busy).body)
    assert billed == {name: max(Decimal(0), figure) for name, figure in waits.items()}


def figures(body):
    """What is left, and within what."""
    said = {name: body[name] for name in ("current", "estimated")} | body["interval"]
    return {name: Decimal(figure) for name, figure in said.items() if name != "confidence"}


def test_without_a_projection_it_is_current(alice, busy):
    body = estimate(alice.http, busy, "?projection=none").body
    assert (body["estimated"], body["projected_usage"], body["method"]) == (body["current"], "0", "none")


def test_a_maximum_age_bounds_the_watermark(alice, busy):
    assert estimate(alice.http, busy, "?max_age=5").body["staleness_ms"] == 5_000
    body = estimate(alice.http, busy, "?max_age=0").body
    assert (body["staleness_ms"], body["projected_usage"]) == (0, "0")


@pytest.mark.parametrize("query", ["?max_age=-1", "?max_age=x", "?max_age=nan", "?projection=magic", "?more=1",
                                   "?max_age=1&max_age=2"])  # fmt: skip
def test_a_query_that_says_nothing_is_refused(alice, busy, query):
    assert estimate(alice.http, busy, query).code == "validation_error"


def test_an_answer_comes_from_where_it_is_near(alice, busy):
    assert [estimate(alice.http, busy).body["source"] for _ in range(2)] == ["database", "memory"]
    cache.memory.clear()
    assert estimate(alice.http, busy).body["source"] == "redis"
    assert estimate(alice.http, busy, Cache_Control="no-cache").body["source"] == "database"


def test_wherever_it_comes_from_it_is_the_same(alice, busy):
    first = estimate(alice.http, busy).body
    from_memory = estimate(alice.http, busy).body
    cache.memory.clear()
    from_redis = estimate(alice.http, busy).body
    for body in (first, from_memory, from_redis):
        body.pop("source")
    assert first == from_memory == from_redis


def test_an_event_is_in_the_next_answer(alice, metering, busy):
    before = estimate(alice.http, busy).body
    metering.use(busy, 400)
    after = estimate(alice.http, busy).body
    assert Decimal(before["current"]) - Decimal(after["current"]) == 100
    assert after["version"] > before["version"]


def test_what_was_seen_isnt_sent_again(alice, busy):
    path = f"wallets/{busy.id}/balance/current"
    tag = alice.http.get(path).headers["ETag"]
    assert alice.http.get(path, If_None_Match=tag).status == 304


def test_strangers_and_services_without_the_scope_see_nothing(charlie, shop, metering, purse):
    for path in ("balance/current", "balance/estimated", "balance/estimated/accuracy", "usage"):
        assert charlie.http.get(f"wallets/{purse.id}/{path}").code == "not_found"
        writer = service(f"w{path}", ("usage:write",)).http
        assert writer.get(f"wallets/{purse.id}/{path}").code == "permission_denied"


def test_many_wallets_are_asked_at_once(alice, bobs, busy):
    unknown = "01900000-0000-7000-8000-000000000000"
    body = {"wallets": [str(busy.id), str(bobs.id), unknown]}
    answer = alice.http.post("wallets/balances/estimated", body, key=None)
    (found,) = answer.body["results"]
    assert found["current"] == estimate(alice.http, busy).body["current"]
    assert [each["wallet"] for each in answer.body["missing"]] == [str(bobs.id), unknown]
    assert {each["code"] for each in answer.body["missing"]} == {"not_found"}


def test_five_hundred_wallets_and_no_more(alice, purse):
    for count, status in ((500, 200), (501, 400), (0, 400)):
        body = {"wallets": [str(purse.id)] * count}
        assert alice.http.post("wallets/balances/estimated", body, key=None).status == status


def test_how_good_it_was_is_told(alice, busy):
    body = alice.http.get(f"wallets/{busy.id}/balance/estimated/accuracy").body
    assert [each["horizon_seconds"] for each in body["horizons"]] == [60, 300, 900]
    for each in body["horizons"]:
        assert Decimal(each["mean_error"]["ewma"]) < Decimal(each["mean_error"]["none"])
        assert 0 <= each["coverage"] <= 1


def test_a_query_for_a_hit_and_three_for_a_miss(alice, busy, django_assert_num_queries):

    asked = []
    run = sql.run

    def counted(statement, *parameters):
        asked.append(statement)
        return run(statement, *parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql, "run", counted)
        for expected in (3, 1):
            asked.clear()
            estimates.read([Ask(EVERYBODY, busy.pk)], now=timezone.now())
            assert len(asked) == expected


def test_a_balance_that_moves_has_a_greater_version(metering, purse):
    before = read(purse).version
    metering.use(purse)
    metering.settle(purse)
    metering.use(purse, 10)
    assert read(purse).version > before
