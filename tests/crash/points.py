"""Named points in the middle of the work, reached from the outside: a provider that hangs, a row that is locked, a
broker that stands still holds a process exactly there, and then it is killed. The product has no hooks for it.
"""

from collections.abc import Callable
from uuid import uuid4

from tests.crash.processes import kill, wait_for
from tests.crash.victim import Victim

# What settling a payout closes, and nothing else while it is open.
HOLDS = "SELECT id FROM ledger_hold WHERE status = 'open' FOR NO KEY UPDATE"
# All that a credit touches in the books, payouts touch too: so what it writes last is given a gate of its own.
GATE = """
CREATE OR REPLACE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(4711);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER gate BEFORE UPDATE ON wallets_topup FOR EACH ROW WHEN (NEW.status = 'completed')
    EXECUTE FUNCTION wait_at_the_gate()
"""
CLOSED = "SELECT pg_advisory_lock(4711)"
# As if each provider's last order hadn't been answered: whoever has written an answer waits to write that it was.
DOUBTED = """
INSERT INTO wallets_providercircuit (provider, currency, failures, reason, updated_at)
SELECT provider, '', 1, '', now() FROM unnest(ARRAY['paystack', 'flutterwave', 'fincra']) AS provider
ON CONFLICT (provider, currency) DO UPDATE SET failures = greatest(wallets_providercircuit.failures, 1)
"""
CIRCUITS = "SELECT provider FROM wallets_providercircuit WHERE failures > 0 FOR UPDATE"
NEWS = "SELECT 1 FROM wallets_webhookevent WHERE reference = %s"

TRIES = 6


def payout_claimed(victim: Victim) -> None:
    """The attempt is committed, and the bank has nothing of it."""
    with victim.bank.hanging("send", when="before"):
        victim.kill_the_payouts()


def payout_sent(victim: Victim) -> None:
    """The bank has taken it, and nothing of that is written."""
    with victim.bank.hanging("send", when="after"):
        victim.kill_the_payouts()


def recipient_asked_for(victim: Victim) -> None:
    """Before any order, while Paystack is asked for its name for an account."""
    victim.sql("UPDATE wallets_bankaccount SET recipient = ''")
    with victim.bank.hanging("recipient", when="after"):
        victim.kill_the_payouts()


def payout_asked_about(victim: Victim) -> None:
    """The bank has said what became of it, and nothing of that is written."""
    with victim.bank.hanging("query", when="after"):
        victim.kill_the_payouts()


def payout_being_settled(victim: Victim) -> None:
    """In the middle of the transaction that settles it."""
    with victim.locking(HOLDS, until_stuck="wallets_withdrawal"):
        victim.kill_the_payouts()


def payout_written(victim: Victim) -> None:
    """The bank's answer is committed, and the message isn't acknowledged."""
    victim.sql(DOUBTED)
    with victim.locking(CIRCUITS, until_stuck="wallets_providercircuit"):
        victim.kill_the_worker()


def webhook_stored(victim: Victim) -> None:
    """The event is committed; no worker was rung, and the provider not answered. A ring is given up after a fifth of a
    second: under load the kill may come too late, and is tried again.
    """
    for _ in range(TRIES):
        told, web = f"told-{uuid4().hex}", victim.web()
        with victim.without_the_broker():
            body = {"event": "transfer.success", "data": {"id": 1, "reference": told, "status": "success"}}
            victim.bank.tell("webhooks", provider="paystack", body=body)
            victim.wait_at_once("the event is stored", NEWS, (told,))
            kill(*web)
        if victim.bank.delivered(told) == 0:
            return
        victim.wait_until_ready()
    raise AssertionError(f"each of {TRIES} events was answered before the kill")


def webhook_asked_about(victim: Victim) -> None:
    """The provider has said that somebody paid, and nothing of that is posted."""
    with victim.bank.hanging("query_deposit", when="after"):
        victim.kill_the_payouts()


def top_up_being_credited(victim: Victim) -> None:
    """In the middle of the transaction that credits it."""
    victim.sql(GATE, owner=True)
    with victim.locking(CLOSED, until_stuck="wallets_topup"):
        victim.kill_the_payouts()


def top_up_looked_at(victim: Victim) -> None:
    """No webhook came; the sweep has asked, and nothing of the answer is posted."""
    with victim.bank.keeping_silent():
        wait_for("a payment that nobody heard of", victim.bank.has_undelivered)
        victim.sql("UPDATE wallets_topup SET next_at = now() WHERE status = 'pending'")
        webhook_asked_about(victim)


def top_up_wished(victim: Victim) -> None:
    """The wish is committed, and the provider knows nothing of it."""
    with victim.bank.hanging("checkout", when="before"):
        victim.kill_the_web()


def checkout_opened(victim: Victim) -> None:
    """The provider has opened a checkout, and nobody knows where."""
    with victim.bank.hanging("checkout", when="after"):
        victim.kill_the_web()


# The checkouts first: who opens one has half a minute before somebody else may.
POINTS: tuple[Callable[[Victim], None], ...] = (
    top_up_wished, checkout_opened, payout_claimed, payout_sent, recipient_asked_for, payout_asked_about,
    payout_being_settled, payout_written, webhook_stored, webhook_asked_about, top_up_being_credited,
    top_up_looked_at,
)  # fmt: skip
