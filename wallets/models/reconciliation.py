"""What providers and banks state about our money there, our books beside it, what was matched, and what was not.

Amounts are minor units of the account's currency, on the clearing account's normal side: positive for what came in at
the provider, negative for what left it.
"""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.formats import localize
from uuid_utils.compat import uuid7


class ReconciledAccount(models.Model):
    """A clearing account that statements are held against. Its row is the lock of every import and every run.

    `versions` says how far each lane of the ledger's account was read into `BooksItem`, and `total` what they sum to.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    since = models.DateField(null=True, blank=True, help_text="The first day that a statement covers.")
    grace_days = models.SmallIntegerField(
        default=3, help_text="How many days of statements must pass before what is only ours is a break."
    )
    external_account = models.CharField(
        max_length=64, blank=True, default="", help_text="The account that its statements name; others are refused."
    )
    versions = ArrayField(models.BigIntegerField(), default=list, editable=False)
    total = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("provider", "currency", name="wallets_reconciled_account_once"),
            models.CheckConstraint(name="wallets_reconciled_grace", condition=Q(grace_days__range=(0, 365))),
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.currency}"


class ColumnMapping(models.Model):
    """Which column of a CSV or XLSX file says what, and how its dates and amounts are written. Staff write these.

    `columns` maps our names (date, amount or debit and credit, currency, reference, description, external_id, batch,
    status, fee, balance) to the file's headings, or to numbers from 1 where it has no headings.
    """

    name = models.CharField(primary_key=True, max_length=60)
    columns = models.JSONField(help_text='Such as {"date": "Date", "amount": "Amount", "reference": "Ref"}.')
    headings = models.BooleanField(default=True, help_text="Whether a row names the columns; else they are numbers.")
    skip_rows = models.SmallIntegerField(default=0, help_text="Rows before the headings, or before the first line.")
    date_formats = ArrayField(
        models.CharField(max_length=40), default=list, blank=True,
        help_text="In Python’s strptime letters, tried in order. Empty: ISO 8601.",
    )  # fmt: skip
    decimal = models.CharField(max_length=1, default=".", choices=[(".", "Point: 1,234.50"), (",", "Comma: 1.234,50")])
    negate = models.BooleanField(default=False, help_text="A positive amount left the provider.")
    fee_beside = models.BooleanField(default=False, help_text="The amount is gross: the fee is taken off beside it.")
    skip_undated = models.BooleanField(default=False, help_text="Pass over rows without a date, such as totals.")
    statuses = models.JSONField(
        default=dict, blank=True, help_text="What the file’s own words mean: booked, pending, failed or reversed."
    )
    delimiter = models.CharField(max_length=1, blank=True, default="", help_text="Empty: found by looking.")
    encoding = models.CharField(max_length=20, blank=True, default="", help_text="Empty: found by looking.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="wallets_mapping_decimal", condition=Q(decimal__in=(".", ","))),
            models.CheckConstraint(name="wallets_mapping_skip", condition=Q(skip_rows__gte=0)),
        ]

    def __str__(self) -> str:
        return self.name


class Statement(models.Model):
    """A file that was imported, whole. The same bytes are imported once for an account."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(ReconciledAccount, models.PROTECT, related_name="statements", db_index=False)
    digest = models.BinaryField(help_text="SHA-256 of the file.")
    file_name = models.CharField(max_length=255)
    format = models.CharField(max_length=8)
    mapping = models.CharField(max_length=60, blank=True, default="")
    first_on = models.DateField()
    last_on = models.DateField()
    opening_balance = models.BigIntegerField(null=True, blank=True)
    closing_balance = models.BigIntegerField(null=True, blank=True)
    lines = models.IntegerField(help_text="How many it has.")
    new_lines = models.IntegerField(help_text="How many of them weren’t known from other statements.")
    imported_by = models.CharField(max_length=60)
    imported_at = models.DateTimeField()

    class Meta:
        verbose_name = "provider statement"
        constraints: ClassVar = [
            models.UniqueConstraint("account", "digest", name="wallets_statement_once"),
            models.CheckConstraint(name="wallets_statement_days", condition=Q(first_on__lte=F("last_on"))),
        ]
        indexes: ClassVar = [models.Index("account", "last_on", name="wallets_statement_newest")]

    def __str__(self) -> str:
        return self.file_name


