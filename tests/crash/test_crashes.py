"""Everything is killed under load, and nothing that was acknowledged is lost, and nothing happens twice."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from tests.crash.bank import PROVIDERS
from tests.crash.customers import ACCOUNTS, FUNDS, REFUSED, SENT_BACK, STUCK, Ask, Customer, fund
from tests.crash.points import POINTS
from tests.crash.processes import wait_for
from tests.crash.victim import Victim
from users.tests.signing import Signer

pytestmark = pytest.mark.crash

EMAILS = ("ada@example.org", "ben@example.org", "cem@example.org")
ROUNDS = 4
WAITING = """
SELECT (SELECT count(*) FROM wallets_withdrawal WHERE next_at <= now()) AS withdrawals,
       (SELECT count(*) FROM wallets_topup WHERE next_at <= now()) AS top_ups,
       (SELECT count(*) FROM wallets_webhookevent WHERE next_at <= now()) AS webhooks
"""
CIRCUITS_RETRY = "UPDATE wallets_providercircuit SET retry_at = now() WHERE retry_at > now()"
# A quarter of an hour, gone at once: what waits for its turn has it now.
# Each by itself: one transaction over them all would hold rows that the product, hard at work, asks for the other way
# round.
TIME_FLIES = (
    """UPDATE wallets_payoutattempt SET sent_at = sent_at - interval '15 min',
       started_at = started_at - interval '15 min', missed_at = missed_at - interval '15 min'
       WHERE outcome NOT IN ('paid', 'refused')""",
    CIRCUITS_RETRY,
    "UPDATE wallets_withdrawal SET next_at = now() WHERE next_at > now() AND status IN ('pending', 'processing')",
    "UPDATE wallets_topup SET next_at = now() WHERE status = 'pending'",
    "UPDATE wallets_webhookevent SET next_at = now() WHERE state = 'waiting'",
)
# What completed, and the bank has sent back since.
LOOK_AGAIN = """
UPDATE wallets_withdrawal SET next_at = now() WHERE next_at > now() AND status = 'completed' AND id = ANY (%s::uuid[])
"""
UNMATCHED = "SELECT provider, reference, reason FROM wallets_unmatchedreceipt WHERE provider <> 'sandbox'"
CLEARING = """
SELECT sum(b.balance)::bigint FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id WHERE a.code = %s
"""
# What a provider took for what it sent back: it gives that back too, and our books don't know.
GIVEN_BACK = (
    "SELECT 100 * coalesce(sum(provider_fee), 0) FROM wallets_withdrawal WHERE provider = %s AND status = 'returned'"
)
# What the simulator made of an order, and what a withdrawal must be then.
BECAME = {
    "success": ("completed",), "failed": ("failed",), "pending": ("processing",),
    # Failed where we heard of it only when it had come back.
    "reversed": ("returned", "failed"),
}  # fmt: skip
# In which states an order doesn't stay, by the number of the account: the others are settled within a second.
PASSING = {STUCK: (), SENT_BACK: ("pending", "success")}


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    victim = Victim(tmp_path / "data")
    yield victim
    victim.stop()


@pytest.fixture
def customers(victim: Victim) -> list[Customer]:
    victim.start()
    made = victim.manage("create_api_client", "till", "--scope", "deposits:write")
    key = json.loads(made.stdout)
    customers = [Customer(victim.base, email, ACCOUNTS[n :: len(EMAILS)]) for n, email in enumerate(EMAILS)]
    for customer in customers:
        fund(victim.base, Signer(key["key_id"], key["secret"]), customer)
    return customers


def test_nothing_is_lost_and_nothing_happens_twice_whatever_is_killed(victim, customers):
    with under_load(customers):
        for reach_and_kill in POINTS:
            reach_and_kill(victim)
        for kill in (
            victim.kill_a_web_process, victim.kill_the_bank, victim.kill_the_worker, victim.kill_the_database,
            victim.empty_the_broker,
        ):  # fmt: skip
            time.sleep(0.5)
            kill()
        time.sleep(1)
    all_is_well(victim, customers)


@pytest.mark.slow
def test_nothing_is_lost_in_a_long_storm_of_kills(victim, customers):
    anything = [
        victim.kill_a_web_process, victim.kill_the_web, victim.kill_a_payout, victim.kill_the_worker,
        victim.kill_beat, victim.kill_the_database, victim.empty_the_broker, victim.kill_the_bank,
    ]  # fmt: skip
    with under_load(customers):
        for _ in range(ROUNDS):
            for kill in random.sample(anything, len(anything)):
                time.sleep(random.uniform(0.2, 4))
                kill()
            # Also what is only half back is killed; but now and then there must be work to interrupt.
            victim.wait_until_ready()
            for reach_and_kill in random.sample(POINTS, len(POINTS)):
                # A bank that was away may have opened its circuit: nothing would be sent for half a minute. No more is
                # hurried: after an hour of silence a person must look.
                victim.sql(CIRCUITS_RETRY)
                reach_and_kill(victim)
    all_is_well(victim, customers, minutes=ROUNDS)


def time_flies(victim: Victim) -> None:
    """What waits for a later minute is due now."""
    for statement in TIME_FLIES:
        victim.sql(statement)


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


def all_is_well(victim: Victim, customers: list[Customer], minutes: int = 1) -> None:
    """Within so many minutes of the last kill, and then for good: what was asked for meanwhile is worked off, too."""
    deadline = time.monotonic() + 60 * minutes
    victim.wait_until_ready()
    asks = [ask for customer in customers for ask in customer.asks]
    assert any(ask.status is None for ask in asks), "the kills hit nothing"
    assert sum(ask.done for ask in asks) > 50, "hardly any load"
    with ThreadPoolExecutor(len(customers)) as pool:
        list(pool.map(every_question_is_settled, customers))
        everything_ends(victim, customers, deadline)
        list(pool.map(every_key_has_one_answer, customers))
    for customer in customers:
        the_wallet_says_what_the_answers_said(customer, asks)
    the_bank_did_everything_once(victim, asks)
    verified = victim.manage("verify_ledger")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def every_question_is_settled(customer: Customer) -> None:
    """What wasn't answered is asked again until it is, and top-ups are paid."""
    for ask in customer.asks:
        if ask.status is None:
            customer.insist(ask)
        assert ask.done, f"{ask} was refused"
        customer.pay(ask)
        assert ask.paid or ask.kind != "top-ups"


