"""Withdrawals that haven't ended, by how long their customers have waited."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from wallets import currencies
from wallets.documents.document import Column, Document, Kind, Row, Section
from wallets.models import Withdrawal
from wallets.reports.report import Parameters, Report, stem

Status = Withdrawal.Status
OPEN = (Status.AWAITING_APPROVAL, Status.PENDING, Status.PROCESSING, Status.IN_REVIEW)
AGES = (
    ("less than an hour", timedelta(hours=1)), ("less than a day", timedelta(days=1)),
    ("less than three days", timedelta(days=3)), ("three days and more", timedelta.max),
)  # fmt: skip
SUMS = (Column("Waiting for"), Column("Withdrawals", Kind.NUMBER), Column("Amount", Kind.MONEY))
LIST = (
    Column("Asked for", Kind.DATE), Column("Withdrawal"), Column("Owner", Kind.NOTE), Column("Bank account", Kind.NOTE),
    Column("Provider", Kind.NOTE), Column("Status"), Column("Hours", Kind.NUMBER), Column("Amount", Kind.MONEY),
)  # fmt: skip


def aged(parameters: Parameters) -> Document:
    """All that is open now, oldest first, for each currency: sums by age, then one by one."""
    now = datetime.now(UTC)
    waiting = Withdrawal.objects.filter(status__in=OPEN)
    if parameters.currency:
        waiting = waiting.filter(currency=parameters.currency)
    found = sorted(set(waiting.values_list("currency", flat=True)))
    sections = [section for currency in found for section in _sections(currency, now)]
    return Document(
        title="Aged withdrawals", stem=stem("aged-withdrawals", parameters),
        head=(("As of", f"{now:%Y-%m-%d %H:%M:%S} UTC"),), lines=(f"As of {now:%Y-%m-%d %H:%M} UTC",),
        sections=sections or [Section(SUMS, lambda: (), "", 0, empty="No withdrawal is open.")],
    )  # fmt: skip


def _sections(currency: str, now: datetime) -> list[Section]:
    exponent = currencies.exponent(currency)
    return [
        Section(SUMS, lambda: _sums(currency, now), currency, exponent, f"{currency} by age"),
        Section(LIST, lambda: _list(currency, now), currency, exponent, f"{currency} one by one"),
    ]


def _sums(currency: str, now: datetime) -> Iterator[Row]:
    counts = {title: [0, 0] for title, _ in AGES}
    rows = Withdrawal.objects.filter(status__in=OPEN, currency=currency).values_list("created_at", "amount")
    for created_at, amount in rows.iterator():
        title = next(title for title, age in AGES if now - created_at < age)
        counts[title][0] += 1
        counts[title][1] += amount
    yield from (Row((title, count, amount)) for title, (count, amount) in counts.items())
    yield Row(("Total", sum(count for count, _ in counts.values()), sum(sums for _, sums in counts.values())), True)


def _list(currency: str, now: datetime) -> Iterator[Row]:
    rows = Withdrawal.objects.filter(status__in=OPEN, currency=currency).select_related("wallet__owner", "bank_account")
    for found in rows.order_by("created_at", "id").iterator(chunk_size=1_000):
        owner = found.wallet.owner.email if found.wallet.owner else ""
        hours = int((now - found.created_at).total_seconds() // 3600)
        yield Row((
            found.created_at, str(found.pk), owner, str(found.bank_account), found.provider,
            found.get_status_display(), hours, found.amount,
        ))  # fmt: skip


AGED = Report(
    "aged-withdrawals", "Aged withdrawals", "What customers wait for, and for how long.", (), aged
)  # fmt: skip
