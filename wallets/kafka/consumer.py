"""A consumer: partitions that a group is given are read from where our own table says, and taken part by part."""

import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from threading import Event as Flag
from time import monotonic
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error, connections

from ledger.durable import OutcomeUnknown, TryAgain
from wallets.kafka import client, messages
from wallets.usage import consuming, offsets
from wallets.usage.offsets import Edges, Hold, Reader, Replaced
from wallets.usage.unreadable import Partition

if TYPE_CHECKING:
    from confluent_kafka import Consumer, KafkaError, TopicPartition

logger = logging.getLogger(__name__)

# How often it is noted where partitions end, and how long a broker may take to tell.
LOOK_SECONDS = 5.0
ANSWER_SECONDS = 10.0
# After trouble it tries again soon, then less often, up to a minute.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
Told = Callable[[Counter[str], int], None]


class Membership:
    """One membership in the group: from joining it until it ends in order, or in trouble."""

    def __init__(self, *, clock: Callable[[], datetime], batch: int, wait: float) -> None:
        self._clock, self._batch, self._wait = clock, batch, wait
        self._reader = Reader(settings.KAFKA_GROUP, f"{socket.gethostname()}:{os.getpid()}"[:200])
        self._holds: dict[Partition, Hold] = {}
        self._told_ends: dict[Partition, int] = {}
        self._looked = monotonic()
        self._consumer = client.connect()
        self._consumer.subscribe(
            settings.KAFKA_TOPICS, on_assign=self._given, on_revoke=self._taken_away, on_lost=self._lost
        )

    def has_all(self) -> bool:
        """Whether it has partitions, and has taken all that the broker says they hold."""
        for partition in self._holds:
            _, high = self._consumer.get_watermark_offsets(_place(partition), ANSWER_SECONDS)
            self._told_ends[partition] = high
        return bool(self._holds) and not self.lag

    @property
    def lag(self) -> int:
        """How many messages its partitions are known to hold that aren't taken."""
        return sum(end - self._holds[partition].next_offset for partition, end in self._ends().items())

    def step(self) -> Counter[str]:
        """Take what has come; returns how many became what. Raises what ends the membership."""
        received = self._consumer.consume(self._batch, self._wait)
        now = self._clock()
        good = [message for message in received if not self._is_trouble(message.error())]
        read = [messages.read(message, now) for message in good]
        # What comes of a partition that was taken away since it was fetched is its new holder's.
        held = [message for message in read if message.partition in self._holds]
        counts = consuming.take_messages(self._reader, self._holds, held, now=now)
        if monotonic() >= self._looked + LOOK_SECONDS:
            self._looked = monotonic()
            offsets.saw(self._reader, self._holds, self._ends(), now=now)
        return counts

    def end(self) -> None:
        """Leave the group: others are given the partitions at once."""
        self._consumer.close()

    def _given(self, consumer: "Consumer", given: "list[TopicPartition]") -> None:
        edges = {_partition(each): Edges(*consumer.get_watermark_offsets(each, ANSWER_SECONDS)) for each in given}
        holds = {hold.partition: hold for hold in offsets.claim(self._reader, edges, now=self._clock())}
        for each in given:
            each.offset = holds[_partition(each)].next_offset
        self._holds |= holds
        self._told_ends |= {partition: edge.high for partition, edge in edges.items()}
        if client.is_incremental():
            consumer.incremental_assign(given)
        else:
            consumer.assign(given)

    def _taken_away(self, consumer: "Consumer", gone: "list[TopicPartition]") -> None:
        self._forget(gone)
        if client.is_incremental():
            consumer.incremental_unassign(gone)
        else:
            consumer.unassign()

    def _lost(self, consumer: "Consumer", gone: "list[TopicPartition]") -> None:
        logger.warning("The group went on without this consumer; it joins anew.")
        self._taken_away(consumer, gone)

    def _forget(self, gone: "Iterable[TopicPartition]") -> None:
        for each in gone:
            self._holds.pop(_partition(each), None)

    def _ends(self) -> dict[Partition, int]:
        """Where partitions end, as far as the client has heard."""
        ends = {}
        for partition, hold in self._holds.items():
            _, high = self._consumer.get_watermark_offsets(_place(partition), cached=True) or (0, 0)
            ends[partition] = max(high, self._told_ends[partition], hold.next_offset)
        return ends

    def _is_trouble(self, error: "KafkaError | None") -> bool:
        """Whether a message is none but tells of trouble. Raises where that can't be sat out."""
        if error is None:
            return False
        kafka = client.library()
        if error.fatal() or error.code() == kafka.KafkaError._AUTO_OFFSET_RESET:
            raise kafka.KafkaException(error)
        logger.warning("Kafka says: %s", error)
        return True


def _partition(given: "TopicPartition") -> Partition:
    return Partition(given.topic, given.partition)


def _place(partition: Partition) -> "TopicPartition":
    place: TopicPartition = client.library().TopicPartition(*partition)
    return place


def consume(
    stop: Flag, *, clock: Callable[[], datetime], told: Told, batch: int, wait: float, until_end: bool = False
) -> None:
    """Take what comes until the flag is set, or with `until_end` until all was taken that there is.

    After trouble with Kafka or the database it joins the group anew, and goes on from what was committed. Raises
    NotSetUp.
    """
    unanswered = client.library().KafkaException
    pause = FIRST_PAUSE
    while not stop.is_set():
        membership = Membership(clock=clock, batch=batch, wait=wait)
        try:
            while not stop.is_set():
                counts = membership.step()
                told(counts, membership.lag)
                pause = FIRST_PAUSE if counts else pause
                if until_end and not counts and membership.has_all():
                    return
        except (unanswered, Error, OutcomeUnknown, TryAgain, Replaced) as trouble:
            logger.warning("%s; the consumer joins its group anew in %.0f s.", trouble, pause)
            connections.close_all()
            stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            membership.end()
