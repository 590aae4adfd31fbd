"""What must hold after an interleaving: at every step, once all is healed, and once a person has seen to the rest.

The truth is what the simulator's books say, and sums in plain Python of what was asked for.
"""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ledger.balances import standings
from wallets import chart
from wallets.models import CarriedFee, TopUp, UnmatchedReceipt, Withdrawal
from wallets.simulator.amounts import CENT, MILLION
from wallets.simulator.orders import OPEN, Transfer
from wallets.tests.interleavings.street import BASIS_POINTS, FLAT, SLUGS
from wallets.tests.interleavings.world import FUNDS, Wanted, Wished, World

CURRENCIES = ("NGN", "USD")
# What comes back within the second of the last look isn't seen by it.
LAST_LOOK = 72 * 3600 - 1
Status = Withdrawal.Status
OVER = (Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.RETURNED)


def paid_once(world: World) -> None:
    """At no moment has a bank paid a withdrawal twice, or two orders of it under way that it may pay."""
    for one in world.wanted:
        live = [found for found in world.transfers_of(one) if found.state in OPEN or found.state == "success"]
        assert len(live) <= 1, f"{one.id} is at the bank as {[(found.reference, found.state) for found in live]}"
        if live:
            assert live[0].amount == one.amount * CENT, f"{one.id}: another amount was ordered"


