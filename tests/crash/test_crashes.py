"""Everything is killed under load, and nothing that was acknowledged is lost, and nothing happens twice."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from tests.crash.customers import FATE, FUNDS, NEVER_ORDERED, Ask, Customer, fund
from tests.crash.victim import Victim, wait_for
from users.tests.signing import Signer

pytestmark = pytest.mark.crash

EMAILS = ("ada@example.org", "ben@example.org", "cem@example.org")
HEALING_SECONDS = 60
ROUNDS = 6
# Half a minute of waiting, gone at once: what waits for its turn has it now, and every order was sent long ago.
TIME_FLIES = """
UPDATE wallets_withdrawal SET next_at = now() WHERE next_at > now() AND status IN ('pending', 'processing');
UPDATE wallets_payoutattempt SET sent_at = sent_at - interval '30 s' WHERE sent_at > now() - interval '30 s'
"""


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    victim = Victim(tmp_path / "data")
    yield victim
    if victim.process and victim.process.poll() is None:
        victim.process.terminate()
        victim.process.wait(25)


@pytest.fixture
def customers(victim: Victim) -> list[Customer]:
    victim.start()
    made = victim.manage("create_api_client", "till", "--scope", "deposits:write")
    key = json.loads(made.stdout)
    customers = [Customer(victim.base, email) for email in EMAILS]
    for customer in customers:
        fund(victim.base, Signer(key["key_id"], key["secret"]), customer)
    return customers


def test_nothing_is_lost_and_nothing_happens_twice_whatever_is_killed(victim, customers):
    with under_load(customers):
        for kill in (
            victim.kill_a_web_process, victim.kill_a_payout, victim.kill_the_worker, victim.kill_the_database,
            victim.empty_the_broker, victim.kill_the_web,
        ):  # fmt: skip
            time.sleep(1)
            kill()
        time.sleep(1)
    all_is_well(victim, customers, hurry=True)


@pytest.mark.slow
def test_nothing_is_lost_in_a_long_storm_of_kills(victim, customers):
    kills = [
        victim.kill_a_web_process, victim.kill_the_web, victim.kill_a_payout, victim.kill_the_worker,
        victim.kill_beat, victim.kill_the_database, victim.empty_the_broker,
    ]  # fmt: skip
    with under_load(customers):
        for _ in range(ROUNDS):
            for kill in random.sample(kills, len(kills)):
                time.sleep(random.uniform(0.2, 4))
                kill()
            # Also what is only half back is killed; but now and then there must be work to interrupt.
            victim.wait_until_ready()
    all_is_well(victim, customers, hurry=False)


@contextmanager
def under_load(customers: list[Customer]) -> Iterator[None]:
    """All of them work at once for as long as the block runs."""
    enough = Event()
    with ThreadPoolExecutor(len(customers)) as pool:
        work = [pool.submit(one.work, [other for other in customers if other is not one], enough) for one in customers]
        try:
            yield
        finally:
            enough.set()
        for each in work:
            each.result()


def all_is_well(victim: Victim, customers: list[Customer], *, hurry: bool) -> None:
    """Within a minute of the last kill. `hurry` lets the time that payouts wait for fly, instead of waiting."""
    deadline = time.monotonic() + HEALING_SECONDS
    victim.wait_until_ready()
    asks = [ask for customer in customers for ask in customer.asks]
    assert any(ask.status is None for ask in asks), "the kills hit nothing"
    assert sum(ask.done for ask in asks) > 50, "hardly any load"
    with ThreadPoolExecutor(len(customers)) as pool:
        list(pool.map(every_key_has_one_answer, customers))
    every_withdrawal_ends(victim, customers, deadline, hurry=hurry)
    for customer in customers:
        the_wallet_says_what_the_answers_said(customer, asks)
    every_order_reached_the_bank_once(victim, asks)
    assert time.monotonic() < deadline, "it took longer than a minute to heal"
    verified = victim.manage("verify_ledger")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def every_key_has_one_answer(customer: Customer) -> None:
    """What was answered is answered again, byte by byte; what wasn't is settled now, once."""
    for ask in customer.asks:
        known = ask.status is not None
        again = customer.insist(ask) if known else (customer.insist(ask), customer.insist(ask))[1]
        assert ask.done, f"{ask} was refused"
        assert (again.status_code, again.content) == (ask.status, ask.answer)
        assert again.headers["Idempotent-Replayed"] == "true"


def every_withdrawal_ends(victim: Victim, customers: list[Customer], deadline: float, *, hurry: bool) -> None:
    """Each as the bank's table says, and none is left on its way but the stuck ones."""

    def ended() -> bool:
        if hurry:
            victim.sql(TIME_FLIES)
        told = {found["id"]: found["status"] for one in customers for found in one.everything("withdrawals")}
        return told == expected

    expected = {ask.told["id"]: FATE[ask.number] for one in customers for ask in one.asks if ask.number}
    wait_for("every withdrawal has ended", ended, seconds=deadline - time.monotonic())


def the_wallet_says_what_the_answers_said(customer: Customer, asks: list[Ask]) -> None:
    """Its balance to the unit, and in its history each transfer and payout once."""
    sent = [ask for ask in asks if ask.body.get("source") == customer.wallet]
    got = [ask for ask in asks if ask.body.get("destination") == customer.wallet]
    out = [ask for ask in customer.asks if FATE.get(ask.number) == "completed"]
    stuck = sum(ask.body["amount"] for ask in customer.asks if FATE.get(ask.number) == "processing")
    expected = FUNDS + amount(got) - amount(sent) - amount(out)
    balance = customer.read(f"wallets/{customer.wallet}/balance")
    assert (balance["balance"], balance["held"]) == (expected, stuck)
    history = customer.everything(f"wallets/{customer.wallet}/transactions")
    moved = Counter(item["id"] for item in history if item["type"] == "transfer")
    assert moved == Counter(ask.told["transaction"] for ask in sent + got)
    paid = Counter(item["related"]["id"] for item in history if item["type"] == "withdrawal")
    assert paid == Counter(ask.told["id"] for ask in out)


def every_order_reached_the_bank_once(victim: Victim, asks: list[Ask]) -> None:
    """The bank's own books have each withdrawal that it didn't refuse at the door, under one reference."""
    ours = {f"wdr_{UUID(ask.told['id']).hex}_": ask for ask in asks if ask.number}
    orders = Counter(
        (reference[:37], paid)
        for reference, paid in victim.sql("SELECT reference, amount FROM wallets_sandboxpayout")
        if reference[:37] in ours
    )
    assert orders == Counter(
        (prefix, ask.body["amount"]) for prefix, ask in ours.items() if ask.number != NEVER_ORDERED
    )


def amount(asks: list[Ask]) -> int:
    return sum(ask.body["amount"] for ask in asks)
