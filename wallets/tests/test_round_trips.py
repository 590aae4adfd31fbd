"""How often a request goes to the database and back, counted on the wire: the number is fixed, and doesn't grow."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection


@contextmanager
def round_trips() -> Iterator[list[int]]:
    """Count the times that this thread's connection waited for the server, by libpq's own trace."""
    counted: list[int] = []
    with tempfile.NamedTemporaryFile("w+b") as trace:
        connection.ensure_connection()
        wire = connection.connection.pgconn
        wire.trace(trace.fileno())
        try:
            yield counted
        finally:
            wire.untrace()
            lines = Path(trace.name).read_text(errors="replace").splitlines()
            counted.append(sum("ReadyForQuery" in line for line in lines))


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


def test_a_transfer_takes_eight_round_trips(warm, purse, bobs):
    with round_trips() as counted:
        answer = warm.http.post("transfers", {"source": str(purse.id), "destination": str(bobs.id), "amount": 1})
    assert answer.status == 201
    # BEGIN, the key, the wallets, the posting, the transfer, the trail, the key's answer, COMMIT.
    assert counted == [8]


def test_a_batch_takes_as_many_whatever_its_size(warm, purse, bobs):
    counts = []
    for size in (2, 300):
        with round_trips() as counted:
            assert warm.http.post("transfers/batch", batch(purse, bobs, size)).body["completed"] == size
        counts += counted
    assert counts[0] == counts[1] <= 10


def test_a_balance_takes_one(warm, purse):
    with round_trips() as counted:
        warm.http.get(f"wallets/{purse.id}/balance")
    assert counted == [1]
