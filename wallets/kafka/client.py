"""The client of Kafka, as we set it up."""

import importlib
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from confluent_kafka import Consumer


class NotSetUp(Exception):
    """Kafka can't be read from; what it says tells what to do."""


# Offsets are in our database: Kafka keeps none for us, and where it can't go on from ours we look at why.
OURS = {"enable.auto.commit": False, "enable.auto.offset.store": False, "auto.offset.reset": "error"}


def library() -> Any:
    """The package confluent_kafka. Raises NotSetUp where it isn't installed."""
    try:
        return importlib.import_module("confluent_kafka")
    except ImportError as missing:
        detail = "Reading from Kafka needs confluent-kafka: pip install -r requirements-kafka.txt"
        raise NotSetUp(detail) from missing


def connect() -> "Consumer":
    """A consumer of the group, not subscribed to anything yet. Raises NotSetUp."""
    kafka = library()
    if not (settings.KAFKA_BROKERS and settings.KAFKA_TOPICS):
        raise NotSetUp("Say in KAFKA_BROKERS where Kafka is, and in KAFKA_TOPICS which topics have events.")
    try:
        made: Consumer = kafka.Consumer(options())
    except (kafka.KafkaException, TypeError) as refusal:
        raise NotSetUp(f"Kafka's client refuses KAFKA_OPTIONS: {refusal}") from refusal
    return made


def options() -> dict[str, Any]:
    """What librdkafka is told: KAFKA_OPTIONS may add to it, and change nothing of how offsets are kept."""
    where = {"bootstrap.servers": settings.KAFKA_BROKERS, "group.id": settings.KAFKA_GROUP}
    return {"client.id": "walletproject"} | settings.KAFKA_OPTIONS | where | OURS


def is_incremental() -> bool:
    """Whether partitions are given and taken one by one, or all at once."""
    strategy = str(settings.KAFKA_OPTIONS.get("partition.assignment.strategy", ""))
    return settings.KAFKA_OPTIONS.get("group.protocol") == "consumer" or "cooperative" in strategy
