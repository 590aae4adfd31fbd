"""Money across: from wallet to wallet, one or ten thousand at a time, in a number of round trips that doesn't grow."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from msgspec import Struct, field
from uuid_utils.compat import uuid7

from ledger import sql
from ledger.balances import Standing
from ledger.decision import Refused
from ledger.posting import post
from ledger.requests import Posting
from users import audit
from users.callers import Caller
from users.context import request_id
from users.permissions import PermissionDenied, require_scope
from wallets import chart, metrics
from wallets.access import Access, Need, NotFound, WalletRefused, ask_reach, check

# A batch of more than so many is written before the books are locked, so that others get on meanwhile.
FEW = 25


class CurrencyMismatch(Exception):
    """Wallets of two currencies, or a bank account of another one."""

    code: ClassVar[str] = "currency_mismatch"
    title: ClassVar[str] = "Currencies differ"

    def __init__(self, source: str, destination: str) -> None:
        super().__init__(f"{source} can't be sent to {destination}; choose a destination in {source}.")
        self.data: dict[str, Any] = {"source_currency": source, "destination_currency": destination}


class SameWallet(Exception):
    """From a wallet to itself."""

    code: ClassVar[str] = "same_wallet"
    title: ClassVar[str] = "The same wallet"

    def __init__(self) -> None:
        super().__init__("Source and destination are the same wallet; choose another one.")
        self.data: dict[str, Any] = {}


class NothingMoved(Exception):
    """A batch that was to be done whole has an item that can't be: all of it was left undone."""

    def __init__(self, index: int, refusal: "Refusal") -> None:
        super().__init__(f"Item {index}: {refusal} Nothing was moved.")
        self.code, self.title = refusal.code, refusal.title
        self.data: dict[str, Any] = {**refusal.data, "index": index}


Refusal = Refused | NotFound | PermissionDenied | WalletRefused | CurrencyMismatch | SameWallet


class Order(Struct, frozen=True):
    """What a caller asks for: `amount` minor units from a wallet to another one, or to a user's default wallet."""

    caller: Caller
    source: UUID
    amount: int
    destination: UUID | None = None
    destination_user: str | None = None
    description: str = ""
    reference: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=uuid7)
    # The request that asks, since another one's thread may do it.
    request_id: str = field(default_factory=request_id.get)


class Transferred(Struct, frozen=True):
    """A transfer that was made, and the source as it stands after all that was done together with it."""

    order: Order
    destination: UUID
    currency: str
    standing: Standing
    now: datetime

    @property
    def transaction(self) -> UUID:
        """The ledger's transaction: it has the transfer's id."""
        return self.order.id


Outcome = Transferred | Refusal


def transfer(order: Order, *, now: datetime) -> Transferred:
    """Make one transfer, inside the caller's transaction. Raises its Refusal."""
    (outcome,) = transfer_each(find_routes([order]), now=now)
    if not isinstance(outcome, Transferred):
        raise outcome
    return outcome


def transfer_each(found: Sequence["Route | Refusal"], *, now: datetime) -> list[Outcome]:
    """Make what different callers ask for, as `find_routes` found it, each a deed of its own with its line in the
    trail.
    """
    outcomes = _run(found, now=now)
    audit.record_many(
        audit.Event(
            actor=order.caller, action="transfer.made", kind="transfer", object_id=order.id, now=now,
            data={"source": str(order.source), "amount": order.amount}, request_id=order.request_id,
        )
        for order in _made(outcomes)
    )  # fmt: skip
    return outcomes


def transfer_batch(orders: Sequence[Order], *, whole: bool, now: datetime) -> list[Outcome]:
    """Make a caller's batch in order, one deed with one line in the trail; inside the caller's transaction.

    A refusal stands where one couldn't be made; with `whole` nothing is made then, and NothingMoved is raised with
    the first.
    """
    outcomes = _run(find_routes(orders), now=now, whole=whole, ahead=len(orders) > FEW)
    for index, outcome in enumerate(outcomes):
        if whole and isinstance(outcome, Exception):
            # Undoes what was written for those before it.
            raise NothingMoved(index, outcome)
    if made := _made(outcomes):
        data = {"transfers": len(made), "first": str(made[0].id), "last": str(made[-1].id)}
        audit.record(
            actor=made[0].caller, action="transfer.batch_made", kind="transfer", object_id=made[0].id, data=data,
            now=now,
        )  # fmt: skip
    return outcomes


