"""One contract for every provider: what the port answers when its bank does each thing that can go wrong, and that it
never paid twice. Three are the simulator's, over real sockets; only the clock is a test's own.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from wallets.providers import transport
from wallets.providers.fincra import adapter as fincra
from wallets.providers.flutterwave import adapter as flutterwave
from wallets.providers.paystack import adapter as paystack
from wallets.providers.port import (
    AccountNotResolved,
    CheckoutExists,
    InvalidSignature,
    PayoutOrder,
    ProviderUnavailable,
    RemoteStatus,
    SubmitOutcome,
)
from wallets.simulator.faults import TRANSPORT, Kind
from wallets.tests.providers.banks import (
    ALL,
    AMOUNT,
    DEPOSIT,
    HTTP,
    NOON,
    REFERENCE,
    SETTLED,
    Bank,
    Sandboxed,
    Simulated,
    adapter,
    commits,
    intent,
)
from wallets.tests.simulator.conftest import GOOD, inbox, sim, wdr  # noqa: F401

LATE = 0.2

Outcome, Remote = SubmitOutcome, RemoteStatus


@pytest.fixture(params=ALL)
def bank(request, monkeypatch) -> Iterator[Bank]:
    if request.param in HTTP:
        yield simulated(request, monkeypatch)
        return
    request.getfixturevalue("db")
    committing = request.getfixturevalue("django_capture_on_commit_callbacks")
    with time_machine.travel(NOON, tick=False) as traveller:
        yield Sandboxed(NOON, traveller.move_to, monkeypatch, committing)


def simulated(request, monkeypatch) -> Simulated:
    """A bank that is given seconds to answer in, until it is told not to."""
    bank = Simulated(request.param, request.getfixturevalue("sim"), request.getfixturevalue("inbox"))
    begin = bank.fault

    def fault(kind: str, **more: Any) -> None:
        if kind in ("slow", "timeout"):
            wait(LATE)
        begin(kind, **more)

    def wait(seconds: float) -> None:
        for module in (paystack, flutterwave, fincra):
            monkeypatch.setattr(module, "PAYOUT_SECONDS", seconds)

    wait(5.0)
    monkeypatch.setattr(bank, "fault", fault)
    monkeypatch.setattr(transport.Transport.call, "__kwdefaults__", {"seconds": 2.0})
    return bank


def over(names: str, rows: Sequence[tuple[Any, ...]]) -> pytest.MarkDecorator:
    """Each row with each bank that can do the fault, `kind` and `more`, which it begins with."""
    can = [(slug, *row) for row in rows for slug in ALL if commits(slug, row[0], row[1])]
    return pytest.mark.parametrize(f"bank, {names}", can, indirect=["bank"])


def only(*slugs: str) -> pytest.MarkDecorator:
    """For a test of what the others haven't got."""
    return pytest.mark.parametrize("bank", slugs, indirect=True)


def test_an_order_is_taken_pending_and_paid(bank):
    taken = bank.pay()
    assert (taken.outcome, bool(taken.provider_id)) == (Outcome.ACCEPTED, True)
    assert bank.ask().status is Remote.PENDING
    state = bank.later()
    assert (state.status, state.amount, state.currency) == (Remote.SUCCEEDED, AMOUNT, "NGN")
    assert state.provider_id == taken.provider_id
    assert bank.times_paid() == 1


@pytest.mark.parametrize(
    ("bank", "fee"),
    [*((slug, fee) for slug in HTTP for fee in ("0", "10.5", "53.75")), ("sandbox", "0"), ("sandbox", "0.15")],
    indirect=["bank"],
)
def test_what_they_take_is_told_as_they_say_it(bank, fee):
    bank.pay(amount=bank.charge(fee))
    assert bank.later().fee == Decimal(fee)


@over("kind, more", [("fee_untold", {"times": 1})])
def test_what_they_dont_tell_at_once_they_may_tell_later(bank, kind, more):
    bank.charge("10.5")
    bank.fault(kind, **more)
    bank.pay()
    bank.advance(SETTLED)
    assert [bank.ask().fee, bank.ask().fee] == [None, Decimal("10.5")]


def test_the_same_order_again_is_taken_for_the_first_one_and_paid_once(bank):
    assert bank.pay().outcome is Outcome.ACCEPTED
    for _ in range(3):
        assert bank.pay().outcome is Outcome.ALREADY_EXISTS
        bank.advance(SETTLED)
    assert bank.times_paid() == 1