class Match(models.Model):
    """Lines of statements and transactions of ours that explain each other: one and one, or several of either side.

    `difference` is ours less theirs: what the rule tolerated, or what a person accepted.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(ReconciledAccount, models.PROTECT, related_name="matches", db_index=False)
    rule = models.CharField(max_length=60)
    lines = models.IntegerField()
    items = models.IntegerField()
    theirs = models.BigIntegerField()
    ours = models.BigIntegerField()
    difference = models.BigIntegerField()
    first_on = models.DateField()
    last_on = models.DateField()
    made_by = models.CharField(max_length=60)
    made_because = models.CharField(max_length=255, blank=True, default="")
    made_at = models.DateTimeField()
    undone_by = models.CharField(max_length=60, blank=True, default="")
    undone_because = models.CharField(max_length=255, blank=True, default="")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "matches"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_match_sums", condition=Q(difference=F("ours") - F("theirs"), first_on__lte=F("last_on"))
            ),
            models.CheckConstraint(name="wallets_match_sides", condition=Q(lines__gt=0) | Q(items__gt=0)),
        ]
        indexes: ClassVar = [
            models.Index("account", "last_on", name="wallets_match_in_transit", condition=Q(undone_at__isnull=True)),
            models.Index(
                "account", "id", name="wallets_match_differs",
                condition=Q(undone_at__isnull=True) & ~Q(difference=0),
            ),
            models.Index("account", "id", name="wallets_match_of_account"),
            models.Index("id", name="wallets_match_undone", condition=Q(undone_at__isnull=False)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.lines} of theirs, {self.items} of ours"


class Break(models.Model):
    """What doesn't match, on somebody's list. It stays the same break from run to run, until it is resolved."""

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", "Missing here: only the statement has it"
        MISSING_THERE = "missing_there", "Missing there: only our books have it"
        AMOUNT = "amount", "The amounts differ"
        DATE = "date", "The days are too far apart"
        DUPLICATE = "duplicate", "One of two that look the same is too many"
        STATUS = "status", "One side says that it was paid, the other that it wasn’t"

    class State(models.TextChoices):
        OPEN = "open"
        RESOLVED = "resolved"

    class Resolution(models.TextChoices):
        MATCHED = "matched", "A later statement or posting explains it"
        POSTING = "posting", "A posting that two people stand for"
        NOTE = "note", "Accepted, with a reason"
        MERGED = "merged", "It is part of another break"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(ReconciledAccount, models.PROTECT, related_name="breaks", db_index=False)
    kind = models.CharField(max_length=13, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    lines = models.IntegerField(help_text="How many lines of statements it is about.")
    items = models.IntegerField(help_text="How many transactions of ours it is about.")
    theirs = models.BigIntegerField(help_text="What the lines sum to.")
    ours = models.BigIntegerField(help_text="What the transactions sum to.")
    first_on = models.DateField(help_text="The earliest day among them: its age counts from here.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField()
    resolution = models.CharField(max_length=8, blank=True, default="", choices=Resolution)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=60, blank=True, default="")
    requested_by = models.CharField(max_length=60, blank=True, default="", help_text="Who asked for the posting.")
    reason = models.CharField(max_length=255, blank=True, default="")
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+", db_index=False)

    class Meta:
        permissions: ClassVar = [
            ("reconcile", "Can import statements, match them, and look after breaks"),
            ("set_reconciliation", "Can change matching rules and column mappings"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_break_state",
                condition=Q(state="open", resolved_at__isnull=True, resolution="")
                | (Q(state="resolved", resolved_at__isnull=False) & ~Q(resolution="")),
            ),
            models.CheckConstraint(
                name="wallets_break_kind",
                condition=Q(kind__in=("missing_here", "missing_there", "amount", "date", "duplicate", "status")),
            ),
            models.CheckConstraint(
                name="wallets_break_posting",
                condition=~Q(resolution="posting")
                | (Q(transaction__isnull=False) & ~Q(requested_by="") & ~Q(requested_by=F("resolved_by"))),
            ),
            models.CheckConstraint(name="wallets_break_note", condition=~Q(resolution="note") | ~Q(reason="")),
        ]
        indexes: ClassVar = [
            models.Index("account", "kind", name="wallets_break_open", condition=Q(state="open")),
            models.Index("account", "id", name="wallets_break_of_account"),
            models.Index("first_on", "id", name="wallets_break_oldest"),
            models.Index("first_on", "id", name="wallets_break_oldest_open", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {localize(self.first_on)}"


class BreakNote(models.Model):
    """What somebody found out about a break. Append-only: a trigger refuses everything but INSERT."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    of = models.ForeignKey(Break, models.PROTECT, related_name="notes")
    author = models.CharField(max_length=60)
    text = models.CharField(max_length=1000)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.text


