"""One contract for every provider: what the port answers when the simulator does each thing that can go wrong, and that
it never paid twice. Real sockets on both sides; only the simulator's clock is a test's own.
"""

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest

from wallets.providers import transport
from wallets.providers.fincra import adapter as fincra
from wallets.providers.flutterwave import adapter as flutterwave
from wallets.providers.paystack import adapter as paystack
from wallets.providers.port import (
    AccountNotResolved,
    Capability,
    CheckoutExists,
    DepositIntent,
    InvalidSignature,
    PaymentProvider,
    PayoutOrder,
    PayoutState,
    ProviderEvent,
    ProviderUnavailable,
    RemoteStatus,
    SubmitOutcome,
    SubmitResult,
)
from wallets.simulator.faults import TRANSPORT, Kind
from wallets.simulator.server import Simulator
from wallets.tests.simulator.conftest import GOOD, NOBODYS, inbox, sim, wdr  # noqa: F401

# An amount that has all the digits that naira have.
AMOUNT = 250_050
SETTLED = 10.0
REFERENCE = wdr(1)
DEPOSIT = "dep-0123456789abcdef0123456789abcdef"
LATE = 0.2

Outcome, Remote = SubmitOutcome, RemoteStatus


def adapter(slug: str, sim: Simulator) -> PaymentProvider:  # noqa: F811
    keys, common = sim.keys, {"slug": slug, "mode": "test", "base_url": sim.base(slug)}
    if slug == "paystack":
        secret = keys.paystack_secret
        return paystack.PaystackProvider(**common, secret_key=secret, webhook_secrets=["new", secret])
    if slug == "flutterwave":
        return flutterwave.FlutterwaveProvider(
            **common, secret_key=keys.flutterwave_secret, webhook_secrets=["new", keys.flutterwave_hash]
        )
    return fincra.FincraProvider(
        **common, secret_key=keys.fincra_secret, public_key=keys.fincra_public, business_id=keys.fincra_business,
        webhook_secrets=["new", keys.fincra_webhook],
    )  # fmt: skip


@dataclass
class Bank:
    """A provider through its adapter, and its own books."""

    slug: str
    port: PaymentProvider
    sim: Simulator

    def pay(self, reference: str = REFERENCE, account: str = GOOD, amount: int = AMOUNT) -> SubmitResult:
        """Order a payout once."""
        recipient = self.port.ensure_recipient("058", account, "Amina Bello", "NGN")
        return self.port.submit_payout(
            PayoutOrder(reference, amount, "NGN", "058", account, "Amina Bello", "Rent", recipient)
        )

    def ask(self, reference: str = REFERENCE) -> PayoutState:
        return self.port.query_payout(reference, "")

    def later(self, seconds: float = SETTLED) -> PayoutState:
        self.sim.advance(seconds)
        return self.ask()

    def fault(self, kind: str, **more: Any) -> None:
        self.sim.fault(kind, provider=self.slug, **more)

    def times_paid(self, reference: str = REFERENCE) -> int:
        books = self.sim.books(reference)
        assert books["balanced"]
        return max((transfer["times_paid"] for transfer in books["transfers"]), default=0)

    @property
    def is_unique(self) -> bool:
        return Capability.UNIQUE_REFERENCE in self.port.capabilities


@pytest.fixture(params=["paystack", "flutterwave", "fincra"])
def bank(sim, request, monkeypatch):  # noqa: F811
    for module in (paystack, flutterwave, fincra):
        monkeypatch.setattr(module, "PAYOUT_SECONDS", LATE)
    monkeypatch.setattr(transport.Transport.call, "__kwdefaults__", {"seconds": 2.0})
    return Bank(request.param, adapter(request.param, sim), sim)