def every_key_has_one_answer(customer: Customer) -> None:
    """What was answered is answered again, byte by byte."""
    for ask in customer.asks:
        again = customer.insist(ask)
        assert (again.status_code, again.content) == (ask.status, ask.answer)
        assert again.headers["Idempotent-Replayed"] == "true"


def everything_ends(victim: Victim, customers: list[Customer], deadline: float) -> None:
    """Each withdrawal is where the bank's books say, each top-up that was paid is credited, each webhook dealt with."""
    late: dict[str, str] = {}

    def ended() -> bool:
        late.clear()
        (due,) = victim.sql(WAITING)
        if any(due):
            late["due"] = f"{due} withdrawals, top-ups and webhooks"
            return False
        orders = the_orders(victim)
        for customer in customers:
            late.update(astray(customer, orders))
        if late or victim.sql("SELECT 1 FROM wallets_webhookevent WHERE state <> 'done'"):
            time_flies(victim)
            victim.sql(LOOK_AGAIN, (list(late),))
            return False
        return True

    try:
        wait_for("everything has ended", ended, seconds=deadline - time.monotonic())
    except AssertionError as error:
        raise AssertionError(f"{error}; astray: {late}") from error


def the_orders(victim: Victim) -> dict[str, dict]:
    """What the bank has, by the beginning of our reference, which names the withdrawal."""
    return {one["reference"][:37]: one for one in victim.bank.books()["transfers"]}


