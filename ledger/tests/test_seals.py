"""Sealed days: the recipe in plain Python, and closing that is interrupted, or while others are posting."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from threading import Event

import pytest
from django.db import IntegrityError, connection, transaction
from msgspec.structs import replace

from ledger import closing, verify
from ledger.closing import DAY, PeriodClosed, StillWriting
from ledger.models import DayBalance, Entry, Seal, SealedRows, Transaction
from ledger.posting import post_durably, post_one
from ledger.seals import sealing
from ledger.seals.sealing import Head, MalformedHead, head, seal_closed
from ledger.tests.closed import FIRST, SECOND, THIRD, close
from ledger.tests.conftest import NOW, transfer
from ledger.tests.test_chain import FORGED, NEW


def as_copy_writes(value):
    """A value as COPY writes it."""
    if value is None:
        return r"\N"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ").replace("+00:00", "+00")
    return str(value).replace("\\", r"\\").replace("\n", r"\n").replace("\t", r"\t")


def hash_of(rows):
    lines = ["\t".join(map(as_copy_writes, row)) + "\n" for row in rows]
    return f"{len(lines)} {sha256(''.join(lines).encode()).hexdigest()}"


def seal_by_hand(before, day):
    """The seal of a day, by the recipe of docs/closing.md."""
    since, until = closing.midnight(day), closing.midnight(day + DAY)
    written = {"posted_at__gte": since, "posted_at__lt": until}
    transactions = Transaction.objects.filter(**written).order_by("id").extra(select={"text": "metadata::text"})
    parts = {
        "balances": DayBalance.objects.filter(day=day).order_by("account_id")
        .values_list("account_id", "debits", "credits", "balance"),
        "entries": Entry.objects.filter(**written).order_by("transaction_id", "leg")
        .values_list("transaction_id", "leg", "account_id", "lane", "version", "amount", "balance"),
        "transactions": transactions.values_list("id", "kind", "reference", "external_reference", "description", "text",
                                                 "reverses_id", "posted_at", "effective_at"),
    }  # fmt: skip
    text = f"{before.hex()}\n{day}\n" + "".join(f"{name} {hash_of(rows)}\n" for name, rows in parts.items())
    return sha256(text.encode()).digest()


def rows_of(part, day):
    """How many rows of a part a day's seal is over."""
    return int(Seal.objects.get(day=day).parts[part].split()[0])


def test_a_seal_can_be_made_by_hand(sealed):
    first = seal_by_hand(bytes(32), FIRST)
    assert [bytes(seal.seal) for seal in Seal.objects.order_by("day")] == [first, seal_by_hand(first, SECOND)]
    assert rows_of("entries", FIRST) == 4


def test_the_head_is_the_newest_seal(sealed):
    assert head() == Head(SECOND, bytes(Seal.objects.get(day=SECOND).seal))
    assert Head.read(str(head())) == head()


@pytest.mark.parametrize("text", ["", "2026-01-21", "2026-01-21:00", "yesterday:00", "2026-01-21:zz"])
def test_what_is_no_head_isnt_read(text):
    with pytest.raises(MalformedHead, match="it looks like"):
        Head.read(text)


def test_the_balances_of_a_day_are_by_the_dates_of_effect(sealed):
    days = {
        (day.account.code, day.day): (day.debits, day.credits, day.balance)
        for day in DayBalance.objects.select_related("account")
    }
    assert days == {
        ("assets:clearing:bank:NGN", FIRST): (1_000, 0, 1_000),
        ("liabilities:wallets:alice", FIRST): (100, 1_000, -900),
        ("liabilities:wallets:bob", FIRST): (0, 100, -100),
        ("liabilities:wallets:alice", SECOND): (108, 0, -792),
        ("liabilities:wallets:bob", SECOND): (0, 101, -201),
        ("income:fees:NGN", SECOND): (0, 7, -7),
    }
    assert verify.clean()


def test_what_was_dated_back_is_sealed_with_the_day_it_was_written_on(sealed):
    assert rows_of("transactions", SECOND) == 1
    close(THIRD)
    assert rows_of("transactions", THIRD) == 2
    assert verify.clean()


def test_days_without_rows_are_sealed_as_well(sealed):
    assert [made.day for made in close(THIRD + 2 * DAY)] == [THIRD, THIRD + DAY, THIRD + 2 * DAY]
    assert verify.clean()


def test_books_without_rows_have_nothing_to_seal(committed_books):
    assert close() == []
    with transaction.atomic():
        committed_books.fund(committed_books.alice, 5, now=closing.midnight(THIRD + DAY))
    assert [made.day for made in close(THIRD + 2 * DAY)] == [THIRD + DAY, THIRD + 2 * DAY]
    assert verify.clean()


