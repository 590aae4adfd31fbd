"""Usage becomes money: what is taken leaves `current` as it was, and the books in balance."""

from decimal import Decimal

import pytest
from django.utils import timezone

from ledger.accounts import set_floor
from ledger.balances import standings
from wallets import chart, tasks
from wallets.models import UsageAccount, UsageMonth, UsageSettlement, Wallet
from wallets.tests.conftest import balance, books_are_clean
from wallets.tests.usage.conftest import read
from wallets.usage import settling


def policy(wallet, overage, **more):
    UsageAccount.objects.filter(pk=wallet.pk).update(overage=overage, **more)


def account(wallet):
    return UsageAccount.objects.get(pk=wallet.pk)


def income(currency="NGN"):
    """What the books have as income from usage, and as billed."""
    lines = (chart.usage(currency), chart.receivables(currency))
    found = standings([line.id for line in lines], now=timezone.now())
    return tuple(found[line.id].balance if line.id in found else 0 for line in lines)


def test_whole_minor_units_are_taken_and_the_rest_is_carried_on(metering, purse):
    for settled in (2, 3, 2, 3):
        metering.use(purse, 10)
        before = read(purse).current
        assert metering.settle(purse).amount == settled
        assert read(purse).current == before
    assert (income(), books_are_clean()) == ((10, 0), True)


def test_less_than_a_minor_unit_waits(metering, purse):
    metering.use(purse, 3)
    assert metering.settle(purse) is None
    assert (account(purse).settle_at, read(purse).unsettled) == (None, Decimal("0.75"))


def test_what_was_taken_back_is_given_back(metering, purse):
    metering.use(purse, 400)
    metering.settle(purse)
    metering.use(purse, -100)
    before = read(purse).current
    assert metering.settle(purse).amount == -25
    assert (read(purse).current, read(purse).standing.available) == (before, 925)
    assert (income(), books_are_clean()) == ((75, 0), True)


POLICIES = {
    # overage: from the wallet, billed, current after it
    "stop": (1_000, 0, -500),
    "bill": (1_000, 500, 0),
    "overdraft": (1_200, 0, -500),
}


@pytest.mark.parametrize("overage", POLICIES)
def test_what_a_wallet_cant_cover_goes_by_its_policy(metering, purse, overage):
    set_floor(purse.account_id, -200)
    metering.use(purse, 6_000)
    policy(purse, overage)
    before = read(purse).current
    made = metering.settle(purse)
    from_wallet, billed, current = POLICIES[overage]
    assert (made.amount - made.billed, made.billed) == (from_wallet, billed)
    assert before == read(purse).current == current
    assert (income(), books_are_clean()) == ((from_wallet + billed, billed), True)


def test_a_wallet_that_overdrew_before_it_was_billed_stays_where_it_is(metering, purse):
    set_floor(purse.account_id, -200)
    metering.use(purse, 4_400)
    policy(purse, "overdraft")
    metering.settle(purse)
    policy(purse, "bill")
    metering.use(purse, 40)
    before = read(purse).current
    assert metering.settle(purse).billed == 10
    assert (before, read(purse).current, books_are_clean()) == (-100, -100, True)


def test_what_couldnt_be_covered_is_tried_again_ever_less_often(metering, purse, clock):
    metering.use(purse, 8_000)
    waits = []
    for _ in range(9):
        settling.settle_batch(now=timezone.now())
        waits.append((account(purse).settle_at - timezone.now()).total_seconds())
        clock.move_to(account(purse).settle_at)
    assert waits == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]
    assert UsageSettlement.objects.count() == 1


