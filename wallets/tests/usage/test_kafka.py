"""The consumer against librdkafka's own brokers: the real protocol, in this process."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread
from urllib.parse import urlsplit

import confluent_kafka
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from ledger import sql
from tests.crash.processes import wait_for
from wallets.kafka.consumer import consume
from wallets.models import KafkaOffset, QuarantinedEvent, UsageEvent
from wallets.tests.usage.conftest import read, somebody_waits, told
from wallets.usage import offsets
from wallets.usage.offsets import Edges, Reader
from wallets.usage.unreadable import Partition

PARTITIONS = 4


class Brokers:
    """A cluster of one broker, which lives in the producer that writes to it."""

    def __init__(self) -> None:
        quiet = {"log_level": 0, "test.mock.num.brokers": 1}
        self.producer = confluent_kafka.Producer(quiet | {"bootstrap.servers": "nowhere"})
        (broker,) = self.producer.list_topics(timeout=10).brokers.values()
        self.where = f"{broker.host}:{broker.port}"

    def send(self, topic, *values):
        """Messages to the partitions of a topic, in turn."""
        for number, value in enumerate(values):
            text = value if isinstance(value, bytes) else json.dumps(value)
            self.producer.produce(topic, text, partition=number % PARTITIONS)
        assert self.producer.flush(10) == 0


@pytest.fixture(scope="module")
def brokers():
    return Brokers()


@pytest.fixture
def topic(request, brokers, settings, database):
    """A topic and a group for one test."""
    name = request.node.name.partition("[")[0]
    settings.KAFKA_BROKERS, settings.KAFKA_TOPICS, settings.KAFKA_GROUP = brokers.where, [name], name
    settings.KAFKA_OPTIONS = {"group.protocol": "consumer", "log_level": 0}
    return name


def events(wallet, count, since=0):
    return [told(wallet, event_id=f"e-{number}", quantity="4") for number in range(since, since + count)]


def consume_all(told=lambda *_: None):
    consume(Flag(), clock=timezone.now, told=told, batch=100, wait=0.05, until_end=True)


@pytest.mark.parametrize("protocol", ["consumer", "classic"])
def test_the_command_takes_what_is_there_and_goes_on_behind_it(
    committed, brokers, topic, metering, purse, settings, protocol, capsys
):
    settings.KAFKA_OPTIONS["group.protocol"] = protocol
    settings.KAFKA_TOPICS = [f"{topic}-{protocol}"]
    brokers.send(*settings.KAFKA_TOPICS, *events(purse, 10), b"{", *events(purse, 3))
    call_command("consume_usage", until_end=True, wait=0.05)
    assert "10 accepted, 3 duplicate, 1 unreadable." in capsys.readouterr().out
    assert (read(purse).unsettled, QuarantinedEvent.objects.get().code) == (10, "unreadable")
    if protocol == "consumer":
        brokers.send(*settings.KAFKA_TOPICS, *events(purse, 5, since=10))
        call_command("consume_usage", until_end=True, wait=0.05)
        assert "5 accepted." in capsys.readouterr().out
        assert set(KafkaOffset.objects.values_list("term", flat=True)) == {2}


def test_two_consumers_share_a_topic_and_one_takes_over_from_the_other(committed, brokers, topic, metering, purse):
    brokers.send(topic, *events(purse, 40))
    stops, totals, threads = [Flag(), Flag()], [Counter(), Counter()], []

    def run(number):
        def told(counts, lag):
            totals[number] += counts

        consume(stops[number], clock=timezone.now, told=told, batch=5, wait=0.05)
        connection.close()

    def holders():
        return set(KafkaOffset.objects.values_list("term", flat=True))

    def taken():
        return sum(totals, Counter())["accepted"]

    for number in range(2):
        threads.append(Thread(target=run, args=(number,)))
        threads[number].start()
        wait_for("each has some", lambda number=number: len(holders()) > number)
    brokers.send(topic, *events(purse, 40, since=40))
    wait_for("both have read", lambda: taken() == 80 and totals[1])
    stops[0].set()
    threads[0].join(10)
    brokers.send(topic, *events(purse, 40, since=80))
    wait_for("the other has taken over", lambda: taken() == 120)
    stops[1].set()
    threads[1].join(10)
    assert sum(totals, Counter()) == {"accepted": 120}
    assert read(purse).unsettled == 120
    assert sum(KafkaOffset.objects.values_list("next_offset", flat=True)) == 120


def test_a_consumer_that_was_replaced_joins_anew_and_nothing_is_lost(committed, brokers, topic, metering, purse):
    brokers.send(topic, *events(purse, 8))
    stolen = []

    def told(counts, lag):
        if counts and not stolen:
            edges = {Partition(topic, number): Edges(0, 9) for number in range(PARTITIONS)}
            stolen.extend(offsets.claim(Reader(topic, "thief"), edges, now=timezone.now()))
            brokers.send(topic, *events(purse, 8, since=8))

    consume_all(told)
    assert stolen
    assert (UsageEvent.objects.count(), read(purse).unsettled) == (16, 16)


ENVIRONMENT = {
    "SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS), "LOG_LEVEL": "WARNING",
}  # fmt: skip


@contextmanager
def running(topic, brokers):
    """The command as a process of its own, on the test's database."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = os.environ | ENVIRONMENT | {
        "DATABASE_URL": url, "KAFKA_BROKERS": brokers.where, "KAFKA_TOPICS": topic, "KAFKA_GROUP": topic,
        "KAFKA_OPTIONS": '{"log_level": 0}', "USAGE_LATE_DAYS": "9999",
    }  # fmt: skip
    with subprocess.Popen([sys.executable, "manage.py", "consume_usage", "--quiet"], env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.crash
def test_a_consumer_killed_in_the_middle_loses_and_doubles_nothing(committed, brokers, topic, metering, purse):
    metering.use(purse, 4)
    brokers.send(topic, *events(purse, 8), b"{")
    with transaction.atomic(), running(topic, brokers) as victim:
        sql.run("SELECT FROM wallets_usageaccount FOR UPDATE")
        wait_for("it is in the middle", somebody_waits)
        victim.kill()
        victim.wait(10)
    assert (UsageEvent.objects.count(), QuarantinedEvent.objects.count()) == (1, 0)
    consume_all()
    assert (read(purse).unsettled, QuarantinedEvent.objects.count()) == (9, 1)


@pytest.mark.crash
def test_sigterm_ends_it_in_order(committed, brokers, topic, metering, purse):
    brokers.send(topic, *events(purse, 8))
    with running(topic, brokers) as process:
        wait_for("all are taken", lambda: UsageEvent.objects.count() == 8)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(("missing", "tells"), [("library", "requirements-kafka.txt"), ("brokers", "KAFKA_BROKERS"),
                                                ("options", "KAFKA_OPTIONS")])  # fmt: skip
def test_what_isnt_set_up_is_told_with_what_to_do(topic, settings, monkeypatch, missing, tells):
    if missing == "library":
        monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    elif missing == "brokers":
        settings.KAFKA_BROKERS = ""
    else:
        settings.KAFKA_OPTIONS = {"no.such.option": 1}
    with pytest.raises(CommandError, match=tells):
        call_command("consume_usage", quiet=True)
