"""The simulator's own books balance, whatever is done in whatever order."""

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from wallets.simulator.amounts import MILLION
from wallets.simulator.books import balanced
from wallets.simulator.clock import Clock
from wallets.simulator.orders import DuplicateReference, InsufficientBalance, Order
from wallets.simulator.server import Simulator
from wallets.tests.simulator.conftest import NOON, PROVIDERS

COURSES = ("failed", "failed_at_once", "reversed", "stuck", "otp", "approval", "undocumented", "pays_twice")
providers, references = st.sampled_from(PROVIDERS), st.integers(1, 5).map(lambda number: f"r{number}")
amounts = st.integers(1, 600 * MILLION)


class Bookkeeping(RuleBasedStateMachine):
    """Random orders, checkouts, faults and moments against a few figures kept beside."""

    def __init__(self) -> None:
        super().__init__()
        self.sim = Simulator(clock=Clock(stopped_at=NOON), settle_seconds=10, opening={"NGN": Decimal(1000)})
        self.bank, self.deposits = self.sim.bank, self.sim.deposits

    def teardown(self) -> None:
        self.sim.store.close()
        self.sim._server.server_close()

    @initialize(returns_fees=st.booleans())
    def agree(self, returns_fees: bool) -> None:
        self.bank.returns_fees = returns_fees

    @rule(provider=providers, fee=st.integers(0, 60 * MILLION))
    def charge(self, provider: str, fee: int) -> None:
        self.bank.fees[provider] = fee

    @rule(provider=providers, reference=references, amount=amounts)
    def order(self, provider: str, reference: str, amount: int) -> None:
        before = self.bank.accounts.at(provider, "NGN").available
        try:
            taken = self.bank.send(Order(provider, reference, "NGN", amount, "044", "0000000000", "Amina"))
        except DuplicateReference:
            assert [one for one in self.bank.named(reference) if one.provider == provider]
        except InsufficientBalance:
            assert before < amount + self.bank.fees[provider]
        else:
            cost = 0 if taken.state == "failed" else amount + self.bank.fees[provider]
            assert self.bank.accounts.at(provider, "NGN").available == before - cost

    @rule(provider=providers, reference=references, amount=amounts)
    def check_out(self, provider: str, reference: str, amount: int) -> None:
        if self.deposits.named(reference, provider) is None:
            self.deposits.open(
                provider=provider, reference=reference, currency="NGN", amount=amount, email="", name="",
                return_url="", metadata={},
            )  # fmt: skip

    @rule(provider=providers, reference=references, pays=st.booleans())
    def finish(self, provider: str, reference: str, pays: bool) -> None:
        checkout = self.deposits.named(reference, provider)
        if checkout is not None:
            (self.deposits.pay if pays else self.deposits.fail)(checkout.token)

    @rule(kind=st.sampled_from(COURSES), provider=providers, seconds=st.integers(0, 30))
    def go_wrong(self, kind: str, provider: str, seconds: int) -> None:
        self.sim.fault(kind, provider=provider, times=1, seconds=seconds)

    @rule(seconds=st.sampled_from([1, 10, 40, 1800]))
    def advance(self, seconds: int) -> None:
        self.sim.advance(seconds)

    @rule(reference=references, state=st.sampled_from(["success", "failed", "reversed"]))
    def command(self, reference: str, state: str) -> None:
        for transfer in self.bank.named(reference):
            self.bank.move(transfer.id, state)

    @invariant()
    def the_books_balance(self) -> None:
        assert balanced(self.sim.store)
        for provider in PROVIDERS:
            account = self.bank.accounts.at(provider, "NGN")
            assert account.ledger == self.expected(provider)
            assert account.ledger >= account.locked >= 0

    def expected(self, provider: str) -> int:
        """Initial + deposits - payouts - fees + reversals, from transfers and checkouts alone."""
        books: dict[str, Any] = self.sim.books()
        total = 1000 * MILLION
        for checkout in books["checkouts"]:
            if checkout["provider"] == provider and checkout["state"] == "success":
                on_top = provider == "flutterwave"
                total += int((Decimal(checkout["paid"]) - (0 if on_top else Decimal(checkout["fee"]))) * MILLION)
        for transfer in books["transfers"]:
            if transfer["provider"] == provider and transfer["state"] == "success":
                total -= int((Decimal(transfer["amount"]) + Decimal(transfer["fee"])) * MILLION)
            elif transfer["provider"] == provider and transfer["state"] == "reversed" and not self.bank.returns_fees:
                total -= int(Decimal(transfer["fee"]) * MILLION)
        return total


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
