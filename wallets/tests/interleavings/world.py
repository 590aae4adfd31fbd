"""One interleaving: wallets of its own, what was asked for, and every operation that may happen to it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db import transaction

from ledger.balances import standings
from ledger.decision import InsufficientFunds
from ledger.posting import post_one
from ledger.requests import Posting
from users.callers import System
from users.permissions import PermissionDenied
from wallets import chart
from wallets.idempotency import Claim, IdempotencyInProgress
from wallets.models import PayoutAttempt, ProviderCircuit, TopUp, WebhookEvent, Withdrawal
from wallets.opening import InvalidState
from wallets.providers.port import ProviderUnavailable
from wallets.simulator import orders
from wallets.simulator.amounts import CENT, MILLION
from wallets.simulator.orders import OPEN, Transfer
from wallets.tests.interleavings.street import SLUGS, Street
from wallets.topups import follow, start
from wallets.transfers import Order, transfer
from wallets.webhooks import inbox, intake
from wallets.withdrawals import accept, approve, cancel, hearsay, payout, review, switches

Item = TypeVar("Item")
TEST = System("interleavings")
FUNDS = 1_000_000
AMOUNTS = (10_000, 25_050, 90_000)
PAUSES = (1, 5, 20, 60, 95, 300, 700, 3_700, 15_000, 90_000)
LOST = [
    {"kind": kind, "when": when, "times": times} | more
    for kind, more in (("timeout", {"seconds": 0}), ("reset", {}), ("error", {}), ("html", {}))
    for when in ("before", "after")
    for times in (1, 2)
]
# What the bank, or the way to it, may do wrong; without `times` it does so until it is healed.
FAULTS: list[dict[str, Any]] = [
    *LOST,
    *({"kind": "timeout", "seconds": 0, "operation": operation} for operation in ("query", "any", "recipient")),
    *({"kind": "error", "status": 502, "operation": operation} for operation in ("send", "query", "query_deposit")),
    {"kind": "error", "status": 401, "when": "before", "times": 1},
    {"kind": "error", "status": 400, "when": "before", "times": 1},
    {"kind": "truncated", "times": 1},
    {"kind": "truncated", "operation": "query", "times": 2},
    {"kind": "rate_limit", "times": 1},
    {"kind": "rate_limit"},
    {"kind": "rate_limit", "operation": "query", "times": 2},
    *({"kind": kind, "times": 1} for kind in ("refused", "insufficient", "says_duplicate")),
    *({"kind": kind, "times": 1} for kind in ("failed", "failed_at_once", "stuck", "otp", "approval", "undocumented")),
    *({"kind": "reversed", "times": 1, "seconds": seconds} for seconds in (0, 5, 50_000, 400_000)),
    *({"kind": kind, "times": 1} for kind in ("wrong_amount", "wrong_currency")),
    *({"kind": "hidden", "seconds": seconds} for seconds in (20, 700, 8_000)),
    *({"kind": "hidden", "times": times} for times in (1, 4)),
    {"kind": "fee_untold", "times": 2},
    *({"kind": "fee_untold", "seconds": seconds} for seconds in (700, 50_000)),
]  # fmt: skip
# The bank takes an order and calls it bad: that counts only if it says the same when it is asked.
LIES = [{"kind": "error", "status": 400, "when": "after", "times": 1}]
FAULTS += LIES
# What a payout costs, finer than a minor unit too, in millionths.
FEES = (0, 10 * MILLION, 26_875_000, 50_000_001)
# What a person, or the state of things, may say no to.
REFUSALS = (InvalidState, InsufficientFunds, PermissionDenied, ProviderUnavailable, IdempotencyInProgress)


@dataclass
class Wanted:
    """A withdrawal as it was asked for."""

    id: UUID
    wallet: UUID
    provider: str
    amount: int

    @property
    def references(self) -> list[str]:
        """Of every attempt, the first one first."""
        attempts = PayoutAttempt.objects.filter(withdrawal_id=self.id).order_by("number")
        return [*attempts.values_list("reference", flat=True)]


@dataclass
class Wished:
    """A top-up as it was asked for."""

    claim: Claim
    wallet: UUID
    provider: str
    amount: int

    @property
    def row(self) -> TopUp:
        return TopUp.objects.get(created_by=self.claim.caller, idempotency_key=self.claim.key)


@dataclass
class World:
    """Two wallets of Alice's. Every operation takes two numbers, which choose among what there is; where there is
    nothing to choose from, nothing happens.
    """

    street: Street
    wallets: list[Any] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    wished: list[Wished] = field(default_factory=list)
    moved: list[tuple[UUID, UUID, int]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    told: bool = False
    late: bool = False
    mark: int = 0

    def __post_init__(self) -> None:
        self.heal(0, 0)
        self.sim.bank.fees, self.sim.bank.returns_fees = dict(orders.FEES), True
        ProviderCircuit.objects.update(failures=0, opened_at=None, retry_at=None)
        switches.resume(actor=TEST, now=self.now())
        row = self.sim.store.row("SELECT max(id) AS mark FROM deliveries")
        self.mark = (row and row["mark"]) or 0
        self.wallets = [self.street.alice.open() for _ in range(2)]
        with transaction.atomic():
            purses = [chart.wallet(wallet.account_id, "NGN").credit(FUNDS) for wallet in self.wallets]
            sources = [chart.clearing("sandbox", "NGN").debit(FUNDS) for _ in purses]
            for purse, source in zip(purses, sources, strict=True):
                post_one(Posting("deposit", f"funds:{purse.account}", (source, purse)), now=self.now())

    @property
    def lied(self) -> bool:
        """Whether the bank may have said no to what it took."""
        return any(fault in LIES for fault in self.faults)

    @property
    def sim(self) -> Any:
        return self.street.sim

    @property
    def caller(self) -> Any:
        return self.street.alice.caller

    def now(self) -> Any:
        return self.street.now()

    # What is asked of us.

    def ask(self, x: int, y: int) -> None:
        """Alice asks for a withdrawal."""
        slug, amount, wallet = SLUGS[x % 3], AMOUNTS[y % len(AMOUNTS)], self.wallets[y % 2].id
        with suppress(*REFUSALS), transaction.atomic():
            order = accept.Order(self.caller, wallet, amount, self.street.accounts[slug].id)
            made = accept.withdraw(order, now=self.now())
            self.wanted.append(Wanted(made.withdrawal.id, wallet, slug, amount))

    def cancel(self, x: int, y: int) -> None:
        """She takes it back, if she can."""
        for one in pick(self.wanted, x):
            with suppress(*REFUSALS), transaction.atomic():
                cancel.cancel(caller=self.caller, withdrawal_id=one.id, now=self.now())

    def spend(self, x: int, y: int) -> None:
        """She moves all that she has from one wallet to the other."""
        source, target = self.wallets[x % 2].id, self.wallets[1 - x % 2].id
        amount = available(self.wallets[x % 2], self.now())
        if amount > 0:
            with transaction.atomic():
                transfer(Order(self.caller, source, amount, target), now=self.now())
            self.moved.append((source, target, amount))

    def top_up(self, x: int, y: int) -> None:
        """She wishes for a top-up."""
        claim = Claim(self.caller.key, uuid4().hex, b"-")
        wish = Wished(claim, self.wallets[y % 2].id, SLUGS[x % 3], AMOUNTS[y % len(AMOUNTS)])
        self.wished.append(wish)
        self._start(wish)

    def insist(self, x: int, y: int) -> None:
        """She repeats a wish with its key."""
        for wish in pick(self.wished, x):
            self._start(wish)

    def _start(self, wish: Wished) -> None:
        with suppress(*REFUSALS):
            start.start(
                caller=self.caller, wallet_id=wish.wallet, amount=wish.amount, provider_slug=wish.provider,
                claim=wish.claim, now=self.now(),
            )  # fmt: skip

    # Staff.

    def approve(self, x: int, y: int) -> None:
        self._decide(x, approve.approve)

    def reject(self, x: int, y: int) -> None:
        self._decide(x, approve.reject)

    def retry(self, x: int, y: int) -> None:
        """Against a bank that calls bad what it took, only the look at its own pages helps; else none is needed."""
        for one in pick(self.wanted, x):
            live = any(found.state in (*OPEN, "success") for found in self.transfers_of(one))
            if not (self.lied and live):
                self._decide(x, review.retry)

    def ask_again(self, x: int, y: int) -> None:
        self._decide(x, review.ask_again)

    def _decide(self, x: int, deed: Callable[..., None]) -> None:
        for one in pick(self.wanted, x):
            with suppress(*REFUSALS):
                deed(one.id, actor=self.street.staff.user, reason="A test.", now=self.now())

    def halt(self, x: int, y: int) -> None:
        """No new orders, to one provider or to any."""
        switches.pause(provider=(*SLUGS, "*")[x % 4], reason="A test.", actor=TEST, now=self.now())

    def resume(self, x: int, y: int) -> None:
        for slug in (*SLUGS, "*"):
            switches.resume(provider=slug, actor=TEST, now=self.now())

    # Workers.

    def work(self, x: int, y: int) -> None:
        """A worker takes a withdrawal a step on, if it is due."""
        for one in pick(self.wanted, x):
            payout.advance(one.id, clock=self.now)

    def sweep(self, x: int, y: int) -> None:
        """Whatever is due is taken a step on."""
        for one in self.due():
            one()

    def begin(self, x: int, y: int) -> None:
        """A worker begins something that is due, and stops before it calls."""
        for one in pick(self.due(), x):
            self.street.crew.begin(one)

    def go_on(self, x: int, y: int) -> None:
        """A worker that has stopped goes on, however late."""
        for worker in pick(self.street.crew.stopped, x):
            self.street.crew.tell(worker, live=True)

    def die(self, x: int, y: int) -> None:
        """A worker that has stopped dies."""
        for worker in pick(self.street.crew.stopped, x):
            self.late = True
            self.street.crew.tell(worker, live=False)

    def wait(self, x: int, y: int) -> None:
        """Time passes."""
        self.late = self.late or bool(self.street.crew.stopped)
        self.sim.advance(PAUSES[x % len(PAUSES)])

    def hurry(self, x: int, y: int) -> None:
        """Time passes until the next withdrawal is due."""
        due = Withdrawal.objects.filter(wallet__in=self.wallets, next_at__gt=self.now()).order_by("next_at").first()
        if due is not None and due.next_at is not None:
            self.late = self.late or bool(self.street.crew.stopped)
            self.sim.advance((due.next_at - self.now()).total_seconds())

    def persist(self, x: int, y: int) -> None:
        """Time passes from one due withdrawal to the next, and each is worked on: several times."""
        for _ in range(2 + x % 5):
            self.hurry(x, y)
            self.sweep(x, y)

    def due(self) -> list[Callable[[], Any]]:
        """What of this interleaving a worker would find now."""
        now = self.now()
        clock, mine = self.now, {one.id for one in self.wanted}
        wishes = {*TopUp.objects.filter(wallet__in=self.wallets).values_list("id", flat=True)} if self.wished else ()
        events = {*self._events().values_list("id", flat=True)} if self.told else ()
        return [
            *(lambda id=id: payout.advance(id, clock=clock) for id in payout.due(now=now) if id in mine),
            *(lambda id=id: inbox.handle(id, clock=clock) for id in inbox.due(now=now) if id in events),
            *(lambda id=id: follow.advance(id, clock=clock) for id in follow.due(now=now) if id in wishes),
        ]  # type: ignore[misc]

    def _events(self) -> Any:
        return WebhookEvent.objects.filter(reference__in=self.references())

    def references(self) -> list[str]:
        """Every name under which a provider may know something of this interleaving."""
        ids = [one.id for one in self.wanted]
        attempts = PayoutAttempt.objects.filter(withdrawal_id__in=ids).values_list("reference", flat=True)
        wishes = (
            TopUp.objects.filter(wallet__in=self.wallets).values_list("reference", flat=True) if self.wished else ()
        )
        return [*attempts, *wishes]

    # The bank and the way to it.

    def fault(self, x: int, y: int) -> None:
        """From now on something goes wrong, at all providers or at one."""
        chosen = FAULTS[x % len(FAULTS)]
        self.faults.append(chosen)
        self.sim.fault(**chosen, **({"provider": SLUGS[y % 6]} if y % 6 < 3 else {}))

    def lose(self, x: int, y: int) -> None:
        """The next order is taken, its answer lost, and it isn't found for a while: the worst that can happen."""
        for chosen in ({"kind": "reset", "times": 1}, {"kind": "hidden", "seconds": (700, 8_000)[x % 2]}):
            self.faults.append(chosen)
            self.sim.fault(**chosen)

    def heal(self, x: int, y: int) -> None:
        """All goes well again. Nobody knows whether Flutterwave refuses a reference twice: here it never does."""
        self.sim.heal()
        self.sim.fault("pays_twice", provider="flutterwave")

    def bank_pays(self, x: int, y: int) -> None:
        self._move(x, "success")

    def bank_fails(self, x: int, y: int) -> None:
        self._move(x, "failed")

    def bank_reverses(self, x: int, y: int) -> None:
        self._move(x, "reversed")

    def charge(self, x: int, y: int) -> None:
        """A bank changes its price, and whether it gives that back with what comes back."""
        slug, fee = SLUGS[x % 3], FEES[y % len(FEES)]
        # Paystack counts in minor units.
        self.sim.bank.fees[slug] = fee // CENT * CENT if slug == "paystack" else fee
        self.sim.bank.returns_fees = bool(x % 2)

    def _move(self, x: int, state: str) -> None:
        for found in pick(self.transfers(), x):
            self.sim.bank.move(found.id, state)

    def payer_pays(self, x: int, y: int) -> None:
        """The payer pays, sometimes less than was asked for."""
        for deposit in pick(self.deposits(), x):
            self.sim.deposits.pay(deposit.token, amount=None if y % 4 else deposit.asked - CENT)

    def payer_fails(self, x: int, y: int) -> None:
        for deposit in pick(self.deposits(), x):
            self.sim.deposits.fail(deposit.token)

    def transfers(self) -> list[Transfer]:
        """What the simulator has of our withdrawals, hidden or not."""
        return [found for one in self.wanted for found in self.transfers_of(one)]

    def transfers_of(self, one: Wanted) -> list[Transfer]:
        return [found for reference in one.references for found in self.sim.bank.named(reference)]

    def moves(self) -> int:
        """How much has happened at the banks so far."""
        return int(self.sim.store.row("SELECT coalesce(max(id), 0) AS moves FROM steps")["moves"])

    def deposits(self) -> list[Any]:
        """What the simulator has of our top-ups."""
        found = [self.sim.deposits.named(wish.row.reference, wish.provider) for wish in self.wished]
        return [deposit for deposit in found if deposit is not None]

    # What is said of it.

    def deliver(self, x: int, y: int) -> None:
        """A webhook comes: any of them, in any order, also again."""
        for row in pick(self.deliveries(), x):
            self.tell(row["provider"], row["body"])

    def lie(self, x: int, y: int) -> None:
        """Somebody who has the secret says what isn't so."""
        for found in pick(self.transfers(), x):
            state = ("success", "failed", "reversed")[y % 3]
            event = self.sim.faces[found.provider].transfer_event(replace(found, state=state))
            if event is not None:
                self.tell(found.provider, event.body)

    def forge(self, x: int, y: int) -> None:
        """Somebody who hasn't is refused, and nothing is kept."""
        for found in pick(self.transfers(), x):
            face = self.sim.faces[found.provider]
            event = face.transfer_event(replace(found, state="success", word=uuid4().hex))
            self.tell_forged(found.provider, event.body)

    def gossip(self, x: int, y: int) -> None:
        """Word comes of any attempt, also of an older one."""
        for reference in pick([name for one in self.wanted for name in one.references], x):
            slug = PayoutAttempt.objects.get(reference=reference).provider
            with transaction.atomic():
                assert hearsay.heard(slug, reference, now=self.now())

    def deliveries(self) -> list[Any]:
        """Every webhook that the simulator would have sent."""
        return self.sim.store.rows("SELECT * FROM deliveries WHERE id > :mark ORDER BY id", mark=self.mark)

    def tell_forged(self, slug: str, body: bytes) -> None:
        """Deliver what somebody without the secret has made: it is refused."""
        before = self._events().count()
        with suppress(intake.SignatureInvalid):
            intake.take(slug, self.sim.faces[slug].signature(body, forged=True), body, now=self.now())
            raise AssertionError("a forged webhook was taken")
        assert self._events().count() == before

    def tell(self, slug: str, body: bytes) -> list[UUID]:
        """Deliver something with the provider's signature, true or not; returns what a worker is to look at."""
        self.told = True
        return intake.take(slug, self.sim.faces[slug].signature(body), body, now=self.now())


def pick(items: Sequence[Item], number: int) -> list[Item]:
    """One of them, or none where there is none."""
    return [items[number % len(items)]] if items else []


def available(wallet: Any, now: Any) -> int:
    """What may be spent of a wallet."""
    return standings([wallet.account_id], now=now)[wallet.account_id].available