def _run(
    found: Sequence["Route | Refusal"], *, now: datetime, whole: bool = False, ahead: bool = False
) -> list[Outcome]:
    """Make transfers in order, each seeing what those before it did. Inside the caller's transaction.

    With `ahead` they are written before the books are locked, and those that are refused then are taken back.
    """
    # With `whole`, what comes after the first that has no route can't be the first that can't be.
    outcomes: list[Any] = list(found[: _first_refused(found) + 1] if whole else found)
    routes = [(index, route) for index, route in enumerate(outcomes) if isinstance(route, Route)]
    if not routes:
        return outcomes
    if ahead:
        sql.run(WRITE, (now, *columns([route for _, route in routes])))
    posted = post([route.posting() for _, route in routes], now=now, whole=whole)
    for (index, route), refusal in zip(routes, posted.refusals, strict=True):
        standing = Standing.of(posted.lane(route.source.account))
        outcomes[index] = refusal or Transferred(
            route.order, route.destination.id, route.source.currency, standing, now
        )
    made = [route for index, route in routes if isinstance(outcomes[index], Transferred)]
    if whole and len(made) < len(found):
        return outcomes
    if ahead and (refused := [route.order.id for index, route in routes if isinstance(outcomes[index], Exception)]):
        sql.run("SELECT wallets_take_back_transfers(%s)", (sql.uuids(refused),))
    if made and not ahead:
        sql.run(WRITE, (now, *columns(made)))
    if made:
        check_still_open([(route.source.id, route.destination.id) for route in made])
        metrics.posted("transfer", len(made))
    return outcomes


def check_still_open(ends: Iterable[tuple[UUID, UUID]]) -> None:
    """Look again at sources and destinations, now that their accounts are locked: their status can't change any more.
    Where one was frozen or closed just now, all is undone and decided again.
    """
    sources, destinations = (sql.uuids(set(wallets)) for wallets in zip(*ends, strict=True))
    sql.run(STILL_OPEN, (sources, destinations))


def _first_refused(outcomes: Sequence[Any]) -> int:
    return next((index for index, outcome in enumerate(outcomes) if isinstance(outcome, Exception)), len(outcomes))


def _made(outcomes: Iterable[Outcome]) -> list[Order]:
    return [outcome.order for outcome in outcomes if isinstance(outcome, Transferred)]


class Route(Struct, frozen=True):
    """An order with its two wallets, between which money may move."""

    order: Order
    source: Access
    destination: Access

    def check_open(self) -> None:
        """Raise WalletFrozen or WalletClosed unless money may leave the one and come into the other."""
        self.source.check_may_pay()
        self.destination.check_may_receive()

    def posting(self) -> Posting:
        """What the books are asked for."""
        order, currency = self.order, self.source.currency
        source, destination = (chart.wallet(end.account, currency) for end in (self.source, self.destination))
        return Posting(
            "transfer", f"transfer:{order.id}", (source.debit(order.amount), destination.credit(order.amount)),
            description=order.description, external_reference=order.reference, metadata=order.metadata, id=order.id,
        )  # fmt: skip


def find_routes(orders: Sequence[Order]) -> list[Route | Refusal]:
    """For each order its route, or the first reason why it can't be, whatever money is there."""
    return ask_routes(orders)()


def ask_routes(orders: Sequence[Order]) -> Callable[[], list[Route | Refusal]]:
    """What `find_routes` finds, asked for now and read later."""
    people = _ask_default_wallets(orders)
    wallets = ask_reach(
        {order.caller for order in orders}, {id for order in orders for id in (order.source, order.destination) if id}
    )

    def read() -> list[Route | Refusal]:
        named, reached = people(), wallets()
        return [_route(order, reached, named) for order in orders]

    return read


