"""The three providers as one process, which keeps its books in a file, hangs on command, and can be killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from tests.crash.processes import wait_for
from tests.test_start import ROOT, free_port
from wallets.simulator.keys import Keys
from wallets.simulator.server import BASES, OPENING

PROVIDERS = tuple(BASES)


class Bank:
    """`manage.py simulate_providers --state`, its webhooks going to the product."""

    def __init__(self, state: Path, webhooks: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.state, self.webhooks = state, webhooks
        self.process: subprocess.Popen[bytes] | None = None
        # What it is told must come through at once: nobody waits in a pool.
        self.http = httpx.Client(base_url=self.url, headers={"Connection": "close"}, timeout=5)

    @property
    def environment(self) -> dict[str, str]:
        """What leads the product to it: addresses and keys."""
        keys = Keys()
        return {f"{slug.upper()}_BASE_URL": self.url + base for slug, base in BASES.items()} | {
            "PAYSTACK_SECRET_KEY": keys.paystack_secret,
            "FLUTTERWAVE_SECRET_KEY": keys.flutterwave_secret,
            "FLUTTERWAVE_WEBHOOK_SECRETS": keys.flutterwave_hash,
            "FINCRA_API_KEY": keys.fincra_secret,
            "FINCRA_PUBLIC_KEY": keys.fincra_public,
            "FINCRA_BUSINESS_ID": keys.fincra_business,
            "FINCRA_WEBHOOK_SECRETS": keys.fincra_webhook,
        }

    def start(self, environment: dict[str, str]) -> None:
        """Return when it answers. What it knew before is in its file."""
        arguments = ("--port", self.url.rpartition(":")[2], "--webhooks", self.webhooks, "--state", str(self.state))
        command = [sys.executable, "manage.py", "simulate_providers", *arguments, "--settle-seconds", "0.5"]
        # It needs no database; what settings can't do without is never used.
        unused = dict.fromkeys(("SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL"), "redis://unused")
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment | unused, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for("the simulator answers", self._answers)

    def kill(self) -> None:
        """Without a word."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def tell(self, path: str, **command: Any) -> dict[str, Any]:
        """A command below `/_control/`."""
        return self.http.post(f"/_control/{path}", json=command).raise_for_status().json()

    def books(self) -> dict[str, Any]:
        """All that it has and did."""
        return self.http.get("/_control/books").raise_for_status().json()

    @contextmanager
    def hanging(self, operation: str, *, when: str, provider: str = "") -> Iterator[None]:
        """While the block runs, a call hangs: before it was carried out, or after, which its caller can't tell."""
        fault = self.tell("faults", kind="timeout", operation=operation, when=when, provider=provider, times=1)
        wait_for(f"a call hangs: {operation}", lambda: self._left(fault["id"]) == 0)
        yield
        self.http.delete(f"/_control/faults/{fault['id']}").raise_for_status()

    @contextmanager
    def keeping_silent(self) -> Iterator[None]:
        """While the block runs, nobody is told of anything, and won't be later."""
        self.tell("settings", webhooks="")
        yield
        self.tell("settings", webhooks=self.webhooks)

    def delivered(self, told: str) -> int:
        """How many of the webhooks that have these words were taken."""
        return sum(told in str(one["body"]) and one["outcome"] == "delivered" for one in self.books()["deliveries"])

    def has_undelivered(self) -> bool:
        """Whether somebody paid at a checkout, and nobody will be told."""
        return any(
            one["outcome"] == "no receiver" and one["reference"].startswith("dep-")
            for one in self.books()["deliveries"]
        )

    def net(self, provider: str) -> Decimal:
        """What moved over its accounts since they were opened, in kobo."""
        return 100 * (Decimal(self.books()["balances"][provider]["NGN"]["ledger"]) - OPENING["NGN"])

    def _left(self, number: int) -> int:
        return {one["id"]: one["left"] for one in self.http.get("/_control/faults").json()}[number]

    def _answers(self) -> bool:
        try:
            return self.http.get("/_control/faults").status_code == 200
        except httpx.TransportError:
            return False
