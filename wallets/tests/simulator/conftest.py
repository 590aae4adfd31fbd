"""The simulator on real sockets, with a clock that only a test moves, and one customer for each provider."""

import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import msgspec
import pytest

from wallets.simulator.clock import Clock
from wallets.simulator.server import Simulator, simulating

# Trusting nobody saves a client the reading of everybody's certificates.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# Whoever commands the simulator, or clicks in a browser.
web = httpx.Client(verify=NO_TLS, headers={"Connection": "close"})
NOON = 1_767_614_400.0
PROVIDERS = ("paystack", "flutterwave", "fincra")
GOOD, NOBODYS = "0000000000", "9999999999"
BUSINESS = "64f1c2a4b7d9e30012ab4567"
KEYS = {
    "paystack": {"Authorization": "Bearer sk_test_simulator"},
    "flutterwave": {"Authorization": "Bearer FLWSECK_TEST-simulator"},
    "fincra": {"api-key": "fincra-simulator-secret", "x-pub-key": "fincra-simulator-public"},
}
PATHS = {
    "paystack": "/transfer/verify/{}",
    "flutterwave": "/transfers?reference={}",
    "fincra": "/disbursements/payouts/customer-reference/{}",
}


@pytest.fixture(autouse=True)
def database() -> None:
    """The simulator has none."""


def wdr(number: int) -> str:
    """A reference that all three take."""
    return f"wdr_{number:032x}_1"


class Customer:
    """One provider's API with the right key, and what all three have in common."""

    def __init__(self, base: str, provider: str) -> None:
        self.provider = provider
        self.http = httpx.Client(base_url=base, headers=KEYS[provider], timeout=2, verify=NO_TLS)

    def order(self, reference: str, account: str = GOOD, amount: int = 100) -> httpx.Response:
        """Send whole naira to an account."""
        path, body = self.wire_order(reference, account, amount)
        return self.http.post(path, json=body)

    def wire_order(self, reference: str, account: str, amount: int) -> tuple[str, Any]:
        if self.provider == "paystack":
            return "/transfer", {
                "source": "balance", "amount": amount * 100, "recipient": self.recipient(account),
                "reference": reference,
            }  # fmt: skip
        if self.provider == "flutterwave":
            return "/transfers", {
                "account_bank": "044", "account_number": account, "amount": amount, "currency": "NGN",
                "reference": reference,
            }  # fmt: skip
        return "/disbursements/payouts", {
            "business": BUSINESS, "sourceCurrency": "NGN", "destinationCurrency": "NGN", "amount": f"{amount}.00",
            "description": "Rent", "paymentDestination": "bank_account", "customerReference": reference,
            "beneficiary": {"type": "individual", "accountNumber": account, "bankCode": "058"},
        }  # fmt: skip

    def recipient(self, account: str) -> str:
        body = {"type": "nuban", "name": "Amina", "account_number": account, "bank_code": "057", "currency": "NGN"}
        return self.http.post("/transferrecipient", json=body).json()["data"]["recipient_code"]

    def query(self, reference: str) -> httpx.Response:
        return self.http.get(PATHS[self.provider].format(reference))

    def find(self, reference: str) -> Any:
        """The transfer as the provider tells it, or None."""
        answer = self.query(reference)
        if answer.status_code == 404:
            return None
        data = answer.json()["data"]
        if isinstance(data, list):
            return next((row for row in data if row["reference"] == reference), None)
        return data

    def word(self, reference: str) -> str:
        """Its status, in small letters, without an ending that one of them has and another hasn't."""
        return self.find(reference)["status"].lower().removesuffix("ful")

    def check_out(self, reference: str, amount: int = 10_000, back: str = "") -> httpx.Response:
        """Open a checkout over whole naira."""
        person = {"email": "amina@example.com", "name": "Amina Bello"}
        path, body = {
            "paystack": (
                "/transaction/initialize",
                {"email": person["email"], "amount": amount * 100, "reference": reference, "callback_url": back},
            ),
            "flutterwave": (
                "/payments",
                {"tx_ref": reference, "amount": amount, "currency": "NGN", "redirect_url": back, "customer": person},
            ),
            "fincra": (
                "/checkout/payments",
                {"reference": reference, "amount": amount, "currency": "NGN", "redirectUrl": back, "customer": person},
            ),
        }[self.provider]
        return self.http.post(path, json=body)

    def link(self, reference: str, amount: int = 10_000, back: str = "") -> str:
        data = self.check_out(reference, amount, back).json()["data"]
        return data.get("authorization_url") or data["link"]

    def deposit(self, reference: str) -> httpx.Response:
        return self.http.get(
            {
                "paystack": f"/transaction/verify/{reference}",
                "flutterwave": f"/transactions/verify_by_reference?tx_ref={reference}",
                "fincra": f"/checkout/payments/merchant-reference/{reference}",
            }[self.provider]
        )

    def available(self) -> float:
        """Naira that can be paid out."""
        if self.provider == "paystack":
            rows = self.http.get("/balance").json()["data"]
            return next(row["balance"] for row in rows if row["currency"] == "NGN") / 100
        if self.provider == "flutterwave":
            return self.http.get("/balances/NGN").json()["data"]["available_balance"]
        answer = self.http.get("/wallets", params={"businessID": BUSINESS, "currency": "NGN"})
        return answer.json()["data"][0]["availableBalance"]


@dataclass
class Received:
    """A webhook that came."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return msgspec.json.decode(self.raw)


class Inbox:
    """A receiver of webhooks, which answers what a test tells it to."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                inbox.received.append(Received(self.path, headers, raw))
                self.send_response(inbox.answers.pop(0) if inbox.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks/"

    def wait(self, count: int, seconds: float = 5) -> list[Received]:
        """What came, once it is so many."""
        until(lambda: len(self.received) >= count, seconds)
        return list(self.received)


def until(happened: Any, seconds: float = 5) -> None:
    """Wait for other threads; fail when it doesn't happen."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    inbox = Inbox()
    thread = threading.Thread(target=inbox.server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    yield inbox
    inbox.server.shutdown()
    inbox.server.server_close()


@pytest.fixture
def sim(inbox: Inbox) -> Iterator[Simulator]:
    """It is noon, and stays noon; a transfer settles after ten seconds."""
    with simulating(clock=Clock(stopped_at=NOON), webhooks=inbox.url, settle_seconds=10) as sim:
        yield sim


@pytest.fixture(params=PROVIDERS)
def customer(sim: Simulator, request: pytest.FixtureRequest) -> Iterator[Customer]:
    """Each of the three in turn."""
    customer = Customer(sim.base(request.param), request.param)
    yield customer
    customer.http.close()


@pytest.fixture
def paystack(sim: Simulator) -> Customer:
    return Customer(sim.base("paystack"), "paystack")


@pytest.fixture
def flutterwave(sim: Simulator) -> Customer:
    return Customer(sim.base("flutterwave"), "flutterwave")


@pytest.fixture
def fincra(sim: Simulator) -> Customer:
    return Customer(sim.base("fincra"), "fincra")


def transfer(sim: Simulator, reference: str) -> Any:
    """A transfer in the simulator's own books."""
    found = sim.books(reference)["transfers"]
    assert len(found) == 1
    return found[0]