def _route(order: Order, wallets: Mapping[UUID, Access], people: Mapping[tuple[str, str], Access]) -> Route | Refusal:
    """The ladder: the first reason why the order can't be, or its route."""
    try:
        require_scope(order.caller, "transfers:write")
        source = check(order.caller, wallets.get(order.source), Need.SPEND)
        destination = _destination(order, source.currency, wallets, people)
        if source.id == destination.id:
            raise SameWallet
        if source.currency != destination.currency:
            raise CurrencyMismatch(source.currency, destination.currency)
        route = Route(order, source, destination)
        route.check_open()
    except (NotFound, PermissionDenied, WalletRefused, CurrencyMismatch, SameWallet) as refusal:
        return refusal
    return route


def _destination(
    order: Order, currency: str, wallets: Mapping[UUID, Access], people: Mapping[tuple[str, str], Access]
) -> Access:
    if order.destination is not None:
        found = wallets.get(order.destination)
    else:
        found = people.get((_name(order.destination_user or ""), currency))
    if found is None:
        raise NotFound("destination")
    return found


DEFAULTS = """
SELECT u.email, u.id::text, w.id, w.currency, w.status, w.account_id
FROM users_user u JOIN wallets_wallet w ON w.owner_id = u.id AND w.is_default
WHERE u.is_active AND (u.email = ANY (%s::text[]) OR u.id = ANY (%s::uuid[]))
"""


def _ask_default_wallets(orders: Iterable[Order]) -> Callable[[], dict[tuple[str, str], Access]]:
    """The default wallets of the users that orders name, by name and currency, to be read later."""
    names = {_name(order.destination_user) for order in orders if order.destination_user}
    if not names:
        return dict
    emails = sql.texts(name for name in names if "@" in name)
    ids = sql.uuids(id for name in names if (id := _uuid(name)))
    asked = sql.ask(DEFAULTS, (emails, ids))

    def read() -> dict[tuple[str, str], Access]:
        found: dict[tuple[str, str], Access] = {}
        for email, user, wallet, currency, status, account in asked():
            found[email, currency] = found[user, currency] = Access(wallet, currency, status, account)
        return found

    return read


def _name(user: str) -> str:
    """How a user is named in a look-up: an email in lower case, or an id as PostgreSQL writes it."""
    return str(_uuid(user) or user.strip().lower())


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


WRITE = """
INSERT INTO wallets_transfer (id, source_id, destination_id, amount, currency, status, transaction_id, reference,
                              description, metadata, created_by, created_at)
SELECT t.id, t.source_id, t.destination_id, t.amount, t.currency, 'completed', t.id, t.reference, t.description,
       t.metadata, t.created_by, %s
FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::int8[], %s::text[], %s::text[], %s::text[], %s::jsonb[],
            %s::text[])
    AS t (id, source_id, destination_id, amount, currency, reference, description, metadata, created_by)
"""
STILL_OPEN = """
SELECT wallets_lost_race() FROM wallets_wallet
WHERE id = ANY (%s::uuid[]) AND status <> 'active' OR id = ANY (%s::uuid[]) AND status = 'closed'
"""


def columns(routes: Sequence[Route]) -> tuple[sql.Array, ...]:
    """What is written of each transfer, an array for each column: as WRITE takes them."""
    orders = [route.order for route in routes]
    return (
        sql.uuids(order.id for order in orders), sql.uuids(order.source for order in orders),
        sql.uuids(route.destination.id for route in routes), sql.integers(order.amount for order in orders),
        sql.texts(route.source.currency for route in routes), sql.texts(order.reference for order in orders),
        sql.texts(order.description for order in orders),
        sql.texts(json.dumps(order.metadata) if order.metadata else "{}" for order in orders),
        sql.texts(order.caller.key for order in orders),
    )  # fmt: skip
