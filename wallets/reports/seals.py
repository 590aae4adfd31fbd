"""The seals of closed days, to be kept where those who run the database can't reach them."""

from collections.abc import Iterator

from ledger.seals.sealing import Head, heads
from wallets.documents.document import Column, Document, Kind, Row, Section
from wallets.reports.report import Parameters, Report, period, stem

COLUMNS = (Column("Day", Kind.DATE), Column("Head"))


def seals(parameters: Parameters) -> Document:
    """The head after each closed day of a period."""
    assert parameters.since and parameters.until
    found = heads(since=parameters.since, until=parameters.until)
    return Document(
        title="Seals", stem=stem("seals", parameters), head=(("Period", period(parameters)),),
        lines=("Heads of the seals",), period=period(parameters),
        sections=[Section(COLUMNS, lambda: _rows(found), "", 0, empty="No day of this period is sealed.")],
    )  # fmt: skip


def _rows(found: list[Head]) -> Iterator[Row]:
    yield from (Row((head.day, str(head))) for head in found)


SEALS = Report(
    "seals", "Seals", "The head after each closed day, with which anybody can tell whether history was changed.",
    ("since", "until"), seals, may=(),
)  # fmt: skip