def test_an_order_is_taken_pending_and_paid(bank):
    taken = bank.pay()
    assert (taken.outcome, bool(taken.provider_id)) == (Outcome.ACCEPTED, True)
    assert bank.ask().status is Remote.PENDING
    state = bank.later()
    assert (state.status, state.amount, state.currency) == (Remote.SUCCEEDED, AMOUNT, "NGN")
    assert (
        state.fee == {"paystack": Decimal("25.00"), "flutterwave": Decimal("26.875"), "fincra": Decimal(50)}[bank.slug]
    )
    assert state.provider_id == taken.provider_id
    assert bank.times_paid() == 1


@pytest.mark.parametrize("fee", ["0", "10.5", "53.75"])
def test_what_they_take_is_told_as_they_say_it_or_not_at_all(bank, fee):
    control(bank, "settings", {"fees": {bank.slug: fee}})
    bank.fault("fee_untold", times=1)
    bank.pay()
    bank.sim.advance(SETTLED)
    assert [bank.ask().fee, bank.ask().fee] == [None, Decimal(fee)]


def test_the_same_order_again_is_taken_for_the_first_one_and_paid_once(bank):
    assert bank.pay().outcome is Outcome.ACCEPTED
    for _ in range(3):
        assert bank.pay().outcome is Outcome.ALREADY_EXISTS
        bank.sim.advance(SETTLED)
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


@pytest.mark.parametrize(("kind", "more", "outcome", "at_once", "settled", "paid"), FAULTS)
def test_each_fault_is_told_for_what_it_is(bank, kind, more, outcome, at_once, settled, paid):
    bank.fault(kind, **more)
    assert bank.pay().outcome is outcome
    assert bank.ask().status is at_once
    assert bank.later().status is settled
    assert bank.times_paid() == paid


@pytest.mark.parametrize(("kind", "ours"), [("insufficient", True), ("refused", False), ("says_duplicate", False)])
def test_what_they_refuse_for_want_of_our_money_is_told_apart(bank, kind, ours):
    bank.fault(kind)
    result = bank.pay()
    assert (result.underfunded, result.misconfigured) == (ours, False)


@pytest.mark.parametrize(("why", "ours"), [("Insufficient funds in customer wallet", True), ("Account closed", False)])
def test_what_fails_for_want_of_our_money_is_told_apart(bank, why, ours):
    bank.fault("stuck")
    bank.pay()
    control(bank, f"transfers/{REFERENCE}/fail", {"detail": why})
    state = bank.ask()
    assert (state.status, state.underfunded) == (Remote.FAILED, ours)


def test_when_they_are_busy_they_say_for_how_long(bank):
    bank.fault("rate_limit", seconds=7)
    assert bank.pay().retry_after == 7


@pytest.mark.parametrize("kind", ["otp", "approval"])
def test_what_waits_for_a_person_says_so_or_waits(bank, kind):
    bank.fault(kind)
    taken, state = bank.pay(), bank.later()
    if taken.outcome is Outcome.ACTION_REQUIRED:
        assert state.status is Remote.ACTION_REQUIRED
    else:
        # One that has no word for it: it is never paid, and never said to be.
        assert (taken.outcome, state.status) == (Outcome.ACCEPTED, Remote.PENDING)
    assert bank.times_paid() == 0


def test_what_was_paid_may_come_back(bank):
    bank.fault("reversed", seconds=30)
    bank.pay()
    assert bank.later().status is Remote.SUCCEEDED
    # Two of them have no word of their own for it.
    assert bank.later(30).status is (Remote.REVERSED if bank.slug == "paystack" else Remote.FAILED)
    assert bank.times_paid() == 1


