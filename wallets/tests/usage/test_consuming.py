"""Messages of a stream: each is taken once, by whoever holds its partition; what is no event waits for nobody."""

import json
from collections import Counter
from contextlib import suppress

import pytest
from django.utils import timezone

from wallets.kafka import messages
from wallets.metrics import streams
from wallets.models import KafkaOffset, QuarantinedEvent, UsageEvent
from wallets.opening import InvalidState
from wallets.tests.test_once import at_once
from wallets.tests.usage.conftest import TESTER, read, told
from wallets.tests.usage.test_events_api import cloudy
from wallets.usage import admitting, consuming, offsets
from wallets.usage.offsets import Edges, Reader, Replaced
from wallets.usage.unreadable import Partition

ANN, BEN = (Reader("group", name) for name in ("ann", "ben"))
FIRST, SECOND = (Partition("usage", number) for number in range(2))


class Received:
    """A message as it was received."""

    def __init__(self, offset, value, headers=None, partition=FIRST) -> None:
        self.at, self.place, self.text, self.said = partition, offset, value, headers

    def topic(self):
        return self.at.topic

    def partition(self):
        return self.at.number

    def offset(self):
        return self.place

    def value(self):
        return json.dumps(self.text).encode() if isinstance(self.text, dict) else self.text

    def headers(self):
        return self.said

    def timestamp(self):
        return 1, 1_767_225_600_000


def claim(reader, *partitions, low=0, high=100):
    now = timezone.now()
    edges = {partition: Edges(low, high) for partition in partitions or [FIRST]}
    return {hold.partition: hold for hold in offsets.claim(reader, edges, now=now)}


def take(reader, holds, *received):
    now = timezone.now()
    return consuming.take_messages(reader, holds, [messages.read(each, now) for each in received], now=now)


def event(purse, number, partition=FIRST, /, **more):
    return Received(number, told(purse, event_id=f"e-{number}", quantity="4", **more), partition=partition)


def next_offsets():
    return dict(KafkaOffset.objects.order_by("partition").values_list("partition", "next_offset"))


def test_messages_are_taken_and_their_partitions_move(metering, purse):
    holds = claim(ANN, FIRST, SECOND)
    counts = take(ANN, holds, event(purse, 0), event(purse, 1), event(purse, 7, SECOND))
    assert (counts, read(purse).unsettled, next_offsets()) == ({"accepted": 3}, 3, {0: 2, 1: 8})


def test_what_was_taken_isnt_taken_again_whatever_the_stream_repeats(metering, purse):
    batch = [event(purse, number) for number in range(3)]
    take(ANN, claim(ANN), *batch)
    assert take(BEN, claim(BEN), *batch) == {}
    assert take(BEN, claim(BEN), event(purse, 1), event(purse, 3)) == {"accepted": 1}
    assert (read(purse).unsettled, next_offsets()) == (4, {0: 4})


def test_the_same_event_in_two_messages_counts_once(metering, purse):
    holds = claim(ANN)
    body = told(purse, quantity="4")
    counts = take(ANN, holds, Received(0, body), Received(1, body), Received(2, body | {"quantity": "5"}))
    assert (counts, read(purse).unsettled) == ({"accepted": 1, "duplicate": 1, "conflict": 1}, 1)


def test_who_was_replaced_leaves_nothing_behind(metering, purse):
    zombie, _ = claim(ANN, FIRST, SECOND), claim(BEN, FIRST)
    with pytest.raises(Replaced):
        take(ANN, zombie, event(purse, 0), event(purse, 1, SECOND), Received(2, b"{"))
    assert next_offsets() == {0: 0, 1: 0}
    assert not UsageEvent.objects.exists() and not QuarantinedEvent.objects.exists()
    assert take(ANN, zombie, event(purse, 1, SECOND)) == {"accepted": 1}


def test_nothing_is_kept_where_it_dies_before_its_commit(metering, purse, monkeypatch):
    def dies(*args, **kwargs):
        raise KeyboardInterrupt

    holds = claim(ANN)
    monkeypatch.setattr(consuming.unreadable, "keep", dies)
    with pytest.raises(KeyboardInterrupt):
        take(ANN, holds, event(purse, 0), Received(1, b"{"))
    monkeypatch.undo()
    assert (next_offsets(), UsageEvent.objects.count()) == ({0: 0}, 0)
    assert take(BEN, claim(BEN), event(purse, 0), Received(1, b"{")) == {"accepted": 1, "unreadable": 1}
    assert read(purse).unsettled == 1