# (kind, more) -> what is known at once, what it says then, what it says once it has settled, how often it paid.
LOST = [
    (kind, {"when": when, **more}, Outcome.UNKNOWN, *states)
    for kind, more in [
        ("timeout", {}), ("reset", {}), ("error", {}), ("error", {"status": 500}), ("error", {"status": 408}),
        ("html", {}),
    ]
    for when, states in [
        ("before", (Remote.NOT_FOUND, Remote.NOT_FOUND, 0)), ("after", (Remote.PENDING, Remote.SUCCEEDED, 1)),
    ]
]  # fmt: skip
FAULTS = [
    *LOST,
    ("truncated", {}, Outcome.UNKNOWN, Remote.PENDING, Remote.SUCCEEDED, 1),
    ("slow", {"seconds": LATE * 2}, Outcome.UNKNOWN, Remote.PENDING, Remote.SUCCEEDED, 1),
    ("rate_limit", {}, Outcome.NOT_SENT, Remote.NOT_FOUND, Remote.NOT_FOUND, 0),
    ("refused", {}, Outcome.REJECTED, Remote.NOT_FOUND, Remote.NOT_FOUND, 0),
    ("insufficient", {}, Outcome.REJECTED, Remote.NOT_FOUND, Remote.NOT_FOUND, 0),
    ("says_duplicate", {}, Outcome.ALREADY_EXISTS, Remote.NOT_FOUND, Remote.NOT_FOUND, 0),
    ("failed", {}, Outcome.ACCEPTED, Remote.PENDING, Remote.FAILED, 0),
    ("failed_at_once", {}, Outcome.ACCEPTED, Remote.FAILED, Remote.FAILED, 0),
    ("stuck", {}, Outcome.ACCEPTED, Remote.PENDING, Remote.PENDING, 0),
    ("undocumented", {}, Outcome.UNKNOWN, Remote.UNKNOWN, Remote.UNKNOWN, 0),
    ("hidden", {"seconds": 5}, Outcome.ACCEPTED, Remote.NOT_FOUND, Remote.SUCCEEDED, 1),
]


@over("kind, more, outcome, at_once, settled, paid", FAULTS)
def test_each_fault_is_told_for_what_it_is(bank, kind, more, outcome, at_once, settled, paid):
    bank.fault(kind, **more)
    assert bank.pay().outcome is outcome
    assert bank.ask().status is at_once
    assert bank.later().status is settled
    assert bank.times_paid() == paid


@over("kind, more, ours", [("insufficient", {}, True), ("refused", {}, False), ("says_duplicate", {}, False)])
def test_what_they_refuse_for_want_of_our_money_is_told_apart(bank, kind, more, ours):
    bank.fault(kind, **more)
    result = bank.pay()
    assert (result.underfunded, result.misconfigured) == (ours, False)


@pytest.mark.parametrize(("why", "ours"), [("Insufficient funds in customer wallet", True), ("Account closed", False)])
@only(*HTTP)
def test_what_fails_for_want_of_our_money_is_told_apart(bank, why, ours):
    bank.fault("stuck")
    bank.pay()
    bank.control(f"transfers/{REFERENCE}/fail", {"detail": why})
    state = bank.ask()
    assert (state.status, state.underfunded) == (Remote.FAILED, ours)


@only(*HTTP)
def test_when_they_are_busy_they_say_for_how_long(bank):
    bank.fault("rate_limit", seconds=7)
    assert bank.pay().retry_after == 7


@over("kind, more", [("otp", {}), ("approval", {})])
def test_what_waits_for_a_person_says_so_or_waits(bank, kind, more):
    bank.fault(kind, **more)
    taken, state = bank.pay(), bank.later()
    if taken.outcome is Outcome.ACTION_REQUIRED:
        assert state.status is Remote.ACTION_REQUIRED
    else:
        # One that has no word for it: it is never paid, and never said to be.
        assert (taken.outcome, state.status) == (Outcome.ACCEPTED, Remote.PENDING)
    assert bank.times_paid() == 0


def test_what_was_paid_may_come_back(bank):
    bank.fault("reversed")
    bank.pay()
    assert bank.later().status is Remote.SUCCEEDED
    # Two of them have no word of their own for it.
    wordless = bank.slug in ("flutterwave", "fincra")
    assert bank.later(bank.returns_after).status is (Remote.FAILED if wordless else Remote.REVERSED)
    assert bank.times_paid() == 1


@pytest.mark.parametrize("word", ["queued", "Cancelled", "on hold", "???"])
@only(*HTTP)
def test_a_word_that_isnt_documented_is_never_an_end(bank, word):
    bank.fault("undocumented", word=word)
    bank.pay()
    assert bank.later().status is Remote.UNKNOWN


@over(
    "kind, more, amount, currency",
    [
        ("wrong_amount", {"amount": "2500.51"}, AMOUNT + 1, "NGN"),
        ("wrong_amount", {"amount": "2500.49"}, AMOUNT - 1, "NGN"),
        ("wrong_amount", {"amount": "1"}, 100, "NGN"),
        ("wrong_currency", {"currency": "USD"}, AMOUNT, "USD"),
    ],
)
def test_what_they_say_they_paid_is_passed_on_as_they_say_it(bank, kind, more, amount, currency):
    bank.fault(kind, **more)
    bank.pay()
    state = bank.later()
    assert (state.status, state.amount, state.currency) == (Remote.SUCCEEDED, amount, currency)


