"""What the product says and what the books say: whichever of them is changed, the other one tells.

That they agree in the end of every story is asked in the tests of those (`books_are_clean`).
"""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from ledger import sql
from users.callers import Caller
from wallets import agreement
from wallets.idempotency import Claim
from wallets.models import TopUp, UnmatchedReceipt, Withdrawal
from wallets.providers.port import DepositState, RemoteStatus
from wallets.tests.payouts import START
from wallets.tests.scripted import SILENCE
from wallets.tests.usage.conftest import Metering
from wallets.topups import credit, receipts, start
from wallets.usage import reservations
from wallets.usage.reservations import Want

NEW = "01900000-0000-7000-8000-000000000001"
TABLES = (
    "ledger_entry", "ledger_transaction", "ledger_balance", "ledger_hold", "ledger_account", "wallets_withdrawal",
    "wallets_usagesettlement",
)  # fmt: skip
# What is done to the database, and the fact that is no longer so.
DAMAGE = [
    ("UPDATE wallets_deposit SET amount = amount + 1", "a deposit is in the books"),
    ("UPDATE wallets_deposit SET currency = 'USD'", "a deposit is in the books"),
    (f"UPDATE wallets_deposit SET transaction_id = '{NEW}'", "a deposit is in the books"),
    ("DELETE FROM wallets_deposit", "what the books call a deposit"),
    ("UPDATE wallets_transfer SET amount = 1", "a transfer that was made"),
    ("UPDATE wallets_transfer SET source_id = destination_id", "a transfer that was made"),
    ("UPDATE wallets_transfer SET status = 'failed'", "a transfer that wasn't made"),
    ("DELETE FROM wallets_transfer", "what the books call a deposit, transfer"),
    ("UPDATE wallets_topup SET amount = 1", "a top-up that was paid"),
    ("UPDATE wallets_topup SET status = 'failed'", "a top-up that was paid"),
    ("UPDATE wallets_unmatchedreceipt SET amount = 1", "money that came unmatched"),
    (f"UPDATE wallets_unmatchedreceipt SET assignment_id = '{NEW}' WHERE wallet_id IS NOT NULL",
     "money that came unmatched"),
    ("UPDATE wallets_withdrawal SET fee = fee + 1 WHERE status = 'completed'", "a withdrawal that was paid"),
    ("UPDATE wallets_withdrawal SET provider = 'sandbox' WHERE status = 'completed'", "a withdrawal that was paid"),
    ("UPDATE wallets_withdrawal SET status = 'failed', transaction_id = NULL WHERE status = 'completed'",
     "a withdrawal that wasn't paid"),
    (f"UPDATE wallets_withdrawal SET status = 'returned', return_transaction_id = '{NEW}', next_at = NULL"
     " WHERE status = 'completed'", "a withdrawal that was returned"),
    ("UPDATE wallets_withdrawal SET status = 'cancelled' WHERE status = 'processing'", "what an open withdrawal needs"),
    ("UPDATE wallets_withdrawal SET amount = 1 WHERE status = 'processing'", "what an open withdrawal needs"),
    ("UPDATE ledger_hold SET status = 'released', closed_at = now() WHERE status = 'open'",
     "what an open withdrawal needs"),
    ("INSERT INTO ledger_hold (id, account_id, kind, reference, amount, captured, status, placed_at)"
     f" SELECT '{NEW}', account_id, 'held', 'x', 1, 0, 'open', now() FROM wallets_wallet LIMIT 1",
     "what is held is held for"),
    ("UPDATE ledger_entry SET amount = amount * 2", "a deposit is in the books"),
    ("UPDATE ledger_transaction SET reference = 'x' || reference", "a deposit is in the books"),
    ("UPDATE ledger_account SET code = code || 'x' WHERE type = 'liability'", "a wallet has its account"),
    ("UPDATE wallets_wallet SET currency = 'USD'", "a wallet has its account"),
    ("UPDATE wallets_wallet SET status = 'closed'", "a closed wallet is empty"),
    ("UPDATE wallets_usagesettlement SET amount = amount + 1", "a settlement of usage"),
    ("DELETE FROM wallets_usagesettlement", "what the books call usage"),
    ("DELETE FROM wallets_usagesettlement", "a wallet's usage was rated"),
    ("UPDATE wallets_usageaccount SET rated = rated + 0.000001", "a wallet's usage was rated"),
    ("UPDATE wallets_usageaccount SET posted = posted - 1", "a wallet's usage was rated"),
    ("UPDATE wallets_usagemonth SET amount = amount + 0.000001", "a wallet's usage was rated"),
    ("UPDATE wallets_usagereservation SET captured = 1 WHERE status = 'captured'", "a reservation that was captured"),
    ("UPDATE wallets_usagereservation SET transaction_id = NULL", "what the books call usage"),
    ("UPDATE wallets_usagereservation SET amount = amount + 1", "what an open reservation needs"),
    ("UPDATE wallets_usagereservation SET status = 'released' WHERE status = 'open'", "what an open reservation needs"),
    ("DELETE FROM wallets_usagereservation", "what is held is held for"),
]  # fmt: skip