@dataclass
class Judge:
    """Begins before an interleaving, to compare with what was there."""

    world: World
    cash: dict[Any, int] = field(default_factory=dict)
    theirs: dict[Any, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cash, self.theirs = self._cash(), self._theirs()

    def healed(self) -> None:
        """Nobody has helped: each withdrawal is where the bank's books say, or before a person who knows why."""
        paid_once(self.world)
        for one in self.world.wanted:
            row = Withdrawal.objects.select_related("hold").get(pk=one.id)
            found = self.world.transfers_of(one)
            if row.status == Status.IN_REVIEW:
                self._may_be_before_a_person(row, found)
            else:
                # A bank that calls bad what it took, and then doesn't know it, is believed until it says otherwise.
                believed = {Status.FAILED} if self.world.lied else set()
                assert row.status in fates(found, row) | believed, f"{row.status}, and the bank says {told(found)}"

    def settled(self) -> None:
        """All is over: every state, every balance, and what each provider has of ours."""
        paid_once(self.world)
        for one in self.world.wanted:
            row = Withdrawal.objects.get(pk=one.id)
            found = self.world.transfers_of(one)
            assert self._is_gone(row) or row.status in final(found), f"{row.status}, and the bank says {told(found)}"
        self._top_ups()
        self._wallets()
        self._costs()
        self._clearing()

    def _may_be_before_a_person(self, row: Withdrawal, found: list[Transfer]) -> None:
        """Why it is in review must be so, and its money held unless it was posted or has been spent since."""
        world, code = self.world, row.failure_code
        wrong = {one["kind"] for one in world.faults}
        said = [one for one in found if (one.said_amount, one.said_currency) != (one.amount, one.currency)]
        doubt = world.late or bool(wrong)
        allowed = {
            "mismatch": bool(said),
            "action_required": bool(wrong & {"otp", "approval"}),
            "silent": doubt,
            "not_found": doubt,
            "not_sent": doubt,
            "contradiction": world.lied,
            "contradiction_money_gone": world.lied,
        }
        assert allowed.get(code), f"in review as {code}, and the bank says {told(found)}"
        if row.transaction_id is None and not code.endswith("money_gone"):
            assert (row.hold.status, row.hold.amount) == ("open", row.amount + row.fee), f"{code}: nothing is held"

    def _is_gone(self, row: Withdrawal) -> bool:
        """The bank paid what it had refused, and the money was spent meanwhile: only people can see to it."""
        return row.status == Status.IN_REVIEW and row.failure_code.endswith("money_gone") and self.world.lied

    def _top_ups(self) -> None:
        """Credited exactly once if exactly that was paid; what else was paid is in suspense, once."""
        for wish in self.world.wished:
            row, paid = wish.row, self._paid(wish)
            exact = paid == (wish.amount * CENT, "NGN")
            kept = UnmatchedReceipt.objects.filter(top_up=row).count()
            other = paid is not None and not exact
            assert (row.status == TopUp.Status.COMPLETED, kept) == (exact, int(other)), f"{row.status}: {paid}"

    def _paid(self, wish: Wished) -> tuple[int, str] | None:
        """What was paid for a top-up, by the books of its provider."""
        found = self.world.sim.deposits.named(wish.row.reference, wish.provider)
        return (found.paid, found.paid_currency) if found is not None and found.state == "success" else None

    def _wallets(self) -> None:
        """The balance of each wallet, from what was asked for and what the bank has done; and nothing is held."""
        world, expected = self.world, Counter({wallet.id: FUNDS for wallet in self.world.wallets})
        for source, target, amount in world.moved:
            expected[source] -= amount
            expected[target] += amount
        for wish in world.wished:
            if self._paid(wish) == (wish.amount * CENT, "NGN"):
                expected[wish.wallet] += wish.amount
        for one in world.wanted:
            gone = self._is_gone(Withdrawal.objects.get(pk=one.id))
            if not gone and any(found.state == "success" for found in world.transfers_of(one)):
                expected[one.wallet] -= one.amount + FLAT - -one.amount * BASIS_POINTS // 10_000
        accounts = {wallet.account_id: wallet.id for wallet in world.wallets}
        found = standings(accounts, now=world.now())
        assert {accounts[id]: (one.balance, one.held) for id, one in found.items()} == {
            id: (amount, 0) for id, amount in expected.items()
        }

    def _costs(self) -> None:
        """What a bank took for a payment is posted as it said it, unless it spoke of another currency."""
        for one in self.world.wanted:
            row, found = Withdrawal.objects.get(pk=one.id), self.world.transfers_of(one)
            came = {Decimal(each.fee) / MILLION for each in found if each.state in ("success", "reversed")}
            due = {each.fee for each in found if each.state == "success" and each.said_currency == each.currency}
            assert row.provider_fee in {None, *came}, f"{row.provider_fee} is posted, and the bank took {came}"
            assert self._is_gone(row) or not any(due) or row.provider_fee, f"the bank took {due}, and nothing is posted"

    def _clearing(self) -> None:
        """What each provider's books say of our money, and ours of it, to the millionth: they differ by what it took
        and didn't say, or gave back with what came back.
        """
        cash, theirs = self._cash(), self._theirs()
        ours = {key: cash[key] - self.cash[key] for key in cash}
        for one in self.world.wanted:
            row, found = Withdrawal.objects.get(pk=one.id), self.world.transfers_of(one)
            paid = sum(each.amount for each in found if each.state == "success")
            cost = self._gone_for(one) - paid
            ours[one.provider, "NGN"] += int((row.provider_fee or 0) * MILLION) - cost - paid * self._is_gone(row)
        assert ours == {key: theirs[key] - self.theirs[key] for key in theirs}

    def _gone_for(self, one: Wanted) -> int:
        """What left a provider's books for a withdrawal and hasn't come back, in all."""
        store = self.world.sim.store
        query = "SELECT coalesce(sum(-amount), 0) AS gone FROM entries WHERE provider = :p AND reference = :r"
        return sum(store.row(query, p=one.provider, r=reference)["gone"] for reference in one.references)

    def _cash(self) -> dict[Any, int]:
        """What our books say, in millionths, with what of fees is carried on taken off."""
        lines = {chart.clearing(slug, currency).id: (slug, currency) for slug in SLUGS for currency in CURRENCIES}
        found = standings(lines, now=self.world.now())
        carried = {(one.provider, one.currency): one.told % 1 for one in CarriedFee.objects.all()}
        return {
            name: int(((found[id].balance if id in found else 0) - carried.get(name, 0)) * CENT)
            for id, name in lines.items()
        }

    def _theirs(self) -> dict[Any, int]:
        accounts = self.world.sim.bank.accounts
        return {(slug, currency): accounts.at(slug, currency).ledger for slug in SLUGS for currency in CURRENCIES}


def final(found: list[Transfer]) -> set[str]:
    """Where a withdrawal must end, by what the bank has of it."""
    states = {one.state for one in found}
    if "success" in states:
        return {Status.COMPLETED}
    # What was refused may be tried again, and then be cancelled; what a bank still has may not.
    nothing = {Status.FAILED, Status.CANCELLED}
    # Who asks only after the reversal never sees that it was paid.
    return nothing | {Status.RETURNED} if "reversed" in states else nothing


def fates(found: list[Transfer], row: Withdrawal) -> set[str]:
    """The same before anybody has told of it: what comes back after the last look needs a webhook to be seen."""
    late = [one for one in found if one.state == "reversed" and row.completed_at and row.next_at is None]
    unseen = any(one.updated > row.completed_at.timestamp() + LAST_LOOK for one in late if row.completed_at)
    return final(found) | ({Status.COMPLETED} if unseen else set())


def told(found: list[Transfer]) -> str:
    return ", ".join(f"{one.reference} {one.state}" for one in found) or "nothing"