def test_seals_begin_with_the_first_day_that_anything_takes_effect_on(committed_books):
    with transaction.atomic():
        paid = transfer(committed_books.cash, committed_books.alice, 5, "opening")
        post_one(replace(paid, effective_at=NOW - 3 * DAY), now=NOW)
    assert [made.day for made in close(FIRST)] == [FIRST - 3 * DAY, FIRST - 2 * DAY, FIRST - DAY, FIRST]
    assert verify.clean()


def test_a_transaction_that_isnt_whole_keeps_its_day_from_being_sealed(three_days):
    with connection.cursor() as cursor:
        cursor.execute(FORGED.format(id=NEW, at="2026-01-21 12:00Z"))
    with pytest.raises(IntegrityError, match=f"transaction {NEW} is not whole"):
        close()
    assert head().day == FIRST


def test_closing_that_was_killed_between_two_days_goes_on(three_days):
    def die(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        close(THIRD, told=die)
    assert head().day == FIRST
    assert [made.day for made in close(THIRD)] == [SECOND, THIRD]
    assert verify.clean()


def test_closing_that_was_killed_within_a_day_goes_on(three_days, monkeypatch):
    keep = sealing._keep

    def die_at_the_last_part(part, day):
        if part.name == "balances":
            raise KeyboardInterrupt
        return keep(part, day)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(sealing, "_keep", die_at_the_last_part)
        close()
    assert head() is None and not SealedRows.objects.exists() and not DayBalance.objects.exists()
    assert [made.day for made in close()] == [FIRST, SECOND]
    assert verify.clean()


def test_what_a_part_has_beyond_a_chunk_is_kept_in_another(three_days, monkeypatch):
    monkeypatch.setattr(sealing, "CHUNK", 3)
    close()
    rows = SealedRows.objects.filter(day=FIRST, part="entries").order_by("number")
    assert [len(row.leaves) // sealing.LEAF for row in rows] == [3, 1]
    assert verify.clean()


def test_two_that_seal_at_once_seal_each_day_once(three_days):
    closing.close(THIRD, by="test", grace=timedelta(), now=NOW + 7 * DAY)

    def seal(_):
        try:
            return seal_closed(by="test", clock=lambda: NOW + 7 * DAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        made = [seal for sealed in pool.map(seal, range(4)) for seal in sealed]
    assert sorted(seal.day for seal in made) == [FIRST, SECOND, THIRD] and sealing.unsealed() == []
    assert verify.clean()


def test_who_comes_late_to_a_day_goes_on_with_the_next(sealed, monkeypatch):
    closing.close(THIRD, by="test", grace=timedelta(), now=NOW + 7 * DAY)
    monkeypatch.setattr(sealing, "unsealed", lambda: [FIRST, SECOND, THIRD])
    assert [seal.day for seal in seal_closed(by="test", clock=lambda: NOW + 7 * DAY)] == [THIRD]


def test_a_day_isnt_sealed_while_its_last_posting_is_being_committed(committed_books):
    posted, may_commit = Event(), Event()

    def post_slowly():
        with transaction.atomic():
            committed_books.fund(committed_books.bob, 55)
            posted.set()
            may_commit.wait(10)
        connection.close()

    with transaction.atomic():
        committed_books.fund(committed_books.alice, 100)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(post_slowly)
        assert posted.wait(10)
        with pytest.raises(StillWriting):
            close(patience=0)
        assert head() is None
        may_commit.set()
        slow.result()
    assert [made.day for made in close()] == [FIRST, SECOND]
    assert DayBalance.objects.get(account=committed_books.bob.id, day=FIRST).credits == 55
    assert verify.clean()


def test_postings_in_flight_are_in_the_sealed_day_or_refused(committed_books):
    under_way, committed = Event(), []

    def post_until_refused(number):
        chance = random.Random(number)
        try:
            for turn in count():
                pair = chance.sample([committed_books.cash, committed_books.fees], 2)
                posting = transfer(*pair, 1, f"race:{number}:{turn}")
                post_durably(replace(posting, effective_at=NOW) if turn % 2 else posting, now=NOW)
                committed.append(posting.id)
                if turn > 5:
                    under_way.set()
        except PeriodClosed:
            return
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        working = [pool.submit(post_until_refused, number) for number in range(6)]
        assert under_way.wait(20)
        close(FIRST)
        for one in working:
            one.result()
    assert set(committed) == set(Transaction.objects.values_list("pk", flat=True))
    assert rows_of("transactions", FIRST) == len(committed)
    assert verify.clean()
