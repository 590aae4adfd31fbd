"""Demo data: a handful of people with wallets and a past, and staff for the back office. Made once."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ledger import verifications
from ledger.durable import durable
from users import clients, registration, staff
from users.callers import Caller, System
from users.models import ApiClient, User
from walletproject import demo_statements, demo_usage
from wallets import bank_accounts, chart, closing, deposits, opening, transfers
from wallets.admin.totals import totals
from wallets.exports import ask as exports
from wallets.idempotency import Claim
from wallets.models import JournalTemplate, Proposal, Wallet
from wallets.proposals import decide
from wallets.proposals.accounts import OpenAccount
from wallets.proposals.ask import ask
from wallets.proposals.deed import Deed
from wallets.proposals.journals import Journal, JournalLeg
from wallets.proposals.rules import RuleChange
from wallets.proposals.wallets import CreditLimit, Freeze
from wallets.providing import provider
from wallets.reports.payouts import AGED
from wallets.reports.report import Parameters
from wallets.sandbox_bank import books, checkouts, delivery
from wallets.snapshots import sync
from wallets.snapshots.sync import Asker, Target
from wallets.topups import start
from wallets.webhooks import inbox, intake
from wallets.withdrawals import accept

PASSWORD = "correct-horse-battery"
STAFF = "staff@example.com"
# Who works in the back office, and in which roles.
OFFICE = (
    ("accountant@example.com", "Ada Accountant", ("accountant",)),
    ("operator@example.com", "Obi Operator", ("operator",)),
    ("approver@example.com", "Amara Approver", ("approver",)),
    ("auditor@example.com", "Audu Auditor", ("auditor",)),
)
SHOP = "demo-shop"
PEOPLE = (
    ("amina@example.com", "Amina Bello"),
    ("chidi@example.com", "Chidi Okafor"),
    ("kwame@example.com", "Kwame Mensah"),
    ("njeri@example.com", "Njeri Kamau"),
)
# Who pays whom for what.
TRANSFERS = (
    (0, 1, "Dinner"), (1, 2, "Design work"), (2, 0, "Rent, my share"), (3, 0, "Concert tickets"), (0, 3, "Groceries"),
    (1, 0, "Taxi"), (3, 2, "Birthday gift"),
)  # fmt: skip
# What a shop's customers paid it: day of the month, and amount; each has a reference, ORD-1001 and so on.
ORDERS = (
    (4, 185_000), (6, 92_500), (7, 310_000), (9, 64_000), (11, 128_000), (12, 215_000), (14, 77_500), (18, 149_900),
    (22, 54_000), (24, 402_500), (26, 88_000), (28, 236_000),
)  # fmt: skip
# Accounts of our own, beside those that the product opens by itself.
CHART = (
    ("assets:bank:operating:NGN", "Our own bank account"), ("equity:capital:NGN", "Capital"),
    ("expenses:goodwill:NGN", "Goodwill to customers"),
)  # fmt: skip
FEE: dict[str, Any] = {"provider": "", "basis_points": 0, "minimum": None, "maximum": None}
# How withdrawals of a currency are priced, bounded and approved.
RULES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("feerule", FEE | {"currency": "KES", "flat": 3_300}),
    ("withdrawallimit", {"currency": "KES", "scope": "user", "window": "day", "amount": 30_000_000}),
    ("approvalrule", {"currency": "KES", "kind": "amount", "threshold": 10_000_000}),
)
# What is paid in, and whether it is paid at all; the last two digits of an amount choose what the sandbox bank does.
TOP_UPS = ((750_000, True), (120_007, True), (60_000, False))
# How long days stay open for corrections.
OPEN = timedelta(days=7)
SCOPES = (
    "wallets:read", "wallets:write", "deposits:write", "transfers:write", "withdrawals:write",
)  # fmt: skip


@dataclass(frozen=True)
class Login:
    """An account of the demo and its password: for evaluation on one's own machine, and nowhere else."""

    email: str
    password: str = PASSWORD


def is_seeded() -> bool:
    """Whether the demo data is there."""
    return User.objects.filter(email=STAFF).exists()


def seed(*, now: datetime) -> None:
    """Make the demo data, a month of it, through the same functions as everybody else's.

    Where it was interrupted the accounts and wallets are completed, and no money moves again. Staff come last: they
    tell that it was done.
    """
    start = now - timedelta(days=30)
    people = [_join(email, name, start) for email, name in PEOPLE]
    wallets = [open_wallet(person, "NGN", "Main", start) for person in people]
    dollars = open_wallet(people[0], "USD", "Savings", start)
    if not ApiClient.objects.filter(name=SHOP).exists():
        _move(people, wallets, dollars, start, now)
    for amount, pays in TOP_UPS if "sandbox" in settings.PROVIDERS else ():
        _top_up(people[1], wallets[1], amount, now, pays=pays)
    _hire(now)
    _ask(wallets, now)
    demo_usage.leave_work(_staff("accountant"), now)
    demo_statements.reconcile(_staff("accountant"), _staff("approver"), start, now)
    for total in totals():
        # The deposits above came from nowhere: let the bank hold what our books say that it holds.
        books.set_holding(total.currency, total.held, now=now)
    _read_balances(wallets[0], dollars)
    _close(now)
    User.objects.create_superuser(email=STAFF, password=PASSWORD, full_name="Sade Staff")


