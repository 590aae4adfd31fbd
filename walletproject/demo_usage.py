"""Usage for the demo: three weeks of what a shop's and an agency's software used, with the rhythm of their days."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from math import exp
from random import Random
from uuid import UUID

from users.callers import Caller, System
from users.models import User
from wallets import opening
from wallets.models import Meter, UsageEvent, Wallet
from wallets.proposals.ask import ask
from wallets.proposals.prices import NewPrice, Tariffs
from wallets.usage import (
    alerts,
    automatic,
    ingestion,
    meters,
    prices,
    recalculation,
    settlement,
    thresholds,
    topping_up,
)
from wallets.usage.automatic import Plan
from wallets.usage.events import Event
from wallets.usage.meters import NewMeter
from wallets.usage.pricing import Tier
from wallets.usage.settling import WORKERS
from wallets.usage.tariffs import Tariff

BY = System("seed_demo")
GATEWAY, SENT_BY = "gateway-1", "system:seed_demo"
CALLS, MESSAGES = "api-calls", "messages"
# Minor units: a fifth of a kobo a call and half of that beyond a million, four naira a message.
METERS = (
    (NewMeter(CALLS, "API calls", "call", "sum"),
     Tariff("graduated", tiers=(Tier(Decimal(1_000_000), Decimal("0.2")), Tier(None, Decimal("0.1"))),
            allowance=Decimal(10_000))),
    (NewMeter(MESSAGES, "Messages", "message", "sum"), Tariff("per_unit", Decimal(400))),
)  # fmt: skip
BEGINS, DAYS = timedelta(days=8), 22
# How often the gateway reports: lately every five minutes, before that so often is enough to see a day's rhythm.
FINE, COARSE = timedelta(minutes=5), timedelta(minutes=30)
# What is used so late is not settled yet.
UNSETTLED = timedelta(hours=3)
BATCH = 1_000


@dataclass(frozen=True)
class Customer:
    """Who uses how much: calls and messages an hour at the height of a day, and what is paid in at first."""

    person: int
    name: str
    calls: int
    messages: int
    funds: int


SHOP = Customer(2, "Shop API", 9_000, 9, 400_000)
# It has used up what was paid in: the rest waits for money.
AGENCY = Customer(1, "Agency API", 2_500, 3, 272_000)


def planned(
    people: list[User], mains: list[Wallet], transfer: Callable[..., None], start: datetime
) -> Iterator[tuple[timedelta, Callable[[datetime], None]]]:
    """What happens, and how long after the beginning: wallets are opened and filled, and every day is metered."""
    wallets: dict[str, Wallet] = {}

    def begin(now: datetime) -> None:
        _price(start)
        for customer in (SHOP, AGENCY):
            owner, main = people[customer.person], mains[customer.person]
            wallets[customer.name] = wallet = _open(owner, customer.name, now)
            transfer(owner, main, wallet, customer.funds, f"For {customer.name}", now)
        _watch(people[SHOP.person], mains[SHOP.person], wallets, now)

    yield BEGINS, begin
    random = Random(2026)
    for day in range(DAYS):
        since = BEGINS + timedelta(days=day)
        until = since + timedelta(days=1) - (UNSETTLED if day == DAYS - 1 else timedelta())
        step = FINE if day >= DAYS - 2 else COARSE
        yield until, partial(_meter, wallets, start + since, step, random, settles=True)
    last = BEGINS + timedelta(days=DAYS)
    yield last, partial(_meter, wallets, start + last - UNSETTLED, FINE, random, settles=False)


def leave_work(accountant: User, now: datetime) -> None:
    """What waits for people: a price, events in quarantine, and a month that was counted again and differs."""
    wallet = Wallet.objects.get(name=SHOP.name)
    cheaper = NewPrice(MESSAGES, "NGN", Tariffs("per_unit", "350"), wallet=wallet.pk)
    ask(cheaper, actor=accountant, reason="Promised for 10,000 messages a month.", now=now)
    ingestion.take_durably(list(_strange(wallet, now)), now=now)
    _restore(wallet, now)
    job = recalculation.begin(by=accountant, now=now, queued=False)
    while recalculation.step(job, now=now):
        pass


def _price(start: datetime) -> None:
    for new, tariff in METERS:
        meters.make(new, by=BY, now=start)
        prices.announce(new.slug, tariff, currency="NGN", by=BY, now=start, starts_at=start)


def _open(owner: User, name: str, now: datetime) -> Wallet:
    caller = Caller("person", owner.pk)
    return opening.open_wallet(caller=caller, currency="NGN", name=name, owner=None, metadata={}, now=now)


def _watch(owner: User, source: Wallet, wallets: dict[str, Wallet], now: datetime) -> None:
    """The shop is topped up by itself; of the agency somebody hears."""
    shop, agency = wallets[SHOP.name], wallets[AGENCY.name]
    plan = Plan(source.pk, below=80_000, amount=250_000, monthly_cap=2_000_000)
    automatic.set_up(Caller("person", owner.pk), shop.pk, plan, now=now)
    for wallet, kind, below in ((shop, "current", 120_000), (agency, "current", 100_000), (agency, "runway", 24)):
        thresholds.add(wallet.pk, kind=kind, below=below, actor=BY, now=now)


def _meter(
    wallets: dict[str, Wallet], since: datetime, step: timedelta, random: Random, now: datetime, *, settles: bool
) -> None:
    """What was used from a moment until now is taken, settled, and looked at."""
    events = [
        event
        for customer in (SHOP, AGENCY)
        for event in _events(customer, wallets[customer.name], since, now, step, random)
    ]  # fmt: skip
    for first in range(0, len(events), BATCH):
        ingestion.take_durably(events[first : first + BATCH], now=now)
    if settles:
        for wallet in wallets.values():
            settlement.settle(wallet.pk, by=WORKERS, now=now)
    topping_up.top_up_due(clock=lambda: now)
    alerts.judge_all(clock=lambda: now)


def _events(
    customer: Customer, wallet: Wallet, since: datetime, until: datetime, step: timedelta, random: Random
) -> Iterator[Event]:
    """What the gateway reports: little at night and on Sundays, much around noon."""
    at = since
    while at < until:
        part = _rhythm(at) * step.total_seconds() / 3_600
        for meter, hourly in ((CALLS, customer.calls), (MESSAGES, customer.messages)):
            expected = hourly * part * random.uniform(0.6, 1.4)
            quantity = int(expected) + (random.random() < expected % 1)
            if quantity:
                name = f"{customer.person}-{meter}-{at:%Y%m%d%H%M}"
                yield Event(GATEWAY, name, wallet.pk, meter, Decimal(quantity), at, {}, SENT_BY)
        at += step


def _rhythm(at: datetime) -> float:
    """How busy a moment is, from 0 to 1."""
    hour = at.hour + at.minute / 60
    height = 0.4 if at.weekday() == 6 else 1.0
    return height * (0.06 + 0.94 * exp(-(((hour - 13) / 4.2) ** 2)))


def _strange(wallet: Wallet, now: datetime) -> Iterator[Event]:
    """Events that nobody can rate: of a meter that there isn't, too late, from tomorrow, and an id that came before."""
    for name, meter, after in (
        ("img-1", "image-resizes", timedelta(minutes=-9)), ("img-2", "image-resizes", timedelta(minutes=-4)),
        ("late-1", CALLS, timedelta(days=-50)), ("clock-1", CALLS, timedelta(hours=14)),
    ):  # fmt: skip
        yield Event("worker-7", name, wallet.pk, meter, Decimal(12), now + after, {"region": "lagos"}, SENT_BY)
    known = UsageEvent.objects.filter(wallet=wallet, meter__slug=CALLS).latest("occurred_at")
    yield Event(GATEWAY, known.event_id, wallet.pk, CALLS, known.quantity + 1, known.occurred_at, {}, SENT_BY)


def _restore(wallet: Wallet, now: datetime) -> None:
    """An event that came back with an old copy of the table, past the totals."""
    event = Event("restored", "r-1", wallet.pk, CALLS, Decimal(25_000), now - UNSETTLED, {}, SENT_BY)
    UsageEvent.objects.create(
        key=UUID(bytes=event.key), wallet=wallet, meter=Meter.objects.get(slug=CALLS), source=event.source,
        event_id=event.event_id, quantity=event.quantity, occurred_at=event.occurred_at, received_at=now,
    )  # fmt: skip
