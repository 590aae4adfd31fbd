"""What is handed to the server arrives as it was."""

import random
import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from django.db import DataError, transaction
from hypothesis import given
from hypothesis import strategies as st

from ledger import sql

pytestmark = pytest.mark.django_db

ZONES = st.builds(timezone, st.timedeltas(timedelta(hours=-14), timedelta(hours=14)))
# From the years 83 to 9939.
SPANS = st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000))
MOMENTS = st.builds(lambda span, zone: (sql.EPOCH + span).astimezone(zone), SPANS, ZONES)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def arrives(array, type_):
    return sql.rows(f"SELECT %s::{type_}[]", (array,))[0][0]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers_arrive_as_they_are(integers):
    assert arrives(sql.integers(integers), "int8") == integers


@given(st.lists(st.integers(-(2**15), 2**15 - 1)))
def test_small_integers_become_what_the_statement_says(integers):
    assert arrives(sql.integers(integers), "int2") == integers


def test_an_integer_that_is_too_large_for_what_the_statement_says_is_refused():
    with pytest.raises(DataError, match="out of range"):
        arrives(sql.integers([2**15]), "int2")


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False)))
def test_decimals_arrive_to_the_last_digit(decimals):
    assert arrives(sql.decimals(decimals), "numeric") == decimals


@given(st.lists(st.none() | st.uuids()))
def test_ids_arrive_as_they_are(ids):
    assert arrives(sql.uuids(ids), "uuid") == ids


@given(st.lists(st.none() | MOMENTS))
def test_moments_arrive_to_the_microsecond_whatever_their_zone(moments):
    assert arrives(sql.moments(moments), "timestamptz") == moments


@given(st.lists(TEXTS))
def test_texts_arrive_whatever_they_contain(texts):
    assert arrives(sql.texts(texts), "text") == texts


@given(st.lists(st.binary()))
def test_bytes_arrive_as_they_are(binaries):
    assert arrives(sql.binaries(binaries), "bytea") == binaries


@given(st.lists(st.dates()))
def test_days_arrive_as_they_are(days):
    assert arrives(sql.days(days), "date") == days


@pytest.mark.parametrize(
    "array, type_", [(sql.integers([]), "int8"), (sql.uuids([]), "uuid"), (sql.moments([]), "timestamptz")]
)
def test_nothing_is_an_empty_array(array, type_):
    assert sql.rows(f"SELECT cardinality(%s::{type_}[])", (array,)) == [(0,)]


def test_a_text_with_nul_is_refused():
    with pytest.raises(ValueError, match="NUL"):
        sql.texts(["a\0b"])


def test_ids_and_moments_stand_among_other_parameters():
    id, moment = UUID(int=7), datetime(2026, 1, 20, 12, tzinfo=UTC)
    statement = "SELECT %(ids)s::uuid[], %(moments)s::timestamptz[], %(ids)s::uuid[], %(word)s"
    found = sql.rows(statement, {"ids": sql.uuids([id]), "moments": sql.moments([moment]), "word": "w"})
    assert found == [([id], [moment], [id], "w")]


@pytest.mark.parametrize("rows, size", [(10, 10), (2_000, 600_000), (100, 3_000_000)])
def test_an_answer_is_read_while_more_is_sent_than_any_buffer_takes(rows, size):
    """It comes while the rest is still being sent, or after it: nobody may wait for what is there already."""
    chance, large = random.Random(1), "x" * size
    for _ in range(60):
        with transaction.atomic(), alarm(20), sql.pipeline():
            read = sql.ask("SELECT n, 'some words' FROM generate_series(1, %s) AS n", (rows,), soon=True)
            time.sleep(chance.uniform(0, 0.003))
            sql.run("SELECT length(%s)", (large,))
            assert len(read()) == rows


@contextmanager
def alarm(seconds):
    """Raise where the block takes longer: both sides wait for each other."""

    def fail(*_):
        raise AssertionError(f"nothing came within {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