def astray(customer: Customer, orders: dict[str, dict]) -> dict[str, str]:
    """What isn't yet where it belongs, by its id."""
    now = {one["id"]: one["status"] for kind in ("withdrawals", "top-ups") for one in customer.everything(kind)}
    belongs = {ask.told["id"]: statuses(ask, orders) for ask in customer.of("withdrawals")}
    belongs |= {ask.told["id"]: ("completed",) for ask in customer.of("top-ups")}
    assert now.keys() == belongs.keys()
    return {id: f"{now[id]}, not {statuses}" for id, statuses in belongs.items() if now[id] not in statuses}


def statuses(ask: Ask, orders: dict[str, dict]) -> tuple[str, ...]:
    """What a withdrawal may be in the end, for what the bank has of it."""
    order = orders.get(prefix(ask))
    if order is not None:
        return () if order["state"] in PASSING.get(ask.number, ("pending",)) else BECAME[order["state"]]
    if ask.number == REFUSED:
        # Whoever was killed between the claim and the answer can't tell a first refusal from a second one.
        return ("failed", "processing", "in_review")
    # Only where a second order might be paid twice, it isn't sent again: a person must look.
    return ("in_review",) if ask.provider == "flutterwave" else ()


def the_wallet_says_what_the_answers_said(customer: Customer, asks: list[Ask]) -> None:
    """Its balance to the unit, and in its history each transfer, payout and payment once."""
    status = {one["id"]: one["status"] for one in customer.everything("withdrawals")}
    out = {
        name: [ask for ask in customer.of("withdrawals") if status[ask.told["id"]] == name] for name in status.values()
    }
    sent, paid_in = customer.of("transfers"), customer.of("top-ups")
    got = [ask for ask in asks if ask.body.get("destination") == customer.wallet]
    held = [*out.get("processing", ()), *out.get("in_review", ())]
    paid, returned = out.get("completed", []), out.get("returned", [])
    balance = customer.read(f"wallets/{customer.wallet}/balance")
    expected = FUNDS + amount(got) - amount(sent) - amount(paid) + amount(paid_in)
    assert (balance["balance"], balance["held"]) == (expected, amount(held))
    history = customer.everything(f"wallets/{customer.wallet}/transactions")
    moved = Counter(item["id"] for item in history if item["type"] == "transfer")
    assert moved == Counter(ask.told["transaction"] for ask in sent + got)
    assert related(history, "withdrawal", "withdrawal") == ids(paid + returned)
    assert related(history, "deposit", "top_up") == ids(paid_in)
    assert sum(item["type"] == "reversal" for item in history) == len(returned)


def the_bank_did_everything_once(victim: Victim, asks: list[Ask]) -> None:
    """It has each order under one reference, paid none twice, and holds for us what our books say."""
    books = victim.bank.books()
    assert books["balanced"]
    ours = {prefix(ask): ask for ask in asks if ask.kind == "withdrawals"}
    assert all(count == 1 for count in Counter(one["reference"][:37] for one in books["transfers"]).values())
    for order in books["transfers"]:
        assert order["times_paid"] == (order["state"] in ("success", "reversed")), order
        assert Decimal(order["amount"]) * 100 == ours[order["reference"][:37]].amount, order
    assert victim.sql(UNMATCHED) == []
    for provider in PROVIDERS:
        ((held,),) = victim.sql(CLEARING, (f"assets:clearing:{provider}:NGN",))
        ((given_back,),) = victim.sql(GIVEN_BACK, (provider,))
        # What of its fees is finer than a kobo is carried on.
        assert 0 <= held - (victim.bank.net(provider) - given_back) < 1, provider


def prefix(ask: Ask) -> str:
    """What the references of a withdrawal's attempts begin with."""
    return f"wdr_{UUID(ask.told['id']).hex}_"


def related(history: list[dict], type_: str, kind: str) -> Counter[str]:
    """What the transactions of a type are about, as far as it is of this kind."""
    about = [item["related"] for item in history if item["type"] == type_]
    return Counter(one["id"] for one in about if one and one["kind"] == kind)


def ids(asks: list[Ask]) -> Counter[str]:
    return Counter(ask.told["id"] for ask in asks)


def amount(asks: list[Ask]) -> int:
    return sum(ask.amount for ask in asks)
