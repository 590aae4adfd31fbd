"""Reconciliation of what providers state with our books. All tables are new: nothing waits for a lock."""

from typing import Any

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER wallets_breaknote_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON wallets_breaknote
    FOR EACH STATEMENT EXECUTE FUNCTION wallets_refuse_change();
"""
CHANGEABLE = "DROP TRIGGER wallets_breaknote_append_only ON wallets_breaknote"

# How most providers' statements are matched, until somebody writes it otherwise.
RULES = (
    {"position": 10, "name": "Reference and amount", "kind": "pair", "days": 5},
    {"position": 20, "name": "Shared reference, sums agree", "kind": "group", "days": 10},
    {"position": 30, "name": "Reference, less the stated fee", "kind": "pair", "days": 5, "stated_fee": True},
    {"position": 40, "name": "Shared reference, less the stated fees", "kind": "group", "days": 10, "stated_fee": True},
    {"position": 50, "name": "Amount and day", "kind": "amount", "days": 2},
)
# For those who may choose what their columns are called.
STANDARD = ("date", "amount", "reference", "description", "external_id")


def write_defaults(apps: Any, editor: Any) -> None:
    """The rules and the mapping that every installation begins with."""
    rules, mappings = (
        apps.get_model("wallets", name).objects.using(editor.connection.alias)
        for name in ("MatchRule", "ColumnMapping")
    )
    for rule in RULES:
        rules.create(**rule)
    mappings.create(name="standard", columns={name: name for name in STANDARD})


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0005_no_prefix_indexes"),
        ("wallets", "0014_found_by_provider_ids"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Break",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("missing_here", "Missing here: only the statement has it"),
                            ("missing_there", "Missing there: only our books have it"),
                            ("amount", "The amounts differ"),
                            ("date", "The days are too far apart"),
                            ("duplicate", "One of two that look the same is too many"),
                            ("status", "One side says that it was paid, the other that it wasn’t"),
                        ],
                        max_length=13,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("resolved", "Resolved")], default="open", max_length=8
                    ),
                ),
                ("lines", models.IntegerField(help_text="How many lines of statements it is about.")),
                ("items", models.IntegerField(help_text="How many transactions of ours it is about.")),
                ("theirs", models.BigIntegerField(help_text="What the lines sum to.")),
                ("ours", models.BigIntegerField(help_text="What the transactions sum to.")),
                ("first_on", models.DateField(help_text="The earliest day among them: its age counts from here.")),
                ("opened_at", models.DateTimeField()),
                (
                    "resolution",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("matched", "A later statement or posting explains it"),
                            ("posting", "A posting that two people stand for"),
                            ("note", "Accepted, with a reason"),
                            ("merged", "It is part of another break"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("resolved_at", models.DateTimeField(blank=True, null=True)),
                ("resolved_by", models.CharField(blank=True, default="", max_length=60)),
                (
                    "requested_by",
                    models.CharField(blank=True, default="", help_text="Who asked for the posting.", max_length=60),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=255)),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallets.break",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.transaction",
                    ),
                ),
            ],
            options={
                "permissions": [("resolve_break", "Can resolve breaks of a reconciliation")],
            },
        ),
        migrations.CreateModel(
            name="BreakNote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("author", models.CharField(max_length=60)),
                ("text", models.CharField(max_length=1000)),
                ("at", models.DateTimeField()),
                (
                    "of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="notes", to="wallets.break"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ColumnMapping",
            fields=[
                ("name", models.CharField(max_length=60, primary_key=True, serialize=False)),
                (
                    "columns",
                    models.JSONField(help_text='Such as {"date": "Date", "amount": "Amount", "reference": "Ref"}.'),
                ),
                (
                    "headings",
                    models.BooleanField(
                        default=True, help_text="Whether a row names the columns; else they are numbers."
                    ),
                ),
                (
                    "skip_rows",
                    models.SmallIntegerField(
                        default=0, help_text="Rows before the headings, or before the first line."
                    ),
                ),
                (
                    "date_formats",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40),
                        blank=True,
                        default=list,
                        help_text="In Python’s strptime letters, tried in order. Empty: ISO 8601.",
                        size=None,
                    ),
                ),
                (
                    "decimal",
                    models.CharField(
                        choices=[(".", "Point: 1,234.50"), (",", "Comma: 1.234,50")], default=".", max_length=1
                    ),
                ),
                ("negate", models.BooleanField(default=False, help_text="A positive amount left the provider.")),
                (
                    "fee_beside",
                    models.BooleanField(
                        default=False, help_text="The amount is gross: the fee is taken off beside it."
                    ),
                ),
                (
                    "skip_undated",
                    models.BooleanField(default=False, help_text="Pass over rows without a date, such as totals."),
                ),
                (
                    "statuses",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="What the file’s own words mean: booked, pending, failed or reversed.",
                    ),
                ),
                (
                    "delimiter",
                    models.CharField(blank=True, default="", help_text="Empty: found by looking.", max_length=1),
                ),
                (
                    "encoding",
                    models.CharField(blank=True, default="", help_text="Empty: found by looking.", max_length=20),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("decimal__in", (".", ","))), name="wallets_mapping_decimal"
                    ),
                    models.CheckConstraint(condition=models.Q(("skip_rows__gte", 0)), name="wallets_mapping_skip"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MatchRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("position", models.SmallIntegerField(help_text="The rules are tried from the lowest on.")),
                ("name", models.CharField(max_length=60)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("pair", "One and one that share a name"),
                            ("group", "Several that share a name, by their sums"),
                            ("amount", "Amount and day, for lines that name nothing"),
                        ],
                        max_length=6,
                    ),
                ),
                ("provider", models.CharField(blank=True, default="", help_text="Empty: any provider.", max_length=32)),
                ("currency", models.CharField(blank=True, default="", help_text="Empty: any currency.", max_length=3)),
                ("days", models.SmallIntegerField(default=5, help_text="How many days may lie between the two.")),
                (
                    "stated_fee",
                    models.BooleanField(default=False, help_text="The difference may be the fee that the line states."),
                ),
                (
                    "tolerance",
                    models.BigIntegerField(default=0, help_text="How much the sums may differ, in minor units."),
                ),
                (
                    "basis_points",
                    models.IntegerField(default=0, help_text="And how much more, in hundredths of a per cent of ours."),
                ),
                ("active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["position", "name"],
                "constraints": [
                    models.UniqueConstraint(models.F("position"), models.F("name"), name="wallets_match_rule_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("basis_points__range", (0, 10000)),
                            ("days__range", (0, 60)),
                            ("tolerance__range", (0, 1000000000000)),
                        ),
                        name="wallets_match_rule_range",
                        violation_error_message="Days are from 0 to 60, the tolerance from 0 to 10^12, and 10,000 basis points are the whole amount.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ("pair", "group", "amount"))), name="wallets_match_rule_kind"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconciledAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("provider", models.CharField(max_length=32)),
                ("currency", models.CharField(max_length=3)),
                ("since", models.DateField(blank=True, help_text="The first day that a statement covers.", null=True)),
                (
                    "grace_days",
                    models.SmallIntegerField(
                        default=3,
                        help_text="How many days of statements must pass before what is only ours is a break.",
                    ),
                ),
                (
                    "external_account",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="The account that its statements name; others are refused.",
                        max_length=64,
                    ),
                ),
                (
                    "versions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, editable=False, size=None
                    ),
                ),
                ("total", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("provider"), models.F("currency"), name="wallets_reconciled_account_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("grace_days__range", (0, 365))), name="wallets_reconciled_grace"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Match",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("rule", models.CharField(max_length=60)),
                ("lines", models.IntegerField()),
                ("items", models.IntegerField()),
                ("theirs", models.BigIntegerField()),
                ("ours", models.BigIntegerField()),
                ("difference", models.BigIntegerField()),
                ("first_on", models.DateField()),
                ("last_on", models.DateField()),
                ("made_by", models.CharField(max_length=60)),
                ("made_because", models.CharField(blank=True, default="", max_length=255)),
                ("made_at", models.DateTimeField()),
                ("undone_by", models.CharField(blank=True, default="", max_length=60)),
                ("undone_because", models.CharField(blank=True, default="", max_length=255)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="matches",
                        to="wallets.reconciledaccount",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "matches",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "difference",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("ours"), "-", models.F("theirs")
                                ),
                            ),
                            ("first_on__lte", models.F("last_on")),
                        ),
                        name="wallets_match_sums",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("lines__gt", 0), ("items__gt", 0), _connector="OR"),
                        name="wallets_match_sides",
                    ),
                ],
                "indexes": [
                    models.Index(
                        models.F("account"),
                        models.F("last_on"),
                        condition=models.Q(("undone_at__isnull", True)),
                        name="wallets_match_in_transit",
                    ),
                    models.Index(
                        models.F("account"),
                        models.F("id"),
                        condition=models.Q(("undone_at__isnull", True), models.Q(("difference", 0), _negated=True)),
                        name="wallets_match_differs",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="break",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="breaks",
                to="wallets.reconciledaccount",
            ),
        ),
        migrations.CreateModel(
            name="BooksItem",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("effective_on", models.DateField()),
                ("kind", models.CharField(max_length=32)),
                ("reference", models.CharField(max_length=200)),
                ("external_reference", models.CharField(blank=True, default="", max_length=255)),
                ("reverses", models.UUIDField(blank=True, null=True)),
                (
                    "names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=255), default=list, size=None
                    ),
                ),
                (
                    "by_hand",
                    models.BooleanField(
                        default=False, help_text="Somebody has undone its match: no rule touches it again."
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.transaction",
                    ),
                ),
                (
                    "found",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="The newest break that it is part of.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ours_of",
                        to="wallets.break",
                    ),
                ),
                (
                    "match",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ours_of",
                        to="wallets.match",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="wallets.reconciledaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("account"), models.F("transaction"), name="wallets_books_item_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="wallets_books_item_amount"
                    ),
                ],
                "indexes": [
                    models.Index(models.F("account"), models.F("effective_on"), name="wallets_item_days"),
                    models.Index(
                        models.F("account"),
                        models.F("effective_on"),
                        condition=models.Q(("match__isnull", True)),
                        name="wallets_item_open",
                    ),
                    models.Index(
                        models.F("account"),
                        models.F("external_reference"),
                        condition=models.Q(("external_reference", ""), _negated=True),
                        name="wallets_item_reference",
                    ),
                    models.Index(
                        models.F("match"), condition=models.Q(("match__isnull", False)), name="wallets_item_match"
                    ),
                    models.Index(
                        models.F("found"), condition=models.Q(("found__isnull", False)), name="wallets_item_found"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reconciliation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("since", models.DateField(blank=True, null=True)),
                ("until", models.DateField()),
                ("lines", models.IntegerField(help_text="Lines that were open when it began.")),
                ("items", models.IntegerField(help_text="Transactions of ours that were open when it began.")),
                ("matched_lines", models.IntegerField()),
                ("matched_items", models.IntegerField()),
                (
                    "outcomes",
                    models.JSONField(
                        help_text="For each rule: how many matches, lines and items, and their difference."
                    ),
                ),
                ("breaks", models.JSONField(help_text="The open breaks by kind: how many, and their sums.")),
                ("opened", models.IntegerField(help_text="Breaks that it found for the first time.")),
                ("resolved", models.IntegerField(help_text="Breaks that are explained now.")),
                ("ledger_balance", models.BigIntegerField()),
                (
                    "statement_balance",
                    models.BigIntegerField(blank=True, help_text="None where no statement has one.", null=True),
                ),
                ("open_here", models.BigIntegerField(help_text="The sum of our transactions that no line explains.")),
                ("open_there", models.BigIntegerField(help_text="The sum of the lines that no transaction explains.")),
                ("in_transit", models.BigIntegerField(help_text="What was matched over the end of the period.")),
                ("accepted", models.BigIntegerField(help_text="Differences that rules tolerated or people accepted.")),
                ("unexplained", models.BigIntegerField(blank=True, null=True)),
                ("made_by", models.CharField(max_length=60)),
                ("made_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="runs",
                        to="wallets.reconciledaccount",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("statement_balance__isnull", True), ("unexplained__isnull", True)),
                            (
                                "ledger_balance",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    models.F("statement_balance"), "+", models.F("open_here")
                                                ),
                                                "-",
                                                models.F("open_there"),
                                            ),
                                            "+",
                                            models.F("in_transit"),
                                        ),
                                        "+",
                                        models.F("accepted"),
                                    ),
                                    "+",
                                    models.F("unexplained"),
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="wallets_reconciliation_identity",
                    ),
                ],
                "indexes": [
                    models.Index(models.F("account"), models.F("id"), name="wallets_reconciliation_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("digest", models.BinaryField(help_text="SHA-256 of the file.")),
                ("file_name", models.CharField(max_length=255)),
                ("format", models.CharField(max_length=8)),
                ("mapping", models.CharField(blank=True, default="", max_length=60)),
                ("first_on", models.DateField()),
                ("last_on", models.DateField()),
                ("opening_balance", models.BigIntegerField(blank=True, null=True)),
                ("closing_balance", models.BigIntegerField(blank=True, null=True)),
                ("lines", models.IntegerField(help_text="How many it has.")),
                ("new_lines", models.IntegerField(help_text="How many of them weren’t known from other statements.")),
                ("imported_by", models.CharField(max_length=60)),
                ("imported_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="wallets.reconciledaccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "provider statement",
                "constraints": [
                    models.UniqueConstraint(models.F("account"), models.F("digest"), name="wallets_statement_once"),
                    models.CheckConstraint(
                        condition=models.Q(("first_on__lte", models.F("last_on"))), name="wallets_statement_days"
                    ),
                ],
                "indexes": [
                    models.Index(models.F("account"), models.F("last_on"), name="wallets_statement_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementLine",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.IntegerField(help_text="Its line in that file.")),
                ("booked_on", models.DateField()),
                ("amount", models.BigIntegerField()),
                ("fee", models.BigIntegerField(default=0, help_text="What they say that they kept of it.")),
                ("reference", models.CharField(blank=True, default="", max_length=200)),
                ("external_id", models.CharField(blank=True, default="", max_length=200)),
                ("batch", models.CharField(blank=True, default="", max_length=200)),
                ("description", models.CharField(blank=True, default="", max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("booked", "Booked"),
                            ("pending", "Pending"),
                            ("failed", "Failed"),
                            ("reversed", "Reversed"),
                        ],
                        default="booked",
                        max_length=8,
                    ),
                ),
                ("identity", models.BinaryField()),
                (
                    "names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), default=list, size=None
                    ),
                ),
                (
                    "by_hand",
                    models.BooleanField(
                        default=False, help_text="Somebody has undone its match: no rule touches it again."
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="wallets.reconciledaccount",
                    ),
                ),
                (
                    "found",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        help_text="The newest break that it is part of.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="told",
                        to="wallets.break",
                    ),
                ),
                (
                    "match",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="told",
                        to="wallets.match",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        db_constraint=False,
                        help_text="The first that told it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="told",
                        to="wallets.statement",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("account"), models.F("identity"), name="wallets_statement_line_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ("booked", "pending", "failed", "reversed"))),
                        name="wallets_statement_line_status",
                    ),
                ],
                "indexes": [
                    models.Index(
                        models.F("account"), models.F("booked_on"), models.F("amount"), name="wallets_line_days"
                    ),
                    models.Index(
                        models.F("account"),
                        models.F("booked_on"),
                        condition=models.Q(("match__isnull", True), ("status", "booked")),
                        name="wallets_line_open",
                    ),
                    models.Index(
                        models.F("account"),
                        models.F("booked_on"),
                        condition=models.Q(("status__in", ("failed", "reversed"))),
                        name="wallets_line_unpaid",
                    ),
                    models.Index(
                        models.F("account"),
                        models.F("reference"),
                        condition=models.Q(("reference", ""), _negated=True),
                        name="wallets_line_reference",
                    ),
                    models.Index(
                        models.F("match"), condition=models.Q(("match__isnull", False)), name="wallets_line_match"
                    ),
                    models.Index(
                        models.F("found"), condition=models.Q(("found__isnull", False)), name="wallets_line_found"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="break",
            index=models.Index(
                models.F("account"), models.F("kind"), condition=models.Q(("state", "open")), name="wallets_break_open"
            ),
        ),
        migrations.AddIndex(
            model_name="break",
            index=models.Index(models.F("account"), models.F("id"), name="wallets_break_of_account"),
        ),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolution", ""), ("resolved_at__isnull", True), ("state", "open")),
                    models.Q(
                        ("resolved_at__isnull", False),
                        ("state", "resolved"),
                        models.Q(("resolution", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="wallets_break_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ("missing_here", "missing_there", "amount", "date", "duplicate", "status"))
                ),
                name="wallets_break_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolution", "posting"), _negated=True),
                    models.Q(
                        ("transaction__isnull", False),
                        models.Q(("requested_by", ""), _negated=True),
                        models.Q(("requested_by", models.F("resolved_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="wallets_break_posting",
            ),
        ),
        migrations.AddConstraint(
            model_name="break",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("resolution", "note"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="wallets_break_note",
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.RunPython(write_defaults, migrations.RunPython.noop),
    ]