def test_one_that_cant_be_settled_keeps_nobody_else_from_it(metering, purse, bobs, shop, clock):
    # Alice's wallet is as full as one can be, so that nothing can be given back to it.
    metering.meter("gold", "1000000000000")
    shop.fund(purse, 10**15)
    metering.use(purse, 1_000, meter="gold")
    metering.settle(purse)
    for amount in [10**15] * 8 + [10**15 - 1_000]:
        shop.fund(purse, amount)
    shop.fund(bobs, 1_000)
    metering.take(metering.event(purse, -1_000, meter="gold"), metering.event(bobs, 400))
    clock.shift(60)
    assert settling.settle_due(clock=timezone.now, seconds=1) == 1
    assert (read(bobs).standing.balance, account(purse).posted) == (900, 10**15)
    assert (account(purse).settle_at - timezone.now()).total_seconds() == 3_600
    assert books_are_clean()


def test_money_that_came_in_pays_for_what_waited(metering, shop, purse):
    metering.use(purse, 8_000)
    metering.settle(purse)
    shop.fund(purse, 5_000)
    before = read(purse).current
    assert metering.settle(purse).amount == 1_000
    assert (before, read(purse).current, account(purse).tries) == (4_000, 4_000, 0)


def test_a_frozen_wallet_keeps_its_money_until_that_is_lifted(metering, purse):
    metering.use(purse, 400)
    Wallet.objects.filter(pk=purse.pk).update(status="frozen")
    assert metering.settle(purse) is None
    Wallet.objects.filter(pk=purse.pk).update(status="active")
    assert metering.settle(purse).amount == 100


def test_usage_is_due_within_a_minute_and_settled_by_a_worker(metering, purse, clock):
    metering.use(purse, 400)
    tasks.settle_usage()
    assert not UsageSettlement.objects.exists()
    clock.shift(60)
    tasks.settle_usage()
    assert (UsageSettlement.objects.get().amount, account(purse).settle_at) == (100, None)


def test_usage_below_the_low_mark_is_due_at_once(metering, purse):
    metering.use(purse, 4)
    policy(purse, "stop", low_mark=950)
    metering.use(purse, 400)
    tasks.settle_usage()
    assert UsageSettlement.objects.get().amount == 101


def test_the_lines_tell_what_it_was_for_and_add_up(metering, purse):
    metering.meter("minutes", "2")
    metering.take(
        metering.event(purse, 10), metering.event(purse, 3, meter="minutes"),
        metering.event(purse, 8, ago=15 * 86_400),
    )  # fmt: skip
    lines = metering.settle(purse).lines
    assert [(line["meter"], line["month"], line["quantity"], line["amount"]) for line in lines] == [
        ("calls", "2026-02", "8", "2"), ("calls", "2026-03", "10", "2.5"), ("minutes", "2026-03", "3", "6"),
    ]  # fmt: skip


def test_the_oldest_is_paid_for_first(metering, purse):
    metering.take(metering.event(purse, 3_200, ago=15 * 86_400), metering.event(purse, 3_200))
    metering.settle(purse)
    settled = UsageMonth.objects.order_by("month").values_list("settled_amount", flat=True)
    assert list(settled) == [800, 200]


def test_a_late_event_is_settled_in_its_month_and_dated_now(metering, alice, purse):
    metering.use(purse, 400, ago=30 * 86_400)
    made = metering.settle(purse)
    assert made.lines[0]["month"] == "2026-02"
    (newest, _) = alice.http.get(f"wallets/{purse.id}/transactions").body["results"]
    assert newest["effective_at"] == timezone.now().isoformat().replace("+00:00", "Z")


def test_a_wallet_with_usage_isnt_closed(metering, alice, bobs, bob):
    metering.use(bobs, 4)
    assert bob.http.post(f"wallets/{bobs.id}/close").code == "wallet_not_empty"
    metering.use(bobs, -4)
    assert bob.http.post(f"wallets/{bobs.id}/close").status == 200
    assert metering.use(bobs, 4).code == "wallet_closed"


def test_usage_that_is_free_moves_nothing(metering, alice, purse):
    metering.meter("free", "0")
    metering.use(purse, 1_000, meter="free")
    assert metering.settle(purse) is None
    assert balance(alice.http, purse)[0] == 1_000