@pytest.mark.parametrize("kind", sorted(TRANSPORT - {Kind.SLOW, Kind.TIMEOUT, Kind.HTML}))
@pytest.mark.parametrize("operation", ["query", "query_deposit"])
@only(*HTTP)
def test_a_question_without_an_answer_tells_nothing(bank, kind, operation):
    bank.pay()
    bank.advance(SETTLED)
    bank.fault(kind, operation=operation, times=1)
    if operation == "query":
        assert [bank.ask().status, bank.ask().status] == [Remote.UNKNOWN, Remote.SUCCEEDED]
    else:
        assert bank.port.query_deposit(DEPOSIT, "").status is Remote.UNKNOWN


@over(
    "kind, more",
    [
        (kind, {"when": when, "times": times} | more)
        for kind, more in [
            ("timeout", {}), ("reset", {}), ("error", {}), ("html", {}), ("truncated", {}), ("rate_limit", {}),
            ("slow", {"seconds": LATE * 2}),
        ]
        for when in ("before", "after")
        for times in (1, 3)
    ],
)  # fmt: skip
def test_who_asks_before_sending_again_has_it_paid_once(bank, kind, more):
    bank.fault(kind, **more)
    end = see_through(bank)
    assert end in (Remote.SUCCEEDED, Remote.NOT_FOUND)
    assert bank.times_paid() == (1 if end is Remote.SUCCEEDED else 0)
    assert end is Remote.SUCCEEDED or not bank.is_unique


def see_through(bank: Bank) -> RemoteStatus:
    """A worker's rules: what wasn't sent is sent, what isn't known is asked for; what isn't found is sent again only
    where a second one would be refused.
    """
    outcome, state = bank.pay().outcome, Remote.UNKNOWN
    for _ in range(6):
        if outcome is not Outcome.NOT_SENT:
            state = bank.later().status
        if state is Remote.SUCCEEDED:
            break
        if outcome is Outcome.NOT_SENT or (state is Remote.NOT_FOUND and bank.is_unique):
            outcome = bank.pay().outcome
    return state


