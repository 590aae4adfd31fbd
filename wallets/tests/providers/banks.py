"""The four providers as the contract sees them: an adapter, the bank behind it, and what that can do wrong on command.

Three banks are the simulator's, over real sockets. The sandbox bank is in this process and has tables: what it does
wrong is chosen by account numbers, and of all that can go wrong it does a few things.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings

from wallets import bell
from wallets.models import SandboxCheckout, SandboxPayout
from wallets.providers.fincra.adapter import FincraProvider
from wallets.providers.flutterwave.adapter import FlutterwaveProvider
from wallets.providers.paystack.adapter import PaystackProvider
from wallets.providers.port import (
    Capability,
    DepositIntent,
    PaymentProvider,
    PayoutOrder,
    PayoutState,
    ProviderEvent,
    SubmitResult,
)
from wallets.providers.sandbox import webhooks
from wallets.providers.sandbox.adapter import SandboxProvider
from wallets.sandbox_bank import bank, books, checkouts, delivery
from wallets.simulator.server import Simulator
from wallets.tests.simulator.conftest import GOOD, Inbox, wdr

HTTP = ("paystack", "flutterwave", "fincra")
ALL = (*HTTP, "sandbox")
# An amount that has all the digits that naira have.
AMOUNT = 250_050
SETTLED = 10.0
REFERENCE = wdr(1)
DEPOSIT = "dep-0123456789abcdef0123456789abcdef"
Delivery = tuple[Mapping[str, str], bytes]


class Bank(ABC):
    """A provider through its adapter, and its own books. `failing` is an account that is never paid, `nobodys` none."""

    slug: str
    port: PaymentProvider
    url: str
    failing: str
    nobodys: str
    returns_after: float

    def pay(self, reference: str = REFERENCE, account: str = "", amount: int = AMOUNT) -> SubmitResult:
        """Order a payout once."""
        account = account or self.account()
        recipient = self.port.ensure_recipient("058", account, "Amina Bello", "NGN")
        order = PayoutOrder(reference, amount, "NGN", "058", account, "Amina Bello", "Rent", recipient)
        return self.port.submit_payout(order)

    def ask(self, reference: str = REFERENCE) -> PayoutState:
        return self.port.query_payout(reference, "")

    def later(self, seconds: float = SETTLED) -> PayoutState:
        self.advance(seconds)
        return self.ask()

    def heard(self, count: int) -> list[ProviderEvent]:
        """What the webhooks say, each verified over its raw bytes."""
        events: list[ProviderEvent] = []
        for headers, raw in self.told(count):
            self.port.verify_webhook(headers, raw)
            events += self.port.parse_webhook(raw)
        return events

    @property
    def is_unique(self) -> bool:
        return Capability.UNIQUE_REFERENCE in self.port.capabilities

    def account(self) -> str:
        """Whom a payout goes to."""
        return GOOD

    @abstractmethod
    def fault(self, kind: str, **more: Any) -> None:
        """From now on something goes wrong."""

    @abstractmethod
    def advance(self, seconds: float) -> None:
        """Time passes."""

    @abstractmethod
    def charge(self, fee: str) -> int:
        """A payout costs so much, in major units; returns the amount of one for which that is so."""

    @abstractmethod
    def times_paid(self, reference: str = REFERENCE) -> int:
        """How often the payout of a reference was paid, by the bank's books."""

    @abstractmethod
    def holding(self) -> dict[str, Decimal]:
        """What it holds of our naira: available, and in all."""

    @abstractmethod
    def checkouts(self, reference: str = DEPOSIT) -> int:
        """How many checkouts a reference has."""

    @abstractmethod
    def pay_checkout(self, amount: int | None = None) -> None:
        """The payer pays what was asked for, or another amount."""

    @abstractmethod
    def refuse_checkout(self) -> None:
        """The payer doesn't pay."""

    @abstractmethod
    def told(self, count: int) -> list[Delivery]:
        """The webhooks that have come, once they are so many."""

    @abstractmethod
    def forged(self, raw: bytes) -> Mapping[str, str]:
        """The headers of a webhook that somebody without the secret has signed."""


class Simulated(Bank):
    """One of the simulator's."""

    failing, nobodys, returns_after = "0000000010", "9999999999", 5.0

    def __init__(self, slug: str, sim: Simulator, inbox: Inbox) -> None:
        self.slug, self.sim, self.inbox, self.url = slug, sim, inbox, sim.url
        self.port = adapter(slug, sim)

    def fault(self, kind: str, **more: Any) -> None:
        self.sim.fault(kind, provider=self.slug, **more)

    def advance(self, seconds: float) -> None:
        self.sim.advance(seconds)

    def charge(self, fee: str) -> int:
        self.control("settings", {"fees": {self.slug: fee}})
        return AMOUNT

    def times_paid(self, reference: str = REFERENCE) -> int:
        theirs = self.sim.books(reference)
        assert theirs["balanced"]
        return max((transfer["times_paid"] for transfer in theirs["transfers"]), default=0)

    def holding(self) -> dict[str, Decimal]:
        theirs = self.sim.books()["balances"][self.slug]["NGN"]
        return {"available": Decimal(theirs["available"]), "total": Decimal(theirs["ledger"])}

    def checkouts(self, reference: str = DEPOSIT) -> int:
        return len(self.sim.books(reference)["checkouts"])

    def pay_checkout(self, amount: int | None = None) -> None:
        paid = {} if amount is None else {"amount": str(Decimal(amount) / 100)}
        self.control(f"checkouts/{DEPOSIT}/pay", paid)

    def refuse_checkout(self) -> None:
        self.control(f"checkouts/{DEPOSIT}/fail")

    def told(self, count: int) -> list[Delivery]:
        return [(webhook.headers, webhook.raw) for webhook in self.inbox.wait(count)]

    def forged(self, raw: bytes) -> Mapping[str, str]:
        return self.sim.faces[self.slug].signature(raw, forged=True)

    def control(self, path: str, body: Any = None) -> None:
        """Command the simulator."""
        httpx.post(f"{self.sim.url}/_control/{quote(path)}", json=body or {}).raise_for_status()