class StatementLine(models.Model):
    """A movement that a statement tells of, counted once however many statements tell of it: `identity` is unique.

    Only what is booked moved money. `names` are all the words by which a transaction of ours may be recognised. There
    are no foreign keys to the database's mind: they would cost a third of an import, and nobody may delete what they
    point to.
    """

    class Status(models.TextChoices):
        BOOKED = "booked"
        PENDING = "pending"
        FAILED = "failed"
        REVERSED = "reversed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        ReconciledAccount, models.PROTECT, related_name="lines", db_index=False, db_constraint=False
    )
    statement = models.ForeignKey(
        Statement, models.PROTECT, related_name="told", db_constraint=False, help_text="The first that told it."
    )
    number = models.IntegerField(help_text="Its line in that file.")
    booked_on = models.DateField()
    amount = models.BigIntegerField()
    fee = models.BigIntegerField(default=0, help_text="What they say that they kept of it.")
    reference = models.CharField(max_length=200, blank=True, default="")
    external_id = models.CharField(max_length=200, blank=True, default="")
    batch = models.CharField(max_length=200, blank=True, default="")
    description = models.CharField(max_length=500, blank=True, default="")
    status = models.CharField(max_length=8, choices=Status, default=Status.BOOKED)
    identity = models.BinaryField()
    names = ArrayField(models.CharField(max_length=200), default=list)
    match = models.ForeignKey(Match, models.PROTECT, null=True, blank=True, related_name="told", db_constraint=False)
    found = models.ForeignKey(
        Break, models.PROTECT, null=True, blank=True, related_name="told", db_index=False, db_constraint=False,
        help_text="The newest break that it is part of.",
    )  # fmt: skip
    by_hand = models.BooleanField(default=False, help_text="Somebody has undone its match: no rule touches it again.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("account", "identity", name="wallets_statement_line_once"),
            models.CheckConstraint(
                name="wallets_statement_line_status",
                condition=Q(status__in=("booked", "pending", "failed", "reversed")),
            ),
        ]
        indexes: ClassVar = [
            models.Index("account", "booked_on", "amount", name="wallets_line_days"),
            models.Index(
                "account", "booked_on", name="wallets_line_open", condition=Q(match__isnull=True, status="booked")
            ),
            models.Index(
                "account", "booked_on", name="wallets_line_unpaid", condition=Q(status__in=("failed", "reversed"))
            ),
            models.Index("account", "reference", name="wallets_line_reference", condition=~Q(reference="")),
            models.Index("match", name="wallets_line_match", condition=Q(match__isnull=False)),
            models.Index("found", name="wallets_line_found", condition=Q(found__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.reference or self.external_id or self.description or 'A line'}, {localize(self.booked_on)}"


class BooksItem(models.Model):
    """A transaction of ours as far as it touched the clearing account: all of its entries there, as one amount.

    No foreign keys to the database's mind here either.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(
        ReconciledAccount, models.PROTECT, related_name="items", db_index=False, db_constraint=False
    )
    transaction = models.ForeignKey(
        "ledger.Transaction", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount = models.BigIntegerField()
    effective_on = models.DateField()
    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=200)
    external_reference = models.CharField(max_length=255, blank=True, default="")
    reverses = models.UUIDField(null=True, blank=True)
    names = ArrayField(models.CharField(max_length=255), default=list)
    match = models.ForeignKey(Match, models.PROTECT, null=True, blank=True, related_name="ours_of", db_constraint=False)
    found = models.ForeignKey(
        Break, models.PROTECT, null=True, blank=True, related_name="ours_of", db_index=False, db_constraint=False,
        help_text="The newest break that it is part of.",
    )  # fmt: skip
    by_hand = models.BooleanField(default=False, help_text="Somebody has undone its match: no rule touches it again.")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("account", "transaction", name="wallets_books_item_once"),
            models.CheckConstraint(name="wallets_books_item_amount", condition=~Q(amount=0)),
        ]
        indexes: ClassVar = [
            models.Index("account", "effective_on", name="wallets_item_days"),
            models.Index("account", "effective_on", name="wallets_item_open", condition=Q(match__isnull=True)),
            models.Index(
                "account", "external_reference", name="wallets_item_reference", condition=~Q(external_reference="")
            ),
            models.Index("match", name="wallets_item_match", condition=Q(match__isnull=False)),
            models.Index("found", name="wallets_item_found", condition=Q(found__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.reference


class MatchRule(models.Model):
    """How lines and transactions are recognised as the same. The rules are tried in order; staff write them."""

    class Kind(models.TextChoices):
        PAIR = "pair", "One and one that share a name"
        GROUP = "group", "Several that share a name, by their sums"
        AMOUNT = "amount", "Amount and day, for lines that name nothing"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    position = models.SmallIntegerField(help_text="The rules are tried from the lowest on.")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=6, choices=Kind)
    provider = models.CharField(max_length=32, blank=True, default="", help_text="Empty: any provider.")
    currency = models.CharField(max_length=3, blank=True, default="", help_text="Empty: any currency.")
    days = models.SmallIntegerField(default=5, help_text="How many days may lie between the two.")
    stated_fee = models.BooleanField(default=False, help_text="The difference may be the fee that the line states.")
    tolerance = models.BigIntegerField(default=0, help_text="How much the sums may differ, in minor units.")
    basis_points = models.IntegerField(default=0, help_text="And how much more, in hundredths of a per cent of ours.")
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "matching rule"
        ordering: ClassVar = ["position", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint("position", "name", name="wallets_match_rule_once"),
            models.CheckConstraint(
                name="wallets_match_rule_range",
                condition=Q(days__range=(0, 60), tolerance__range=(0, 10**12), basis_points__range=(0, 10_000)),
                violation_error_message="Days are from 0 to 60, the tolerance from 0 to 10^12, and 10,000 basis points"
                " are the whole amount.",
            ),
            models.CheckConstraint(name="wallets_match_rule_kind", condition=Q(kind__in=("pair", "group", "amount"))),
        ]

    def __str__(self) -> str:
        return self.name


class Reconciliation(models.Model):
    """One run: what it matched, what it left open, and how the difference of the balances is explained.

    ledger_balance − statement_balance = open_here − open_there + in_transit + accepted + unexplained, as of `until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(ReconciledAccount, models.PROTECT, related_name="runs", db_index=False)
    since = models.DateField(null=True, blank=True)
    until = models.DateField()
    lines = models.IntegerField(help_text="Lines that were open when it began.")
    items = models.IntegerField(help_text="Transactions of ours that were open when it began.")
    matched_lines = models.IntegerField()
    matched_items = models.IntegerField()
    outcomes = models.JSONField(help_text="For each rule: how many matches, lines and items, and their difference.")
    breaks = models.JSONField(help_text="The open breaks by kind: how many, and their sums.")
    opened = models.IntegerField(help_text="Breaks that it found for the first time.")
    resolved = models.IntegerField(help_text="Breaks that are explained now.")
    ledger_balance = models.BigIntegerField()
    statement_balance = models.BigIntegerField(null=True, blank=True, help_text="None where no statement has one.")
    open_here = models.BigIntegerField(help_text="The sum of our transactions that no line explains.")
    open_there = models.BigIntegerField(help_text="The sum of the lines that no transaction explains.")
    in_transit = models.BigIntegerField(help_text="What was matched over the end of the period.")
    accepted = models.BigIntegerField(help_text="Differences that rules tolerated or people accepted.")
    unexplained = models.BigIntegerField(null=True, blank=True)
    made_by = models.CharField(max_length=60)
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="wallets_reconciliation_identity",
                condition=Q(statement_balance__isnull=True, unexplained__isnull=True)
                | Q(
                    ledger_balance=F("statement_balance")
                    + F("open_here")
                    - F("open_there")
                    + F("in_transit")
                    + F("accepted")
                    + F("unexplained")
                ),
            ),
        ]
        indexes: ClassVar = [models.Index("account", "id", name="wallets_reconciliation_newest")]

    def __str__(self) -> str:
        return f"{self.account} through {localize(self.until)}"