POISON = {
    "no JSON": b"{", "no object": b"[]", "empty": None, "no text": b"\xff\xfe", "no event": b'{"event_id": "e"}',
    "NUL in a property": {"properties": {"a": "\0"}}, "NUL in an id": {"event_id": "a\0b"},
    "half a character": {"properties": {"a": "\ud800"}}, "too much": {"quantity": "1" * 40},
}  # fmt: skip


@pytest.mark.parametrize("poison", POISON)
def test_what_cant_be_read_or_written_is_put_aside_with_its_place(metering, purse, poison):
    value = POISON[poison]
    bad = Received(2, told(purse) | value if isinstance(value, dict) else value)
    holds = claim(ANN)
    counts = take(ANN, holds, event(purse, 0), event(purse, 1), bad, event(purse, 3))
    assert (counts, read(purse).unsettled, next_offsets()) == ({"accepted": 3, "unreadable": 1}, 3, {0: 4})
    (kept,) = QuarantinedEvent.objects.all()
    assert (kept.code, kept.source, kept.event_id) == ("unreadable", "kafka:usage", "0/2")
    place = {"topic": "usage", "partition": 0, "offset": 2}
    assert kept.properties.items() >= place.items() and kept.properties["detail"]
    assert kept.occurred_at.isoformat() == "2026-01-01T00:00:00+00:00"


def test_what_is_no_event_cant_be_let_in(metering, purse):
    take(ANN, claim(ANN), Received(0, b"{"))
    (kept,) = QuarantinedEvent.objects.all()
    with pytest.raises(InvalidState):
        admitting.admit(kept.pk, by=TESTER, reason="why not", now=timezone.now())
    admitting.discard(kept.pk, by=TESTER, reason="mended", now=timezone.now())


REFUSED = {
    "unknown_wallet": {"wallet": "01900000-0000-7000-8000-000000000000"}, "unknown_meter": {"meter": "minutes"},
    "too_old": {"occurred_at": "2026-01-01T00:00:00Z"},
}  # fmt: skip


@pytest.mark.parametrize("code", REFUSED)
def test_every_refusal_is_kept_since_nobody_hears_of_it(metering, purse, code):
    assert take(ANN, claim(ANN), event(purse, 5, **REFUSED[code])) == {"rejected": 1}
    (kept,) = QuarantinedEvent.objects.all()
    assert (kept.code, kept.sent_by) == (code, "kafka:0/5 of usage")


def test_a_cloudevent_is_the_same_event_in_its_envelope_or_beside_it(metering, purse):
    envelope = cloudy(purse)
    names = ("specversion", "id", "source", "type", "subject", "time")
    headers = [(f"ce_{name}", envelope[name].encode()) for name in names]
    received = Received(0, envelope), Received(1, {"quantity": "10"}, headers), Received(2, told(purse))
    assert take(ANN, claim(ANN), *received) == {"accepted": 1, "duplicate": 2}


@pytest.mark.parametrize(("low", "high"), [(10, 20), (0, 3)])
def test_what_a_topic_lost_is_told_and_passed_over(metering, purse, low, high):
    take(ANN, claim(ANN), event(purse, 4))
    holds = claim(BEN, low=low, high=high)
    (kept,) = QuarantinedEvent.objects.all()
    assert (kept.code, kept.event_id, holds[FIRST].next_offset) == ("messages_lost", "0/5", low)
    assert take(BEN, holds, event(purse, low + 1)) == {"accepted": 1}


def test_lag_is_told_to_prometheus(metering, purse):
    holds = claim(ANN, high=3)
    take(ANN, holds, event(purse, 0))
    samples = {sample.name: sample for metric in streams.lags() for sample in metric.samples}
    assert samples["wallet_kafka_lag"].value == 2
    assert samples["wallet_kafka_lag"].labels == {"group": "group", "topic": "usage", "partition": "0"}
    offsets.saw(ANN, holds, {FIRST: 9}, now=timezone.now())
    assert KafkaOffset.objects.get().end_offset == 9


def test_of_consumers_that_hold_a_partition_by_turns_none_loses_or_doubles(committed, metering, purse):
    batch = [event(purse, number) for number in range(40)]

    def work(number):
        total, reader = Counter(), Reader("group", f"reader-{number}")
        while (position := KafkaOffset.objects.filter(partition=0).first()) is None or position.next_offset < 40:
            holds = claim(reader)
            start = holds[FIRST].next_offset
            with suppress(Replaced):
                total += take(reader, holds, *batch[start : start + 7])
        return total

    assert sum(at_once(4, work), Counter()) == {"accepted": 40}
    assert (read(purse).unsettled, next_offsets()) == (40, {0: 40})
