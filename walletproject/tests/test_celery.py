import socket
import time

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from walletproject.celery import PATIENT, app, be_patient, copy_usage


@pytest.fixture
def silent_broker():
    """It takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(10)
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.mark.parametrize("place", ["silent", "closed"])
def test_a_bell_that_cannot_be_rung_costs_a_request_little(silent_broker, place):
    url = silent_broker if place == "silent" else "redis://127.0.0.1:1/0"
    start = time.perf_counter()
    with app.connection_for_write(url) as connection, pytest.raises(OperationalError):
        app.send_task("nobody.does.this", connection=connection)
    assert time.perf_counter() - start < 5, "kombu on its own would try for much longer"


def test_a_message_reaches_the_queue(settings):
    with app.connection_for_write() as connection:
        connection.default_channel.queue_purge("default")
        app.send_task("nobody.does.this", connection=connection)
        assert connection.default_channel.queue_purge("default") == 1


def test_a_worker_has_more_patience_than_a_request():
    class Conf:
        broker_transport_options = app.conf.broker_transport_options

    be_patient(conf=Conf)
    assert Conf.broker_transport_options["socket_timeout"] == PATIENT["socket_timeout"]
    assert "max_retries" not in Conf.broker_transport_options
    assert app.conf.broker_transport_options["socket_timeout"] == 0.2


def test_work_survives_its_worker():
    assert app.conf.task_acks_late and app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.accept_content == ["json"]


def test_every_periodic_job_exists():
    app.loader.import_default_modules()
    assert [entry["task"] for entry in app.conf.beat_schedule.values() if entry["task"] not in app.tasks] == []


@pytest.mark.parametrize("url", ["", "chdb://memory"])
def test_beat_rings_for_the_copy_only_where_there_is_one(settings, url):
    settings.CLICKHOUSE_URL = url
    sender = Celery(set_as_current=False)
    copy_usage(sender)
    assert bool(sender.conf.beat_schedule) == bool(url)
