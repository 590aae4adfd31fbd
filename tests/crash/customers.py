"""Customers over real HTTP who write down what they asked for and what they were told, as a careful client does."""

import itertools
import json
import random
import time
from dataclasses import dataclass
from threading import Event
from typing import Any
from uuid import uuid4

import httpx

from tests.crash.bank import PROVIDERS
from users.tests.signing import Signer

PASSWORD = "correct horse battery"
FUNDS = 1_000_000
REFUSED, STUCK, SENT_BACK = "0000000001", "0000000004", "0000000005"
# What the simulator makes of them is in docs/simulator.md: paid, refused, stuck, sent back, failed, paid unheard.
NUMBERS = ("0000000000", REFUSED, STUCK, SENT_BACK, "0000000010", "0000000013")
ACCOUNTS = [(provider, number) for provider in PROVIDERS for number in NUMBERS]
# Answers that settle nothing: the client must ask again with the same key.
UNSETTLED = {409, 429, 503}
PAUSE, PATIENCE = 0.04, 45.0


@dataclass
class Ask:
    """One request that moves money, and what its sender knows: nothing, until an answer settles it."""

    path: str
    body: dict[str, Any]
    number: str = ""
    provider: str = ""
    status: int | None = None
    answer: bytes = b""
    paid: bool = False

    def __post_init__(self) -> None:
        self.key = uuid4().hex

    @property
    def kind(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def done(self) -> bool:
        return self.status in (201, 202)

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.answer)

    @property
    def amount(self) -> int:
        return self.body["amount"]


class Customer:
    """A person with one wallet, and bank accounts at several providers."""

    def __init__(self, base: str, email: str, accounts: list[tuple[str, str]]) -> None:
        self.http = httpx.Client(base_url=f"{base}/api/v1", timeout=5)
        self.email = email
        self.asks: list[Ask] = []
        self.random = random.Random(email)
        self._must("auth/register", {"email": email, "password": PASSWORD})
        self.log_in()
        self.wallet = self._must("wallets", {"currency": "NGN"})["id"]
        self.accounts = {account: self._bank_account(*account) for account in accounts}

    def log_in(self) -> None:
        pair = self._must("auth/token", {"email": self.email, "password": PASSWORD})
        self.http.headers["Authorization"] = f"Bearer {pair['access']}"

    def work(self, others: list["Customer"], enough: Event) -> None:
        """Transfer to the others, now and then to a bank, now and then pay in, until told that it is enough."""
        accounts, providers = itertools.cycle(self.accounts), itertools.cycle(PROVIDERS)
        for count in itertools.count(1):
            if enough.is_set():
                return
            match count % 12:
                case 4 | 8:
                    ask = self._withdrawal(*next(accounts))
                case 6:
                    ask = self._top_up(next(providers))
                case _:
                    ask = self._transfer(self.random.choice(others))
            self.asks.append(ask)
            self.send(ask)
            self.pay(ask)
            time.sleep(PAUSE if ask.done else 5 * PAUSE)

    def of(self, kind: str) -> list[Ask]:
        """What was asked for of a kind: transfers, withdrawals, top-ups."""
        return [ask for ask in self.asks if ask.kind == kind]

    def send(self, ask: Ask) -> httpx.Response | None:
        """Ask once; returns an answer that settles it, or None."""
        try:
            response = self.http.post(ask.path, json=ask.body, headers={"Idempotency-Key": ask.key})
            if response.status_code == 401:
                self.log_in()
        except (httpx.TransportError, httpx.HTTPStatusError):
            return None
        if response.status_code in UNSETTLED | {401}:
            return None
        if ask.status is None:
            ask.status, ask.answer = response.status_code, response.content
        return response

    def insist(self, ask: Ask) -> httpx.Response:
        """Ask with the same key until there is an answer that settles it."""
        deadline = time.monotonic() + PATIENCE
        while (response := self.send(ask)) is None:
            assert time.monotonic() < deadline, f"no answer to {ask}"
            time.sleep(0.2)
        return response

    def pay(self, ask: Ask) -> None:
        """Press the button on a top-up's checkout page, where there is one."""
        if ask.kind != "top-ups" or not ask.done or ask.paid:
            return
        try:
            ask.paid = httpx.post(f"{ask.told['checkout_url']}/pay", timeout=5).status_code == 200
        except httpx.TransportError:
            ask.paid = False

    def read(self, path: str) -> dict[str, Any]:
        response = self.http.get(path)
        if response.status_code == 401:
            # A storm takes longer than a token lives.
            self.log_in()
            response = self.http.get(path)
        return response.raise_for_status().json()

    def everything(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found, page = [], self.read(f"{path}{'&' if '?' in path else '?'}limit=200")
        while True:
            found += page["results"]
            if page["next"] is None:
                return found
            page = self.read(page["next"])

    def _transfer(self, to: "Customer") -> Ask:
        return Ask(
            "transfers", {"source": self.wallet, "destination": to.wallet, "amount": self.random.randint(1, 5_000)}
        )

    def _withdrawal(self, provider: str, number: str) -> Ask:
        body = {"amount": self.random.randint(100, 500), "bank_account": self.accounts[provider, number]}
        return Ask(f"wallets/{self.wallet}/withdrawals", body, number, provider)

    def _top_up(self, provider: str) -> Ask:
        body = {"amount": self.random.randint(10_000, 20_000), "provider": provider}
        return Ask(f"wallets/{self.wallet}/top-ups", body, provider=provider)

    def _bank_account(self, provider: str, number: str) -> str:
        body = {"provider": provider, "bank_code": "058", "account_number": number, "currency": "NGN"}
        return self._must("bank-accounts", body)["id"]

    def _must(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.http.post(path, json=body).raise_for_status().json()


def fund(base: str, signer: Signer, customer: Customer) -> None:
    """A service credits the customer's wallet, signing its request."""
    path, body = f"/api/v1/wallets/{customer.wallet}/deposits", json.dumps({"amount": FUNDS}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
    signed = signer.sign("POST", path, body=body, headers=headers)
    httpx.post(base + path, content=body, headers=signed.headers).raise_for_status()