def adapter(slug: str, sim: Simulator) -> PaymentProvider:
    """The adapter of a provider, at the simulator's address; its webhooks' secret is being rotated."""
    keys, common = sim.keys, {"slug": slug, "mode": "test", "base_url": sim.base(slug)}
    if slug == "paystack":
        secret = keys.paystack_secret
        return PaystackProvider(**common, secret_key=secret, webhook_secrets=["new", secret])
    if slug == "flutterwave":
        return FlutterwaveProvider(
            **common, secret_key=keys.flutterwave_secret, webhook_secrets=["new", keys.flutterwave_hash]
        )
    return FincraProvider(
        **common, secret_key=keys.fincra_secret, public_key=keys.fincra_public, business_id=keys.fincra_business,
        webhook_secrets=["new", keys.fincra_webhook],
    )  # fmt: skip


# The account that does each fault of the contract which the sandbox bank has.
MAGIC: Mapping[tuple[str, tuple[tuple[str, Any], ...]], str] = {
    ("refused", ()): bank.REFUSED,
    ("timeout", (("when", "after"),)): bank.TIMES_OUT,
    ("timeout", (("times", 1), ("when", "after"))): bank.TIMES_OUT,
    ("stuck", ()): bank.STUCK,
    ("failed", ()): bank.FAILS_LATER,
    ("webhook_duplicate", ()): bank.TOLD_TWICE,
    ("wrong_amount", (("amount", "2500.49"),)): bank.PAYS_LESS,
    ("otp", ()): bank.WANTS_OTP,
    ("hidden", (("seconds", bank.FOUND_AFTER.total_seconds()),)): bank.FOUND_LATE,
    ("reversed", ()): bank.SENT_BACK,
}


class Sandboxed(Bank):
    """The sandbox bank, told the time by `travel`; of its webhooks it is told by whoever rings for a worker."""

    slug, url = "sandbox", "https://wallet.example"
    failing, nobodys, returns_after = bank.FAILS_LATER, "123", bank.SENT_BACK_AFTER.total_seconds()
    opening = 100_000_000

    def __init__(self, now: datetime, travel: Callable[[datetime], Any], monkeypatch: Any, committing: Any) -> None:
        self.now, self._travel, self._committing, self._account = now, travel, committing, GOOD
        self._secret = settings.PROVIDERS["sandbox"][1]["webhook_secrets"][0]
        self.port = SandboxProvider(
            slug=self.slug, settle_after=SETTLED, webhook_secrets=["new", self._secret], public_url=self.url
        )
        self._promised: list[tuple[datetime, Any, str]] = []
        monkeypatch.setattr(bell, "ring", self._ring)
        books.set_holding("NGN", self.opening, now=now)

    def _ring(self, task: str, *args: str, after: float = 0.0, **_: Any) -> None:
        assert task == "wallets.sandbox_tell"
        self._promised.append((self.now + timedelta(seconds=after), *args))

    def pay(self, *args: Any, **more: Any) -> SubmitResult:
        with self._committing(execute=True):
            return super().pay(*args, **more)

    def account(self) -> str:
        return self._account

    def fault(self, kind: str, **more: Any) -> None:
        self._account = MAGIC[kind, tuple(sorted(more.items()))]

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self._travel(self.now)

    def charge(self, fee: str) -> int:
        return AMOUNT // 100 * 100 + int(Decimal(fee) * 100)

    def times_paid(self, reference: str = REFERENCE) -> int:
        return SandboxPayout.objects.filter(pk=reference, refused="", settles_at__lte=self.now).count()

    def holding(self) -> dict[str, Decimal]:
        ordered = [payout.amount for payout in SandboxPayout.objects.all()]
        paid = [payout.amount for payout in SandboxPayout.objects.filter(settles_at__lte=self.now)]
        return {
            "available": Decimal(self.opening - sum(ordered)) / 100, "total": Decimal(self.opening - sum(paid)) / 100,
        }  # fmt: skip

    def checkouts(self, reference: str = DEPOSIT) -> int:
        return SandboxCheckout.objects.filter(pk=reference).count()

    def pay_checkout(self, amount: int | None = None) -> None:
        """What is paid, the amount that was asked for has decided."""
        with self._committing(execute=True):
            checkouts.pay(DEPOSIT, now=self.now)

    def refuse_checkout(self) -> None:
        checkouts.refuse(DEPOSIT, now=self.now)

    def told(self, count: int) -> list[Delivery]:
        due = [(kind, reference) for at, kind, reference in self._promised if at <= self.now]
        assert len(due) == count
        bodies = [delivery.notice(kind, reference, now=self.now) for kind, reference in due]
        return [(_lowered(delivery.signed(raw, now=self.now)), raw) for raw in bodies if raw]

    def forged(self, raw: bytes) -> Mapping[str, str]:
        return _lowered(webhooks.headers("somebody else's", int(self.now.timestamp()), raw))


def _lowered(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def commits(slug: str, kind: str, more: Mapping[str, Any]) -> bool:
    """Whether a bank can do a fault."""
    return slug in HTTP or (kind, tuple(sorted(more.items()))) in MAGIC


def intent(amount: int = 1_000_050) -> DepositIntent:
    """Amina wants to pay in."""
    return DepositIntent(DEPOSIT, amount, "NGN", "amina@example.com", "Amina Bello", "https://w.example/back")


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