def _move(people: list[User], wallets: list[Wallet], dollars: Wallet, start: datetime, now: datetime) -> None:
    """What happened in the month, in the order of its days: the books don't go back in time."""
    shop = _shop(start)
    month = [*_month(shop, people, wallets, dollars), *demo_usage.planned(people, wallets, send, start)]
    for after, deed in sorted(month, key=lambda planned: planned[0]):
        deed(start + after)
    _deposit(shop, wallets[1], 480_000, "Order 1042, released when it is delivered", now, days=14)
    for number, amount in (("0123456789", 300_000), ("0000000001", 150_000), ("0000000004", 90_000)):
        withdraw(people[0], wallets[0], number, amount, now)


def _month(
    shop: Caller, people: list[User], wallets: list[Wallet], dollars: Wallet
) -> Iterator[tuple[timedelta, Callable[[datetime], None]]]:
    """Who was paid what, and how long after the beginning."""
    for index, wallet in enumerate(wallets):
        salary = partial(_deposit, shop, wallet, 2_500_000 + 750_000 * index, "Salary")
        yield timedelta(days=2 + 4 * index, hours=index), salary
    yield timedelta(days=3), partial(_deposit, shop, dollars, 120_000, "Opening balance")
    for index, (source, destination, what) in enumerate(TRANSFERS):
        amount = 45_000 + 12_500 * index
        transfer = partial(send, people[source], wallets[source], wallets[destination], amount, what)
        yield timedelta(days=5 + 3 * index, hours=7 * index % 12, minutes=13 * index), transfer
    for number, (day, amount) in enumerate(ORDERS, 1001):
        order = partial(_deposit, shop, wallets[2], amount, f"Order {number}", reference=f"ORD-{number}")
        yield timedelta(days=day), order


def _read_balances(naira: Wallet, dollars: Wallet) -> None:
    """The bank's balances, one as our books have it, and one that somebody must look at."""
    books.set_holding(dollars.currency, 95_000, now=timezone.now())
    robot = Asker(System("seed_demo"), "system:seed_demo")
    for wallet in (naira, dollars):
        target = Target(wallet.pk, wallet.currency, provider(settings.DEFAULT_PROVIDER), None)
        told = sync.ask(target, robot, clock=timezone.now)
        durable(sync.store)(target, told, robot, now=timezone.now())


def _hire(now: datetime) -> None:
    """Staff, each in a role."""
    for email, name, roles in OFFICE:
        if not User.objects.filter(email=email).exists():
            user = User.objects.create_user(email, PASSWORD, full_name=name)
            with transaction.atomic():
                staff.give_roles(user, roles, actor=System("seed_demo"), now=now)


def _ask(wallets: list[Wallet], now: datetime) -> None:
    """What needs two people: a journal that was approved, and some that wait."""
    if Proposal.objects.exists():
        return
    ada, obi, amara = map(_staff, ("accountant", "operator", "approver"))
    for code, name in CHART:
        _agree(OpenAccount(code, name), "For the books of the year.", ada, amara, now)
    _agree(Journal(_legs("assets:bank:operating:NGN", "equity:capital:NGN", 500_000_000), "Capital paid in"),
           "The founders' money.", ada, amara, now)  # fmt: skip
    goodwill = Journal(_legs("expenses:goodwill:NGN", f"{chart.WALLETS}{wallets[3].pk}", 25_000), "Goodwill")
    _agree(goodwill, "She was charged twice; ticket 4711.", ada, amara, now)
    legs = [{"account": "expenses:goodwill:NGN", "debit": 25_000}]
    JournalTemplate.objects.create(name="Goodwill", description="Goodwill", legs=legs)
    ask(CreditLimit(wallets[2].pk, 1_000_000), actor=ada, reason="A shop that we know for years.", now=now)
    ask(Freeze(wallets[1].pk, True), actor=obi, reason="Asked for by phone: their phone was stolen.", now=now)
    exports.ask(AGED, Parameters(), "pdf", actor=ada, now=now)
    for table, values in RULES:
        _agree(RuleChange(table, None, values), "For our start in Kenya.", ada, amara, now)
    fee = FEE | {"currency": "NGN", "flat": 5_000}
    ask(RuleChange("feerule", None, fee), actor=ada, reason="What banks take from us.", now=now)


