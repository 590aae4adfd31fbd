"""The simulator as one thing that is started and stopped: bank, faces, webhooks, control and an HTTP server."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from wallets.simulator.amounts import from_major
from wallets.simulator.bank import Bank
from wallets.simulator.books import books
from wallets.simulator.checkout import Checkout
from wallets.simulator.clock import Clock
from wallets.simulator.control import Control
from wallets.simulator.deposits import Deposits
from wallets.simulator.faults import Commanded, Fault, Faults, Kind
from wallets.simulator.fincra.face import Fincra
from wallets.simulator.flutterwave.face import Flutterwave
from wallets.simulator.keys import Keys
from wallets.simulator.listener import Server
from wallets.simulator.magic import MAGIC
from wallets.simulator.paystack.face import Paystack
from wallets.simulator.store import Store
from wallets.simulator.transport import Waiting, carry_out
from wallets.simulator.webhooks import Webhooks
from wallets.simulator.wire import Answer, Face, Refusal, Request

# What each provider holds in a new simulator, in major units.
OPENING = {"NGN": Decimal(10_000_000), "GHS": Decimal(100_000), "KES": Decimal(1_000_000), "USD": Decimal(100_000)}
BASES = {"paystack": "/paystack", "flutterwave": "/flutterwave/v3", "fincra": "/fincra"}


class Simulator:
    """Listens from its making on; serves once it is started. Port 0 is any free one."""

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, webhooks: str = "", settle_seconds: float = 1.0,
        state: Path | None = None, clock: Clock | None = None, keys: Keys | None = None,
        opening: Mapping[str, Decimal] = OPENING,
    ) -> None:  # fmt: skip
        self._server = Server(self, host, port)
        self.store, self.clock, self.keys = Store(state), clock or Clock(), keys or Keys()
        self.faults = Faults(self.store, MAGIC)
        self.bank = Bank(self.store, self.faults, self.clock, settle_seconds=settle_seconds)
        self.deposits = Deposits(self.bank)
        self.faces: dict[str, Face] = {
            face.slug: face(self.bank, self.deposits, self.keys) for face in (Paystack, Flutterwave, Fincra)
        }
        self.webhooks = Webhooks(self.bank, self.deposits, self.faces, webhooks)
        self._checkout = Checkout(self.deposits, self.faces)
        self._control = Control(self.bank, self.deposits, self.webhooks)
        self._ending, self._news = threading.Event(), threading.Event()
        self.bank.listeners.append(lambda transfer: self._news.set())
        self._threads: list[threading.Thread] = []
        self._remember(opening)

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{self._server.server_address[0]!s}:{self._server.server_address[1]}"

    def base(self, provider: str) -> str:
        """The base URL of a provider, for the adapter's setting."""
        return self.url + BASES[provider]

    def start(self) -> None:
        """Serve, settle and deliver, in threads of its own."""
        serve = {"poll_interval": 0.01}
        self._threads = [
            threading.Thread(target=self._server.serve_forever, kwargs=serve, daemon=True),
            threading.Thread(target=self._settle, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.webhooks.start()

    def stop(self) -> None:
        """Hang up, and let go of the file."""
        self._ending.set()
        self._news.set()
        self._server.shutdown()
        self._server.hang_up()
        self.webhooks.stop()
        for thread in self._threads:
            thread.join()
        self._server.server_close()
        self.store.close()

    @property
    def ending(self) -> bool:
        """Whether it is being stopped."""
        return self._ending.is_set()

    def fault(self, kind: Kind | str, **more: Any) -> Commanded:
        """From now on let something go wrong; the names are those of `Fault`."""
        return self.faults.command(msgspec.convert({"kind": kind, **more}, Fault))

    def heal(self) -> None:
        """Take all faults back."""
        self.faults.heal()

    def advance(self, seconds: float) -> None:
        """Let time pass, and do what is due then."""
        self.clock.advance(seconds)
        self.bank.settle_due()
        self.webhooks.hurry()

    def books(self, prefix: str = "") -> dict[str, Any]:
        """What `GET /_control/books` answers."""
        return books(self.bank, prefix)

    def serve(self, request: Request, caller: Waiting) -> None:
        """One call, from wherever it comes."""
        if self.ending:
            return caller.hang_up(reset=True)
        for slug, base in BASES.items():
            if request.path.startswith(base + "/"):
                return self._serve_face(self.faces[slug], _below(request, base), caller)
        if request.path.startswith("/_control/"):
            return caller.send(self._control.answer(_below(request, "/_control")))
        if request.path.startswith("/checkout/"):
            return caller.send(self._checkout.answer(_below(request, "/checkout")))
        return caller.send(Answer(404, {"error": f"Providers are below {', '.join(BASES.values())}."}))

    def _serve_face(self, face: Face, request: Request, caller: Waiting) -> None:
        try:
            task = face.open(request)
        except Refusal as refusal:
            return caller.send(refusal.answer)
        return carry_out(task, face, self.faults, caller)

    def _remember(self, opening: Mapping[str, Decimal]) -> None:
        """The opening balances of a new simulator, the clock of one that was killed."""
        with self.store.transaction():
            self.clock.advance(float(self.store.setting("advanced") or 0))
            if self.store.setting("opened"):
                return
            for slug in self.faces:
                for currency, amount in opening.items():
                    self.bank.accounts.move(slug, currency, "initial", from_major(amount))
            self.store.remember("opened", "yes")

    def _settle(self) -> None:
        """Do what is due, when it is."""
        while not self.ending:
            self._news.clear()
            self.bank.settle_due()
            due = self.bank.next_due()
            self._news.wait(1.0 if due is None else min(max(due - self.clock.now(), 0.01), 1.0))


@contextmanager
def simulating(**options: Any) -> Iterator[Simulator]:
    """A simulator on a free port, for as long as the block lasts; takes what `Simulator` takes."""
    simulator = Simulator(**options)
    simulator.start()
    try:
        yield simulator
    finally:
        with suppress(OSError):
            simulator.stop()


def _below(request: Request, base: str) -> Request:
    return replace(request, path=request.path.removeprefix(base))
