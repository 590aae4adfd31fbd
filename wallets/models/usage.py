"""Usage: what is metered and what it costs, every event, what a month comes to, and how it was paid for.

Amounts are in minor units with up to six decimals; quantities have up to nine.
"""

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from wallets.models.wallets import Wallet


def quantity_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column for how much was used; a month's total has room for as many events as there may be."""
    return models.DecimalField(max_digits=38, decimal_places=9, **options)


def amount_field(**options: Any) -> "models.DecimalField[Any, Any]":
    """A column for what usage costs, in minor units."""
    return models.DecimalField(max_digits=38, decimal_places=6, **options)


class Meter(models.Model):
    """Something that is measured, and how a month's events become one quantity."""

    class Aggregation(models.TextChoices):
        SUM = "sum", "The sum of the quantities"
        COUNT = "count", "How many events there are"
        MAX = "max", "The largest quantity"
        UNIQUE = "unique", "How many different values a property has"
        LATEST = "latest", "The quantity of the latest event"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=64, unique=True, help_text="What events name it by, such as api-calls.")
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=32, help_text="What one of the quantity is called, such as call or GB.")
    aggregation = models.CharField(max_length=6, choices=Aggregation)
    property = models.CharField(max_length=64, blank=True, default="", help_text="Whose values are counted.")
    is_active = models.BooleanField(default=True, help_text="One that isn't takes no more events.")
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_meter_property",
                condition=Q(aggregation="unique") & ~Q(property="") | ~Q(aggregation="unique") & Q(property=""),
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class MeterPrice(models.Model):
    """What a meter costs in a currency, for everybody or for one wallet, from a moment on. Nothing of it ever changes
    but its end, which the next version sets.
    """

    class Model(models.TextChoices):
        PER_UNIT = "per_unit", "Per unit"
        PACKAGE = "package", "Per package"
        GRADUATED = "graduated", "Graduated tiers"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    meter = models.ForeignKey(Meter, models.PROTECT, related_name="prices", db_index=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    model = models.CharField(max_length=9, choices=Model)
    tiers = models.JSONField(help_text="Prices of a unit in minor units, by how much was used; one if not graduated.")
    package_size = quantity_field(null=True, blank=True)
    allowance = quantity_field(default=0, help_text="How much of a calendar month (UTC) is free.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=60)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("meter", "currency", "wallet", "starts_at"), name="wallets_meter_price_start",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=("meter", "currency", "wallet"), name="wallets_meter_price_one_open", nulls_distinct=False,
                condition=Q(ends_at__isnull=True),
            ),
            models.CheckConstraint(
                name="wallets_meter_price_ends", condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="wallets_meter_price_package",
                condition=Q(model="package", package_size__gt=0) | ~Q(model="package") & Q(package_size__isnull=True),
            ),
            models.CheckConstraint(name="wallets_meter_price_allowance", condition=Q(allowance__gte=0)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.meter} in {self.currency} from {self.starts_at:%Y-%m-%d %H:%M}"


class UsageEventKey(models.Model):
    """That an event was taken: a hash of its source and id, and one of all that it says. Kept longer than the event."""

    key = models.UUIDField(primary_key=True)
    content = models.UUIDField()
    received_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [BrinIndex("received_at", name="wallets_usage_key_received")]


class UsageEvent(models.Model):
    """One event as it came; append-only. A day of receipt (UTC) is a partition, dropped whole."""

    key = models.UUIDField(primary_key=True)
    wallet = models.ForeignKey(Wallet, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    meter = models.ForeignKey(Meter, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    quantity = models.DecimalField(max_digits=24, decimal_places=9)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    properties = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index("wallet", "occurred_at", name="wallets_usage_event_of_wallet")]


class QuarantinedEvent(models.Model):
    """An event that wasn't taken and may yet be: a person lets it in, or discards it."""

    class State(models.TextChoices):
        OPEN = "open"
        ADMITTED = "admitted"
        DISCARDED = "discarded"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.UUIDField()
    content = models.UUIDField()
    code = models.CharField(max_length=32, help_text="Why it wasn't taken.")
    source = models.CharField(max_length=200)
    event_id = models.CharField(max_length=200)
    wallet = models.UUIDField(help_text="As the event names it: it needn't exist.")
    meter = models.CharField(max_length=64)
    quantity = models.DecimalField(max_digits=24, decimal_places=9)
    occurred_at = models.DateTimeField()
    properties = models.JSONField(default=dict)
    sent_by = models.CharField(max_length=60)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    decided_by = models.CharField(max_length=60, blank=True, default="")
    decided_because = models.CharField(max_length=500, blank=True, default="")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        permissions: ClassVar = [("decide_quarantined", "Can say what becomes of events that weren't taken")]
        constraints: ClassVar = [models.UniqueConstraint("key", "content", name="wallets_quarantined_once")]
        indexes: ClassVar = [models.Index("id", name="wallets_quarantined_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.event_id} of {self.source}"


class UsageRollup(models.Model):
    """What came together in a minute, or once that is long ago in an hour or a day, by when it occurred (UTC)."""

    class Grain(models.IntegerChoices):
        MINUTE = 60
        HOUR = 3_600
        DAY = 86_400

    pk = models.CompositePrimaryKey("wallet_id", "at", "meter_id", "price_id", "grain")
    wallet = models.ForeignKey(Wallet, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    at = models.DateTimeField()
    meter = models.ForeignKey(Meter, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    price = models.ForeignKey(MeterPrice, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    grain = models.IntegerField(choices=Grain)
    quantity = quantity_field()
    events = models.BigIntegerField()
    latest_at = models.DateTimeField(help_text="When the latest event occurred.")

    class Meta:
        indexes: ClassVar = [BrinIndex("at", name="wallets_usage_rollup_at", pages_per_range=32)]


class UsageValue(models.Model):
    """That a property had a value in a month: what a meter of different values counts."""

    pk = models.CompositePrimaryKey("wallet_id", "meter_id", "month", "value")
    wallet = models.ForeignKey(Wallet, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    meter = models.ForeignKey(Meter, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    month = models.DateField()
    value = models.UUIDField(help_text="A hash of it.")
    first_at = models.DateTimeField(help_text="When it occurred first.")


class UsageMonth(models.Model):
    """What a wallet used of a meter under a price in a calendar month (UTC), what that costs, and how much of it is
    settled. Late events move it; a month is never closed.
    """

    pk = models.CompositePrimaryKey("wallet_id", "month", "meter_id", "price_id")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()
    meter = models.ForeignKey(Meter, models.PROTECT, related_name="+", db_index=False)
    price = models.ForeignKey(MeterPrice, models.PROTECT, related_name="+", db_index=False)
    quantity = quantity_field()
    events = models.BigIntegerField()
    latest_at = models.DateTimeField(help_text="When the latest event occurred.")
    amount = amount_field()
    settled_quantity = quantity_field(default=0)
    settled_amount = amount_field(default=0)


class UsageAccount(models.Model):
    """A wallet's usage in one row: all that was ever rated, and what of it was posted. The rest is unsettled.

    The row is the queue of settlement: `settle_at` says when a worker shall look at it.
    """

    class Overage(models.TextChoices):
        STOP = "stop", "Wait for money; nothing is allowed meanwhile"
        OVERDRAFT = "overdraft", "Overdraw the wallet to its credit limit"
        BILL = "bill", "Bill what the wallet can't cover"

    wallet = models.OneToOneField(Wallet, models.PROTECT, primary_key=True, related_name="usage")
    rated = amount_field(default=0)
    posted = models.BigIntegerField(default=0, help_text="What settlements came to, in minor units.")
    version = models.BigIntegerField(default=0, help_text="Counts the changes.")
    revised = models.BigIntegerField(default=0, help_text="The version that last changed minutes gone by.")
    opened_at = models.DateTimeField()
    watermark = models.DateTimeField(help_text="When events were last taken.")
    overage = models.CharField(max_length=9, choices=Overage)
    low_mark = models.BigIntegerField(default=0, help_text="Below it usage is settled at once, in minor units.")
    settle_at = models.DateTimeField(null=True)
    tries = models.SmallIntegerField(default=0, help_text="How often the wallet couldn't cover it since it last did.")

    class Meta:
        indexes: ClassVar = [
            models.Index("settle_at", name="wallets_usage_account_due", condition=Q(settle_at__isnull=False))
        ]

    def __str__(self) -> str:
        return str(self.wallet_id)


class UsageSettlement(models.Model):
    """One posting of usage: `amount` minor units, of which `billed` weren't taken from the wallet. Negative gives back.

    `lines` say what it was for. Append-only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    billed = models.BigIntegerField(default=0)
    unsettled = amount_field(help_text="What is left, and carried on.")
    lines = models.JSONField()
    reason = models.CharField(max_length=500, blank=True, default="", help_text="Why, where it is a correction.")
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    made_by = models.CharField(max_length=60)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(name="wallets_settlement_amount", condition=~Q(amount=0))]
        indexes: ClassVar = [models.Index("wallet", "id", name="wallets_settlement_newest")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} at {self.made_at:%Y-%m-%d %H:%M:%S}"


class UsageReservation(models.Model):
    """Money held for usage that is about to happen."""

    class Status(models.TextChoices):
        OPEN = "open"
        CAPTURED = "captured"
        RELEASED = "released"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    hold = models.ForeignKey("ledger.Hold", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    amount = models.BigIntegerField(help_text="In minor units.")
    currency = models.CharField(max_length=3)
    meter = models.ForeignKey(Meter, models.PROTECT, null=True, related_name="+", db_index=False)
    quantity = quantity_field(null=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    captured = models.BigIntegerField(default=0)
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    expires_at = models.DateTimeField()
    created_by = models.CharField(max_length=60)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_usage_reservation_captured", condition=Q(captured__gte=0, captured__lte=F("amount"))
            ),
        ]
        indexes: ClassVar = [models.Index("wallet", "id", name="wallets_reservation_newest")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} until {self.expires_at:%Y-%m-%d %H:%M:%S}"


class UsageRecalculation(models.Model):
    """Months counted again from raw events, wallet by wallet: how far it is, and how much differed."""

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    only = models.ForeignKey(Wallet, models.PROTECT, null=True, related_name="+", help_text="Null: all wallets.")
    since = models.DateField(help_text="The first month.")
    until = models.DateField(help_text="The last month.")
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    reached = models.UUIDField(null=True, help_text="The last wallet that is done.")
    wallets_total = models.BigIntegerField()
    wallets_done = models.BigIntegerField(default=0)
    events = models.BigIntegerField(default=0)
    differences = models.BigIntegerField(default=0)
    started_by = models.CharField(max_length=60)
    started_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, help_text="When a worker shall go on with it; null once it has ended.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        permissions: ClassVar = [("run_usage_recalculation", "Can have usage counted again from raw events")]
        indexes: ClassVar = [
            models.Index("next_at", name="wallets_recalculation_due", condition=Q(next_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m} to {self.until:%Y-%m}"


class UsageDifference(models.Model):
    """A month whose raw events come to something else than what stands there. It is repaired by a posting, or left."""

    class State(models.TextChoices):
        OPEN = "open"
        REPAIRED = "repaired"
        DISMISSED = "dismissed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recalculation = models.ForeignKey(UsageRecalculation, models.PROTECT, related_name="found")
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    month = models.DateField()
    meter = models.ForeignKey(Meter, models.PROTECT, related_name="+", db_index=False)
    price = models.ForeignKey(MeterPrice, models.PROTECT, related_name="+", db_index=False)
    quantity = quantity_field(help_text="What stands there.")
    amount = amount_field()
    counted_quantity = quantity_field(help_text="What the raw events come to.")
    counted_amount = amount_field()
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    settlement = models.ForeignKey(UsageSettlement, models.PROTECT, null=True, related_name="+", db_index=False)
    decided_by = models.CharField(max_length=60, blank=True, default="")
    decided_because = models.CharField(max_length=500, blank=True, default="")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index("wallet", "id", name="wallets_difference_open", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id} in {self.month:%Y-%m}"


class UsageImport(models.Model):
    """How far a file of events was read, so that an import which was interrupted goes on from there."""

    digest = models.CharField(primary_key=True, max_length=64, help_text="SHA-256 of its size and first megabyte.")
    file_name = models.CharField(max_length=255)
    offset = models.BigIntegerField(default=0, help_text="Bytes of the file that are done.")
    outcomes = models.JSONField(default=dict, help_text="How many events were taken, and how many weren't.")
    started_at = models.DateTimeField()
    moved_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.file_name