def _close(now: datetime) -> None:
    """The older days are closed and sealed, and the books proved."""
    closing.close((now - OPEN).astimezone(UTC).date(), actor=System("seed_demo"), clock=lambda: now)
    verifications.prove(clock=timezone.now)


def _staff(role: str) -> User:
    """Whoever works in the office in a role."""
    return User.objects.get(email=f"{role}@example.com")


def _legs(debit: str, credit: str, amount: int) -> tuple[JournalLeg, ...]:
    return JournalLeg(debit, debit=amount), JournalLeg(credit, credit=amount)


def _agree(deed: Deed, reason: str, asks: User, approves: User, now: datetime) -> None:
    """Let one ask and another approve."""
    proposal = ask(deed, actor=asks, reason=reason, now=now)
    decide.approve(proposal.pk, actor=approves, seen=decide.digest(proposal), reason="Seen.", now=now)


def shown() -> dict[str, object]:
    """What a newcomer needs: who can log in, and a transfer that works."""
    source, destination = (_main(email) for email, _ in PEOPLE[:2])
    return {
        "people": [asdict(Login(email)) for email, _ in PEOPLE],
        "staff": asdict(Login(STAFF)),
        "office": [asdict(Login(email)) for email, *_ in OFFICE],
        "transfer": {"source": str(source), "destination": str(destination), "amount": 1_500},
    }


def _main(email: str) -> UUID:
    return Wallet.objects.values_list("pk", flat=True).get(owner__email=email, currency="NGN", is_default=True)


def _shop(now: datetime) -> Caller:
    """A service client, whose secret nobody keeps: create_api_client makes one to use."""
    clients.create_api_client(name=SHOP, scopes=SCOPES, actor=System("seed_demo"), now=now)
    client = ApiClient.objects.get(name=SHOP)
    return Caller("service", client.pk, frozenset(client.scopes))


def _person(user: User) -> Caller:
    return Caller("person", user.pk)


def _join(email: str, name: str, now: datetime) -> User:
    found = User.objects.filter(email=email).first()
    return found or registration.register(email=email, password=PASSWORD, full_name=name, now=now)


def open_wallet(user: User, currency: str, name: str, now: datetime) -> Wallet:
    """Somebody's wallet in a currency, opened unless they have one."""
    found = Wallet.objects.filter(owner=user, currency=currency, is_default=True).first()
    return found or opening.open_wallet(
        caller=_person(user), currency=currency, name=name, owner=None, metadata={}, now=now
    )


@durable
def _deposit(
    shop: Caller, wallet: Wallet, amount: int, description: str, now: datetime, *, days: int = 0, reference: str = ""
) -> None:
    deposits.deposit(
        caller=shop, wallet_id=wallet.pk, amount=amount, release_at=now + timedelta(days=days), reference=reference,
        description=description, metadata={}, now=now,
    )  # fmt: skip


@durable
def send(user: User, source: Wallet, destination: Wallet, amount: int, what: str, now: datetime) -> None:
    """Let somebody pay from one wallet into another, in minor units."""
    order = transfers.Order(_person(user), source.pk, amount, destination.pk, description=what)
    transfers.transfer(order, now=now)


def withdraw(user: User, wallet: Wallet, number: str, amount: int, now: datetime) -> None:
    """Let somebody ask for a withdrawal, in minor units, to a bank account that they add for it."""
    account = bank_accounts.add(
        caller=_person(user), provider=settings.DEFAULT_PROVIDER, bank_code="058", account_number=number,
        currency=wallet.currency, now=now,
    )  # fmt: skip

    @durable
    def ask() -> None:
        accept.withdraw(accept.Order(_person(user), wallet.pk, amount, account.pk, "To my bank"), now=now)

    ask()


def _top_up(user: User, wallet: Wallet, amount: int, now: datetime, *, pays: bool) -> None:
    """Pay in through the sandbox bank, which tells of it as it always does."""
    claim = Claim(_person(user).key, f"demo-{amount}", b"demo")
    top_up = start.start(
        caller=_person(user), wallet_id=wallet.pk, amount=amount, provider_slug="sandbox", claim=claim, now=now
    )
    if not pays:
        return
    checkouts.pay(top_up.reference, now=now)
    body = delivery.notice("deposit", top_up.reference, now=now) or b""
    # However long ago the demo plays, a signature is fresh or refused.
    headers = {name.lower(): value for name, value in delivery.signed(body, now=timezone.now()).items()}
    for event in intake.take("sandbox", headers, body, now=now):
        inbox.handle(event, clock=lambda: now)
