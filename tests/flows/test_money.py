"""Money comes in, goes across and goes out, and every step says what moved."""

import time
from datetime import UTC, datetime, timedelta

from ledger import verify
from wallets import tasks


def test_from_registering_to_money_in_the_bank(newcomer, shop):
    ada, ben = newcomer("ada@example.org", "Ada"), newcomer("ben@example.org", "Ben")
    purse = ada.post("wallets", {"currency": "NGN", "name": "Sales"})["id"]
    bens = ben.post("wallets", {"currency": "NGN"})["id"]
    assert ada.balance(purse) == (0, 0, 0, 0)

    paid_in = shop.post(f"wallets/{purse}/deposits", {"amount": 10_000, "reference": "order-1"})
    assert (paid_in["status"], paid_in["balance"]["available"]) == ("completed", 10_000)
    assert ada.balance(purse) == (10_000, 0, 0, 10_000)

    dinner = {"source": purse, "destination_user": "ben@example.org", "amount": 1_500, "description": "Dinner"}
    sent = ada.post("transfers", dinner, key="dinner")
    assert ada.post("transfers", dinner, key="dinner") == sent, "a retry is answered alike"
    assert (ada.balance(purse), ben.balance(bens)) == ((8_500, 0, 0, 8_500), (1_500, 0, 0, 1_500))

    bank = ada.post("bank-accounts", {"bank_code": "058", "account_number": "0123456789", "currency": "NGN"})
    asked = ada.post(f"wallets/{purse}/withdrawals", {"amount": 3_000, "bank_account": bank["id"]}, 202)
    assert asked["status"] == "pending"
    assert ada.balance(purse) == (8_500, 0, 3_000, 5_500)
    work_until(lambda: ada.get(f"withdrawals/{asked['id']}")["status"] == "completed")
    assert ada.balance(purse) == (5_500, 0, 0, 5_500)

    newest_first = ada.get(f"wallets/{purse}/transactions")["results"]
    assert [(line["sequence"], line["type"], line["direction"], line["amount"], line["balance_after"])
            for line in newest_first] == [
        (3, "withdrawal", "debit", 3_000, 5_500), (2, "transfer", "debit", 1_500, 8_500),
        (1, "deposit", "credit", 10_000, 10_000),
    ]  # fmt: skip
    today = datetime.now(UTC).date()
    statement = ada.get(f"wallets/{purse}/statement?from={today - timedelta(days=1)}&to={today}")
    assert (statement["opening_balance"], statement["total_in"], statement["total_out"]) == (0, 10_000, 4_500)
    assert statement["closing_balance"] == 5_500
    assert [line["balance"] for line in statement["lines"]] == [10_000, 8_500, 5_500]
    ada.get(f"wallets/{bens}/balance", 404)
    assert verify.clean()


def test_a_marketplace_charges_and_releases_and_its_seller_pays_many(newcomer, shop):
    seller, ben, cem = (newcomer(f"{name}@example.org", name.title()) for name in ("ada", "ben", "cem"))
    purse = shop.post("wallets", {"currency": "USD", "owner": "ada@example.org", "metadata": {"store": 7}})["id"]
    theirs = [person.post("wallets", {"currency": "USD"})["id"] for person in (ben, cem)]

    release = datetime.now(UTC) + timedelta(seconds=3)
    shop.post(f"wallets/{purse}/deposits", {"amount": 900, "release_at": release.isoformat()})
    assert seller.balance(purse) == (900, 900, 0, 0)
    wages = [{"source": purse, "destination": wallet, "amount": 400} for wallet in theirs]
    too_much = {"source": purse, "destination": theirs[0], "amount": 101}
    early = seller.post("transfers/batch", {"transfers": wages}, 200)
    assert [item["code"] for item in early["results"]] == ["insufficient_funds"] * 2
    assert seller.balance(purse) == (900, 900, 0, 0)

    time.sleep(max(0, (release - datetime.now(UTC)).total_seconds()))
    assert seller.balance(purse) == (900, 0, 0, 900)
    refused = seller.post("transfers/batch", {"transfers": [*wages, too_much], "atomic": True}, 422)
    assert (refused["code"], refused["index"]) == ("insufficient_funds", 2)
    assert seller.balance(purse) == (900, 0, 0, 900)

    done = seller.post("transfers/batch", {"transfers": [*wages, too_much]}, 200)
    assert (done["completed"], done["failed"]) == (2, 1)
    assert seller.balance(purse) == (100, 0, 0, 100)
    assert [person.balance(wallet)[3] for person, wallet in zip((ben, cem), theirs, strict=True)] == [400, 400]
    assert shop.get(f"wallets/{purse}")["metadata"] == {"store": 7}
    shop.post("transfers", too_much, 403)
    assert verify.clean()


def test_a_bank_that_refuses_gives_the_money_back(newcomer, shop):
    ada = newcomer("ada@example.org", "Ada")
    purse = ada.post("wallets", {"currency": "NGN"})["id"]
    shop.post(f"wallets/{purse}/deposits", {"amount": 700})
    bank = ada.post("bank-accounts", {"bank_code": "058", "account_number": "0000000001", "currency": "NGN"})
    asked = ada.post(f"wallets/{purse}/withdrawals", {"amount": 700, "bank_account": bank["id"]}, 202)
    assert ada.balance(purse) == (700, 0, 700, 0)
    ada.post(f"wallets/{purse}/close", {}, 409)
    work_until(lambda: ada.get(f"withdrawals/{asked['id']}")["status"] == "failed")
    assert ada.get(f"withdrawals/{asked['id']}")["failure"]["code"] == "refused_by_bank"
    assert ada.balance(purse) == (700, 0, 0, 700)
    assert verify.clean()


def work_until(done) -> None:
    """Run the workers' sweep as often as beat would, until it is so."""
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        tasks.sweep_withdrawals()
        time.sleep(0.2)
