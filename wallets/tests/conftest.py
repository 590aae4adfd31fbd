"""The cast: Alice owns wallets, Bob is sometimes a member, Charlie is a stranger; the shop is a service."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest
import time_machine
from django.test import Client
from django.test.client import ClientHandler

from ledger import sql, verify
from ledger.balances import standings
from users import clients, registration, sessions
from users.callers import Caller, System
from users.models import ApiClient, User
from users.tests.signing import Signer
from wallets import agreement, opening, providing
from wallets.models import Wallet

HANDLER = ClientHandler(enforce_csrf_checks=False)
PASSWORD = "correct horse battery"
SCOPES = (
    "wallets:read", "wallets:write", "deposits:write", "transfers:write", "withdrawals:write",
)  # fmt: skip


@dataclass
class Answer:
    """An HTTP answer as a test reads it."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return self.body["code"]


class Http:
    """Speaks the API for one of the cast; a POST gets a fresh key unless it is told one."""

    def __init__(self, token: str | None = None, signer: Signer | None = None) -> None:
        self.client, self.token, self.signer = Client(raise_request_exception=False), token, signer
        # The middleware is loaded once for all of them.
        self.client.handler = HANDLER

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, None, headers)

    def post(self, path: str, body: Any = None, key: str | None = "", **headers: str) -> Answer:
        """`key` None sends none; `body` bytes are sent as they are."""
        if key is not None:
            headers["Idempotency-Key"] = key or uuid4().hex
        return self.send("POST", path, {} if body is None else body, headers)

    def patch(self, path: str, body: Any) -> Answer:
        return self.send("PATCH", path, body, {})

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path, None, {})

    def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        data = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        path = path if path.startswith("/") else f"/api/v1/{path}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if data:
            headers.setdefault("Content-Type", "application/json")
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.signer:
            headers = self.signer.sign(method, path, body=data, headers=headers).headers
        kind = headers.pop("Content-Type", "application/json")
        response = self.client.generic(method, path, data, content_type=kind, headers=headers)
        content = b"".join(response) if response.streaming else response.content
        readable = "json" in response.get("Content-Type", "")
        return Answer(response.status_code, msgspec.json.decode(content) if readable else content, response.headers)


@dataclass
class Person:
    """One of the cast."""

    user: User
    http: Http

    @property
    def caller(self) -> Caller:
        return Caller("person", self.user.pk, is_staff=self.user.is_staff)

    def open(self, currency: str = "NGN", name: str = "") -> Wallet:
        return opening.open_wallet(
            caller=self.caller, currency=currency, name=name, owner=None, metadata={}, now=datetime.now(UTC)
        )


@dataclass
class Shop:
    """The service that credits wallets, with every scope."""

    caller: Caller
    http: Http

    def fund(self, wallet: Wallet, amount: int, **more: Any) -> dict[str, Any]:
        answer = self.http.post(f"wallets/{wallet.id}/deposits", {"amount": amount, **more})
        assert answer.status == 201, answer.body
        return answer.body


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> None:
    """Every test has a database: one that is rolled back, or for threads one that is wiped."""
    request.getfixturevalue("committed" if "committed" in request.fixturenames else "db")


@pytest.fixture(autouse=True)
def undisturbed(settings: Any) -> None:
    """The cast may call as often as it likes, and there is no worker to ring for."""
    settings.RATELIMIT_ENABLE = settings.CELERY_ENABLED = False


def join(email: str, name: str, *, staff: bool = False) -> Person:
    """A person who has registered and logged in."""
    now = datetime.now(UTC)
    user = registration.register(email=email, password=PASSWORD, full_name=name, now=now)
    if staff:
        User.objects.filter(pk=user.pk).update(is_staff=True)
        user.refresh_from_db()
    return Person(user, Http(sessions.log_in(email=email, password=PASSWORD, now=now).access))


@pytest.fixture
def alice(database: None) -> Person:
    return join("alice@example.com", "Alice")


@pytest.fixture
def bob(database: None) -> Person:
    return join("bob@example.com", "Bob")


@pytest.fixture
def charlie(database: None) -> Person:
    return join("charlie@example.com", "Charlie")


@pytest.fixture
def sade(database: None) -> Person:
    """Staff."""
    return join("sade@example.com", "Sade", staff=True)


def service(name: str, scopes: tuple[str, ...]) -> Shop:
    made = clients.create_api_client(name=name, scopes=scopes, actor=System("test"), now=datetime.now(UTC))
    client = ApiClient.objects.get(name=name)
    return Shop(Caller("service", client.pk, frozenset(scopes)), Http(signer=Signer(made.key_id, made.secret)))


@pytest.fixture
def shop(database: None) -> Shop:
    return service("shop", SCOPES)


@pytest.fixture
def purse(alice: Person, shop: Shop) -> Wallet:
    """Alice's wallet, with 1,000 in it."""
    wallet = alice.open()
    shop.fund(wallet, 1_000)
    return wallet


@pytest.fixture
def bank(settings: Any, database: None) -> Iterator[Any]:
    """The scripted bank, enabled beside the sandbox."""
    from wallets.tests.payouts import enable

    yield enable(settings)
    providing.registry.cache_clear()


@pytest.fixture
def office(bank: Any, alice: Person, shop: Shop) -> Iterator[Any]:
    """Alice's wallet of 1,000, the scripted bank behind it, and a worker whose clock the test has."""
    from wallets.tests.payouts import START, Office

    with time_machine.travel(START, tick=False) as traveller:
        wallet = alice.open()
        shop.fund(wallet, 1_000)
        yield Office(alice, wallet, bank, traveller)


@pytest.fixture
def bobs(bob: Person) -> Wallet:
    """Bob's wallet, empty."""
    return bob.open()


def balance(http: Http, wallet: Wallet) -> tuple[int, int, int, int]:
    """Balance, held, pending and available, as HTTP tells them."""
    body = http.get(f"wallets/{wallet.id}/balance").body
    return body["balance"], body["held"], body["pending"], body["available"]


def standing(code: str) -> int:
    """What an account of the chart stands at, in minor units, on its normal side; 0 where it isn't open."""
    accounts = [id for (id,) in sql.rows("SELECT id FROM ledger_account WHERE code = %s", (code,))]
    return sum(found.balance for found in standings(accounts, now=datetime.now(UTC)).values())


def books_are_clean() -> bool:
    """Whether every law of the ledger holds, and the product agrees with it."""
    return verify.clean() and agreement.clean()
