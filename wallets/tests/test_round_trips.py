"""How often a request goes to the database and back, counted on the wire: the number is fixed, and doesn't grow."""

import pytest

from users.tests.round_trips import round_trips


def batch(source, destination, size):
    return {"transfers": [{"source": str(source.id), "destination": str(destination.id), "amount": 1}] * size}


@pytest.fixture
def warm(committed, alice, purse, bobs):
    """Connections, prepared statements and plans are there."""
    for _ in range(8):
        alice.http.post("transfers", {"source": str(purse.id), "destination": str(bobs.id), "amount": 1})
        alice.http.post("transfers/batch", batch(purse, bobs, 2))
        alice.http.get(f"wallets/{purse.id}/balance")
    return alice


def test_a_transfer_takes_three_round_trips(warm, purse, bobs):
    with round_trips() as counted:
        answer = warm.http.post("transfers", {"source": str(purse.id), "destination": str(bobs.id), "amount": 1})
    assert answer.status == 201
    # BEGIN with the key and the wallets; the posting; the transfer, the trail, the key's answer and COMMIT.
    assert counted == [3]


@pytest.mark.parametrize("atomic, trips", [(False, 4), (True, 10)])
def test_a_batch_takes_as_many_whatever_its_size(warm, purse, bobs, atomic, trips):
    counts = []
    for size in (2, 20, 30, 300):
        with round_trips() as counted:
            asked = batch(purse, bobs, size) | {"atomic": atomic}
            assert warm.http.post("transfers/batch", asked).body["completed"] == size
        counts += counted
    # BEGIN with the key; the wallets; the lanes, and before them many transfers; all else that is written and COMMIT.
    # What is atomic waits for more.
    assert counts == [trips] * 4


def test_a_balance_takes_one(warm, purse):
    with round_trips() as counted:
        warm.http.get(f"wallets/{purse.id}/balance")
    assert counted == [1]