@only("flutterwave")
def test_two_of_one_reference_at_flutterwave_are_for_a_person(bank):
    bank.fault("pays_twice")
    assert [bank.pay().outcome, bank.pay().outcome] == [Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert bank.later().status is Remote.UNKNOWN
    assert not bank.is_unique


def test_references_that_begin_alike_arent_mixed_up(bank):
    bank.pay(f"{REFERENCE}0", account=bank.failing)
    # A list with others in it proves nothing.
    assert bank.ask(REFERENCE).status in (Remote.NOT_FOUND, Remote.UNKNOWN)
    bank.pay(REFERENCE)
    assert bank.later().status is Remote.SUCCEEDED
    assert bank.ask(f"{REFERENCE}0").status is Remote.FAILED


@only(*HTTP)
def test_wrong_keys_are_told_from_a_wrong_order(bank):
    stranger = adapter(bank.slug, bank.sim)
    stranger._api._headers |= {"Authorization": "Bearer nobody", "api-key": "nobody"}
    order = PayoutOrder(REFERENCE, AMOUNT, "NGN", "058", GOOD, "Amina Bello", "Rent", "RCP_x")
    result = stranger.submit_payout(order)
    assert (result.outcome, result.misconfigured) == (Outcome.REJECTED, True)
    assert stranger.query_payout(REFERENCE, "").status is Remote.UNKNOWN
    assert bank.times_paid() == 0


def test_banks_are_listed_and_accounts_resolved(bank):
    banks = bank.port.list_banks("NG", "NGN")
    assert {"044", "058"} <= {each.code for each in banks}
    assert all(each.name for each in banks)
    assert bank.port.resolve_account("058", GOOD).account_name
    with pytest.raises(AccountNotResolved):
        bank.port.resolve_account("058", bank.nobodys)


@pytest.mark.parametrize("kind", ["error", "html", "reset", "rate_limit", "truncated"])
@pytest.mark.parametrize("operation", ["banks", "resolve", "balance", "checkout"])
@only(*HTTP)
def test_a_question_that_moves_no_money_says_that_it_has_no_answer(bank, kind, operation):
    bank.fault(kind, operation=operation)
    ask = {
        "banks": lambda: bank.port.list_banks("NG", "NGN"),
        "resolve": lambda: bank.port.resolve_account("058", GOOD),
        "balance": lambda: bank.port.fetch_balances("NGN"),
        "checkout": lambda: bank.port.start_deposit(intent()),
    }[operation]
    with pytest.raises(ProviderUnavailable):
        ask()


def test_a_recipient_is_asked_for_again_and_stays_the_same(bank):
    first, second = (bank.port.ensure_recipient("058", GOOD, "Amina Bello", "NGN") for _ in range(2))
    assert first == second
    assert bool(first) is (bank.slug == "paystack")


def test_balances_are_theirs_to_the_last_digit(bank):
    bank.pay()
    for _ in range(2):
        (reading,) = bank.port.fetch_balances("NGN")
        theirs = bank.holding()
        assert reading.available == theirs["available"]
        assert reading.ledger in (None, theirs["total"])
        assert reading.locked in (None, theirs["total"] - theirs["available"])
        bank.advance(SETTLED)
    assert not any(reading.available for reading in bank.port.fetch_balances("EUR"))


def test_a_deposit_is_asked_for_paid_and_seen(bank):
    handle = bank.port.start_deposit(intent())
    assert handle.checkout_url.startswith(bank.url)
    assert bank.port.query_deposit(DEPOSIT, "").status in (Remote.PENDING, Remote.NOT_FOUND)
    bank.pay_checkout()
    state = bank.port.query_deposit(DEPOSIT, "")
    assert (state.status, state.amount, state.currency) == (Remote.SUCCEEDED, intent().amount, "NGN")
    assert state.reference == DEPOSIT


@pytest.mark.parametrize(
    ("bank", "asked", "paid"),
    [
        *((slug, 1_000_050, paid) for slug in HTTP for paid in (900_000, 1, 1_200_050)),
        ("sandbox", 1_000_007, 1_000_006),
    ],
    indirect=["bank"],
)
def test_what_came_is_told_and_not_what_was_asked_for(bank, asked, paid):
    bank.port.start_deposit(intent(asked))
    bank.pay_checkout(paid)
    assert bank.port.query_deposit(DEPOSIT, "").amount == paid


def test_a_deposit_that_failed_is_no_deposit(bank):
    bank.port.start_deposit(intent())
    bank.refuse_checkout()
    assert bank.port.query_deposit(DEPOSIT, "").status is Remote.FAILED


def test_a_deposit_that_isnt_there_is_not_found(bank):
    assert bank.port.query_deposit(DEPOSIT, "").status is Remote.NOT_FOUND


def test_a_checkout_isnt_opened_twice_as_another(bank):
    first = bank.port.start_deposit(intent())
    with suppress(CheckoutExists):
        assert bank.port.start_deposit(intent()).checkout_url == first.checkout_url
    assert bank.checkouts() == 1


def test_a_webhook_names_the_payout(bank):
    taken = bank.pay()
    bank.advance(SETTLED)
    (event,) = bank.heard(1)
    assert (event.kind, event.reference) == ("payout", REFERENCE)
    assert event.provider_id == taken.provider_id
    assert event.occurred_at is not None


def test_a_webhook_names_the_deposit(bank):
    bank.port.start_deposit(intent())
    bank.pay_checkout()
    (event,) = bank.heard(1)
    assert (event.kind, event.reference) == ("deposit", DEPOSIT)
    assert bank.port.query_deposit(event.reference, event.provider_id).status is Remote.SUCCEEDED


def test_a_webhook_that_comes_twice_is_one_event(bank):
    bank.fault("webhook_duplicate")
    bank.pay()
    bank.advance(SETTLED)
    assert len({event.dedupe_key for event in bank.heard(2)}) == 1


def test_each_thing_that_happens_is_an_event_of_its_own(bank):
    bank.fault("reversed")
    bank.pay()
    bank.advance(SETTLED)
    paid = bank.heard(1)
    bank.advance(bank.returns_after)
    assert bank.heard(2)[1].dedupe_key != paid[0].dedupe_key


def test_a_forged_webhook_is_refused(bank):
    bank.pay()
    bank.advance(SETTLED)
    ((headers, raw),) = bank.told(1)
    assert is_genuine(bank, headers, raw)
    assert not is_genuine(bank, bank.forged(raw), raw)


def test_a_changed_webhook_is_refused_where_the_body_is_signed(bank):
    bank.pay()
    bank.advance(SETTLED)
    ((headers, raw),) = bank.told(1)
    changed = raw.replace(REFERENCE.encode(), wdr(2).encode())
    assert changed != raw
    # Flutterwave signs nothing: so that a webhook is only ever a reason to ask.
    assert is_genuine(bank, headers, changed) is (bank.slug == "flutterwave")


def is_genuine(bank: Bank, headers: dict[str, str], raw: bytes) -> bool:
    try:
        bank.port.verify_webhook(headers, raw)
    except InvalidSignature:
        return False
    return True