@pytest.mark.parametrize("word", ["queued", "Cancelled", "on hold", "???"])
def test_a_word_that_isnt_documented_is_never_an_end(bank, word):
    bank.fault("undocumented", word=word)
    bank.pay()
    assert bank.later().status is Remote.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "more", "amount", "currency"),
    [
        ("wrong_amount", {"amount": "2500.51"}, AMOUNT + 1, "NGN"),
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
def test_a_question_without_an_answer_tells_nothing(bank, kind, operation):
    bank.pay()
    bank.sim.advance(SETTLED)
    bank.fault(kind, operation=operation, times=1)
    if operation == "query":
        assert [bank.ask().status, bank.ask().status] == [Remote.UNKNOWN, Remote.SUCCEEDED]
    else:
        assert bank.port.query_deposit(DEPOSIT, "").status is Remote.UNKNOWN


@pytest.mark.parametrize("kind", ["timeout", "reset", "error", "html", "truncated", "slow", "rate_limit"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("times", [1, 3])
def test_who_asks_before_sending_again_has_it_paid_once(bank, kind, when, times):
    bank.fault(kind, when=when, times=times, **({"seconds": LATE * 2} if kind == "slow" else {}))
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


def test_two_of_one_reference_at_flutterwave_are_for_a_person(sim):  # noqa: F811
    bank = Bank("flutterwave", adapter("flutterwave", sim), sim)
    bank.fault("pays_twice")
    assert [bank.pay().outcome, bank.pay().outcome] == [Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert bank.later().status is Remote.UNKNOWN
    assert not bank.is_unique


def test_references_that_begin_alike_arent_mixed_up(bank):
    bank.fault("failed", reference=f"{REFERENCE}0")
    bank.pay(f"{REFERENCE}0")
    # A list with others in it proves nothing.
    assert bank.ask(REFERENCE).status in (Remote.NOT_FOUND, Remote.UNKNOWN)
    bank.pay(REFERENCE)
    assert bank.later().status is Remote.SUCCEEDED
    assert bank.ask(f"{REFERENCE}0").status is Remote.FAILED


def test_wrong_keys_are_told_from_a_wrong_order(bank, sim):  # noqa: F811
    stranger = adapter(bank.slug, sim)
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
        bank.port.resolve_account("058", NOBODYS)


@pytest.mark.parametrize("kind", ["error", "html", "reset", "rate_limit", "truncated"])
@pytest.mark.parametrize("operation", ["banks", "resolve", "balance", "checkout"])
def test_a_question_that_moves_no_money_says_that_it_has_no_answer(bank, kind, operation):
    bank.fault(kind, operation=operation)
    ask = {
        "banks": lambda: bank.port.list_banks("NG", "NGN"),
        "resolve": lambda: bank.port.resolve_account("058", GOOD),
        "balance": lambda: bank.port.fetch_balances("NGN"),
        "checkout": lambda: bank.port.start_deposit(INTENT),
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
        theirs = bank.sim.books()["balances"][bank.slug]["NGN"]
        assert reading.available == Decimal(theirs["available"])
        assert reading.ledger in (None, Decimal(theirs["ledger"]))
        assert reading.locked in (None, Decimal(theirs["locked"]))
        bank.sim.advance(SETTLED)
    assert bank.port.fetch_balances("EUR") == []


INTENT = DepositIntent(DEPOSIT, 1_000_050, "NGN", "amina@example.com", "Amina Bello", "https://w.example/back")


def control(bank: Bank, path: str, body: Any = None) -> None:
    httpx.post(f"{bank.sim.url}/_control/{path}", json=body or {}).raise_for_status()


def test_a_deposit_is_asked_for_paid_and_seen(bank):
    handle = bank.port.start_deposit(INTENT)
    assert handle.checkout_url.startswith(bank.sim.url)
    assert bank.port.query_deposit(DEPOSIT, "").status in (Remote.PENDING, Remote.NOT_FOUND)
    control(bank, f"checkouts/{DEPOSIT}/pay")
    state = bank.port.query_deposit(DEPOSIT, "")
    assert (state.status, state.amount, state.currency) == (Remote.SUCCEEDED, 1_000_050, "NGN")
    assert state.reference == DEPOSIT


@pytest.mark.parametrize("paid", ["9000", "0.01", "12000.5"])
def test_what_came_is_told_and_not_what_was_asked_for(bank, paid):
    bank.port.start_deposit(INTENT)
    control(bank, f"checkouts/{DEPOSIT}/pay", {"amount": paid})
    assert bank.port.query_deposit(DEPOSIT, "").amount == int(Decimal(paid) * 100)


def test_a_deposit_that_failed_is_no_deposit(bank):
    bank.port.start_deposit(INTENT)
    control(bank, f"checkouts/{DEPOSIT}/fail")
    assert bank.port.query_deposit(DEPOSIT, "").status is Remote.FAILED


def test_a_deposit_that_isnt_there_is_not_found(bank):
    assert bank.port.query_deposit(DEPOSIT, "").status is Remote.NOT_FOUND


def test_a_checkout_isnt_opened_twice_as_another(bank):
    first = bank.port.start_deposit(INTENT)
    with suppress(CheckoutExists):
        assert bank.port.start_deposit(INTENT).checkout_url == first.checkout_url
    assert len(bank.sim.books(DEPOSIT)["checkouts"]) == 1


def heard(bank: Bank, inbox: Any, count: int) -> list[ProviderEvent]:  # noqa: F811
    """What the webhooks say, each verified over its raw bytes."""
    events: list[ProviderEvent] = []
    for webhook in inbox.wait(count):
        bank.port.verify_webhook(webhook.headers, webhook.raw)
        events += bank.port.parse_webhook(webhook.raw)
    return events


def test_a_webhook_names_the_payout(bank, inbox):  # noqa: F811
    taken = bank.pay()
    bank.sim.advance(SETTLED)
    (event,) = heard(bank, inbox, 1)
    assert (event.kind, event.reference) == ("payout", REFERENCE)
    assert event.provider_id == taken.provider_id
    assert event.occurred_at is not None


def test_a_webhook_names_the_deposit(bank, inbox):  # noqa: F811
    bank.port.start_deposit(INTENT)
    control(bank, f"checkouts/{DEPOSIT}/pay")
    (event,) = heard(bank, inbox, 1)
    assert (event.kind, event.reference) == ("deposit", DEPOSIT)
    assert bank.port.query_deposit(event.reference, event.provider_id).status is Remote.SUCCEEDED


def test_a_webhook_that_comes_twice_is_one_event(bank, inbox):  # noqa: F811
    bank.fault("webhook_duplicate")
    bank.pay()
    bank.sim.advance(SETTLED)
    assert len({event.dedupe_key for event in heard(bank, inbox, 2)}) == 1


def test_each_thing_that_happens_is_an_event_of_its_own(bank, inbox):  # noqa: F811
    bank.fault("reversed", seconds=5)
    bank.pay()
    bank.sim.advance(SETTLED)
    inbox.wait(1)
    bank.sim.advance(5)
    assert len({event.dedupe_key for event in heard(bank, inbox, 2)}) == 2


def test_a_forged_webhook_is_refused(bank, inbox):  # noqa: F811
    bank.fault("webhook_forged")
    bank.pay()
    bank.sim.advance(SETTLED)
    verdicts = sorted(is_genuine(bank, webhook.headers, webhook.raw) for webhook in inbox.wait(2))
    assert verdicts == [False, True]


def test_a_changed_webhook_is_refused_where_the_body_is_signed(bank, inbox):  # noqa: F811
    bank.pay()
    bank.sim.advance(SETTLED)
    (webhook,) = inbox.wait(1)
    changed = webhook.raw.replace(REFERENCE.encode(), wdr(2).encode())
    assert changed != webhook.raw
    # Flutterwave signs nothing: so that a webhook is only ever a reason to ask.
    assert is_genuine(bank, webhook.headers, changed) is (bank.slug == "flutterwave")


def is_genuine(bank: Bank, headers: dict[str, str], raw: bytes) -> bool:
    try:
        bank.port.verify_webhook(headers, raw)
    except InvalidSignature:
        return False
    return True
