"""A use case is committed whole or leaves nothing, and says so truly, whichever way its statements are sent."""

from contextlib import suppress

import pytest
from django.db import DataError, OperationalError, connection, transaction

from ledger import sql
from ledger.durable import OutcomeUnknown, durable, pipelined
from ledger.tests.test_races import at_once

WAYS = pytest.mark.parametrize("way", [durable, pipelined])


@pytest.fixture
def notes(committed):
    """A table of this connection's own, which ends with it."""
    sql.run("CREATE TEMP TABLE note (text text)")
    yield lambda: [text for (text,) in sql.rows("SELECT text FROM note")]
    connection.close()


def write(text="kept"):
    sql.run("INSERT INTO note VALUES (%s)", (text,))
    return text


@WAYS
def test_what_it_returns_is_committed(notes, way):
    assert way(write)("kept") == "kept"
    connection.rollback()
    assert notes() == ["kept"]


@WAYS
def test_what_raises_leaves_nothing(notes, way):
    def fail():
        write()
        raise LookupError

    with pytest.raises(LookupError):
        way(fail)()
    assert notes() == []


@WAYS
def test_what_waits_for_the_commit_comes_after_it_and_once(notes, way):
    told, tries = [], []

    def announce():
        tries.append(len(tries))
        write(f"try {len(tries)}")
        transaction.on_commit(lambda: told.append(notes()))
        if len(tries) < 2:
            sql.run("DO $$ BEGIN RAISE 'lost' USING ERRCODE = 'serialization_failure'; END $$")
        assert told == []

    way(announce)()
    assert told == [["try 2"]]


@WAYS
def test_what_waits_for_the_commit_never_comes_without_one(notes, way):
    told = []

    def fail():
        transaction.on_commit(lambda: told.append("committed"))
        write()
        raise LookupError

    with pytest.raises(LookupError):
        way(fail)()
    assert told == []


@WAYS
def test_what_is_marked_to_be_undone_is(notes, way):
    def undo():
        write()
        transaction.set_rollback(True)

    way(undo)()
    assert notes() == []


@WAYS
def test_a_race_that_was_lost_is_run_again(notes, way):
    tries = []

    def lose_twice():
        tries.append(len(tries))
        if len(tries) < 3:
            sql.run("DO $$ BEGIN RAISE 'lost' USING ERRCODE = 'serialization_failure'; END $$")
        return write(f"try {len(tries)}")

    assert way(lose_twice)() == "try 3"
    assert notes() == ["try 3"]


@WAYS
def test_what_the_server_refuses_at_the_end_is_no_unknown_outcome(notes, way):
    def overrun():
        sql.run("SET LOCAL statement_timeout = '10ms'")
        write()
        sql.run("SELECT pg_sleep(60)")

    with pytest.raises(OperationalError, match="statement timeout"):
        way(overrun)()
    assert notes() == []


@WAYS
def test_a_connection_that_is_lost_while_committing_leaves_the_outcome_unknown(notes, way):
    sql.run(
        "CREATE FUNCTION pg_temp.leave() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"
    )
    sql.run(
        "CREATE CONSTRAINT TRIGGER leave AFTER INSERT ON note DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION pg_temp.leave()"
    )
    told = []

    def announce():
        transaction.on_commit(lambda: told.append("committed"))
        write()

    with pytest.raises(OutcomeUnknown):
        way(announce)()
    assert told == []


@WAYS
def test_a_connection_that_is_lost_before_is_told_as_it_is(committed, way):
    def lose():
        sql.rows("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError):
        way(lose)()
    connection.close()


@WAYS
def test_an_error_that_is_read_is_djangos(notes, way):
    def divide():
        try:
            sql.rows("SELECT 1 / %s", (0,))
        except DataError as error:
            raise LookupError from error

    with pytest.raises(LookupError):
        way(divide)()


def test_a_transaction_that_begins_with_a_pipeline_is_one(notes):
    with suppress(LookupError), transaction.atomic():
        with sql.pipeline():
            write()
        write("after the pipeline")
        raise LookupError
    assert notes() == []
    with transaction.atomic(), sql.pipeline():
        write("of the next transaction")
    with suppress(LookupError), transaction.atomic():
        write()
        raise LookupError
    connection.rollback()
    assert notes() == ["of the next transaction"]


def test_statements_of_a_pipeline_are_done_when_it_returns(committed):
    """Eight threads, each with what it wrote before its eyes."""

    @pipelined
    def note(number):
        sql.run("CREATE TEMP TABLE note AS SELECT %s::int AS number", (number,))
        sql.run("UPDATE note SET number = number + 1")

    def work(number):
        note(number)
        ((noted,),) = sql.rows("SELECT number FROM note")
        return str(noted)

    assert at_once(work) == [str(number + 1) for number in range(8)]
