"""Webhooks: written down in the transaction of what they tell, then delivered until the receiver answers 200.

The providers' retry habits are kept, six hundred times as fast: what takes Paystack an hour takes six seconds here.
"""

import http.client
import threading
from collections.abc import Mapping
from dataclasses import replace
from sqlite3 import Row
from typing import Any
from urllib.parse import urlsplit

import msgspec

from wallets.simulator.bank import Bank
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.faults import Call, Fault, Kind
from wallets.simulator.orders import Transfer
from wallets.simulator.wire import Event, Face

FASTER = 600
MINUTE, HOUR = 60.0, 3600.0
# Seconds after each failed attempt.
RETRIES: dict[str, list[float]] = {
    "paystack": [3 * MINUTE] * 4 + [HOUR] * 72,
    "flutterwave": [30 * MINUTE] * 3,
    "fincra": [],
}
PATIENCE = 5.0
LANES = 4
HELD_FOR, LATE_BY = 30.0, 60.0


class Webhooks:
    """The deliveries; one lane, in order, for all that is told of one reference."""

    def __init__(self, bank: Bank, deposits: Deposits, faces: Mapping[str, Face], receiver: str) -> None:
        self._bank, self._store, self._faces = bank, bank.store, faces
        self.receiver = receiver
        self._wake, self._ending, self._news = threading.Condition(), False, 0
        self._threads: list[threading.Thread] = []
        bank.listeners.append(self._tell_transfer)
        deposits.listeners.append(self._tell_deposit)

    def start(self) -> None:
        """Deliver from now on."""
        self._threads = [threading.Thread(target=self._work, args=(lane,), daemon=True) for lane in range(LANES)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Deliver no more; what waits is kept."""
        with self._wake:
            self._ending = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def hurry(self) -> None:
        """Look again: there is something new, or it is later than it was."""
        with self._wake:
            self._news += 1
            self._wake.notify_all()

    def send(self, provider: str, event: Event, reference: str, *, forged: bool = False, delay: float = 0.0) -> None:
        """Deliver something, properly signed or not, whether it is true or not."""
        self._write(provider, event, reference, forged=forged, delay=delay)
        self.hurry()

    def _tell_transfer(self, transfer: Transfer) -> None:
        face, call = self._faces[transfer.provider], _call(transfer, transfer.account_number)
        event = face.transfer_event(transfer)
        if event is not None:
            self._tell(call, event)
        elif self._take(Kind.WEBHOOK_FORGED, call):
            self._forge(call, face.transfer_event(replace(transfer, state="success")))

    def _tell_deposit(self, deposit: Deposit) -> None:
        face, call = self._faces[deposit.provider], _call(deposit)
        event = face.deposit_event(deposit)
        if event is not None:
            self._tell(call, event)
        elif deposit.state == "open" and self._take(Kind.WEBHOOK_FORGED, call):
            self._forge(call, face.deposit_event(replace(deposit, state="success", paid=deposit.asked)))

    def _tell(self, call: Call, event: Event) -> None:
        late, reordered = self._take(Kind.WEBHOOK_LATE, call), None
        if self._take(Kind.WEBHOOK_MISSING, call):
            self._write(call.provider, event, call.reference, outcome="suppressed")
            return
        overtakes = self._is_held(call)
        if not overtakes:
            reordered = self._take(Kind.WEBHOOK_REORDERED, call)
        delay = _seconds(late, LATE_BY) + _seconds(reordered, HELD_FOR)
        for _ in range(2 if self._take(Kind.WEBHOOK_DUPLICATE, call) else 1):
            self._write(call.provider, event, call.reference, delay=delay, held=reordered is not None)
        if overtakes:
            self._release(call, self._bank.clock.now() + delay)
        self.hurry()

    def _forge(self, call: Call, event: Event | None) -> None:
        if event is not None:
            self.send(call.provider, event, call.reference, forged=True)

    def _take(self, kind: Kind, call: Call) -> Fault | None:
        return self._bank.faults.take({kind}, call)

    def _write(
        self, provider: str, event: Event, reference: str, *, forged: bool = False, delay: float = 0.0,
        held: bool = False, outcome: str = "waiting",
    ) -> None:  # fmt: skip
        headers = self._faces[provider].signature(event.body, forged=forged)
        self._store.insert(
            "deliveries", provider=provider, reference=reference, event=event.name, body=event.body,
            headers=msgspec.json.encode(headers).decode(), lane=sum(reference.encode()) % LANES,
            due=self._bank.clock.now() + delay, held=held,
            outcome=outcome if self.receiver or outcome != "waiting" else "no receiver",
        )  # fmt: skip

    def _is_held(self, call: Call) -> bool:
        sql = "SELECT 1 FROM deliveries WHERE provider = :p AND reference = :r AND held AND outcome = 'waiting'"
        return self._store.row(sql, p=call.provider, r=call.reference) is not None

    def _release(self, call: Call, due: float) -> None:
        self._store.run(
            "UPDATE deliveries SET held = 0, due = :due + 0.001 WHERE provider = :p AND reference = :r AND held",
            due=due, p=call.provider, r=call.reference,
        )  # fmt: skip

    def _work(self, lane: int) -> None:
        while not self._ending:
            known = self._news
            row = self._store.row(
                "SELECT * FROM deliveries WHERE lane = :lane AND outcome = 'waiting' ORDER BY due, id LIMIT 1",
                lane=lane,
            )
            wait = None if row is None else row["due"] - self._bank.clock.now()
            if row is not None and wait is not None and wait <= 0:
                self._deliver(row)
                continue
            with self._wake:
                if known == self._news and not self._ending:
                    self._wake.wait(1.0 if wait is None else min(wait, 1.0))

    def _deliver(self, row: Row) -> None:
        status = self._post(row)
        attempts, retries = row["attempts"] + 1, RETRIES[row["provider"]]
        due, outcome = row["due"], "delivered"
        if status != 200:
            outcome = "waiting" if attempts <= len(retries) else "given up"
            due = self._bank.clock.now() + (retries[attempts - 1] / FASTER if outcome == "waiting" else 0)
        self._store.run(
            "UPDATE deliveries SET attempts = :attempts, outcome = :outcome, due = :due, held = 0 WHERE id = :id",
            attempts=attempts, outcome=outcome, due=due, id=row["id"],
        )  # fmt: skip

    def _post(self, row: Row) -> int:
        """The status that the receiver answered, 0 without an answer."""
        url = urlsplit(f"{self.receiver.rstrip('/')}/{row['provider']}")
        make = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = make(url.hostname or "", url.port, timeout=PATIENCE)
        headers = {"Content-Type": "application/json", **msgspec.json.decode(row["headers"])}
        try:
            connection.request("POST", url.path, row["body"], headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


def _call(thing: Transfer | Deposit, account: str = "") -> Call:
    return Call(thing.provider, "other", thing.reference, account)


def _seconds(fault: Fault | None, usual: float) -> float:
    return 0.0 if fault is None else usual if fault.seconds is None else fault.seconds


def shown(row: Row) -> dict[str, Any]:
    """A delivery as the books show it."""
    return {
        "id": row["id"], "provider": row["provider"], "reference": row["reference"], "event": row["event"],
        "attempts": row["attempts"], "outcome": row["outcome"], "body": msgspec.json.decode(row["body"]),
    }  # fmt: skip
