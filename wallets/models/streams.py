"""How far events were read that come by streams."""

from typing import ClassVar

from django.db import models


class KafkaOffset(models.Model):
    """How far a group has read a partition of a topic. Whoever is given the partition begins a new term of it."""

    pk = models.CompositePrimaryKey("consumers", "topic", "partition")
    consumers = models.CharField(max_length=200, help_text="The name of the group.")
    topic = models.CharField(max_length=249)
    partition = models.IntegerField()
    next_offset = models.BigIntegerField(help_text="The first that isn't taken.")
    end_offset = models.BigIntegerField(help_text="Where the partition ended when it was last seen.")
    term = models.BigIntegerField(help_text="Only the consumer of the newest term may move it.")
    holder = models.CharField(max_length=200, help_text="Host and process of that consumer.")
    claimed_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When the holder last said where the partition ends.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="wallets_kafka_offset_term", condition=models.Q(term__gt=0, next_offset__gte=0))
        ]

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition} of {self.consumers}"


class UsageFeed(models.Model):
    """How far events were copied to another store, in the order in which their transactions began."""

    store = models.CharField(primary_key=True, max_length=32)
    transaction = models.BigIntegerField(default=0, help_text="That of the last event that was copied.")
    key = models.UUIDField(help_text="Of that event: those of one transaction are copied in the order of their keys.")
    events = models.BigIntegerField(default=0, help_text="How many were copied.")
    moved_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.store