def pay(reference, amount, payment):
    """A provider confirms a payment."""
    state = DepositState(RemoteStatus.SUCCEEDED, reference, amount, "NGN", payment)
    credit.take("sandbox", reference, state, now=START)


def use(wallet):
    """Usage of all kinds."""
    metering, gate = Metering(), Caller("service", wallet.pk, frozenset({"usage:write"}))
    metering.meter()
    metering.use(wallet, 41)
    metering.settle(wallet)
    metering.use(wallet, 2)
    with transaction.atomic():
        for amount in (10, 20):
            reserved = reservations.reserve(gate, wallet.pk, Want(amount), seconds=60, now=timezone.now()).reservation
        reservations.capture(gate, reserved.pk, 15, now=timezone.now())


@pytest.fixture
def world(committed, office, bobs, alice):
    """A deposit, a transfer, a top-up, a receipt in suspense and one assigned, a withdrawal paid and one open; usage
    that was settled, and some that wasn't; a reservation captured and one open.
    """
    sent = {"source": str(office.wallet.id), "destination": str(bobs.id), "amount": 50}
    assert office.http.post("transfers", sent).status == 201
    office.ask(300, key="paid")
    office.sweep()
    office.sweep(60)
    office.bank.states.append(SILENCE)
    office.ask(200, key="open")
    office.sweep()
    claim = Claim(alice.caller.key, "top-up", b"x")
    asked = start.start(
        caller=alice.caller, wallet_id=office.wallet.id, amount=70, provider_slug="sandbox", claim=claim, now=START
    )
    pay(asked.reference, 70, "p-1")
    pay("unknown-1", 80, "p-2")
    pay("unknown-2", 90, "p-3")
    receipt = UnmatchedReceipt.objects.get(payment_id="p-3")
    receipts.assign(receipt_id=receipt.pk, wallet_id=bobs.pk, by=alice.user, reason="his", now=START)
    use(office.wallet)
    return office


def found(statement):
    """The facts that are no longer so after a statement, which is undone."""
    with sql.using("owner"), transaction.atomic(using="owner"):
        for table in TABLES:
            sql.run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        sql.run(statement)
        broken = [finding.check.says for finding in agreement.check() if finding.total and finding.shown]
        transaction.set_rollback(True, using="owner")
    return broken


def test_whatever_is_changed_is_found(world):
    assert set(Withdrawal.objects.values_list("status", flat=True)) == {"completed", "processing"}
    assert TopUp.objects.get().status == "completed" and UnmatchedReceipt.objects.count() == 2
    assert found("SELECT 1") == [] and agreement.clean()
    for statement, fact in DAMAGE:
        broken = found(statement)
        assert any(says.startswith(fact) for says in broken), (statement, broken)


def run(*options):
    """The command's exit code and what it prints."""
    out = StringIO()
    try:
        call_command("reconcile_ledger", *options, stdout=out)
        return 0, out.getvalue()
    except SystemExit as stopped:
        return stopped.code, out.getvalue()


def test_the_command_is_content_where_all_agree(purse):
    code, out = run()
    assert code == 0 and "The product and the books agree." in out
    assert out.count("✓") > len(agreement.FACTS)
    assert run("--facts-only")[1].count("✓") == len(agreement.FACTS)
    assert run("--quiet") == (0, "")


def test_the_command_says_what_doesnt_agree(committed, purse):
    with connections["owner"].cursor() as cursor:
        cursor.execute("UPDATE wallets_deposit SET amount = 5")
    code, out = run("--quiet", "--facts-only")
    assert code == 1 and "✗ a deposit is in the books" in out and " of 5" in out
    assert run("--quiet")[0] == 1
