"""The one door to a statement's bytes, in whichever of the formats."""

from dataclasses import replace
from pathlib import PurePath
from typing import Literal, get_args

from wallets.reconciliation.formats import columns, from_camt053, from_csv, from_mt940, from_xlsx
from wallets.reconciliation.formats.columns import Columns
from wallets.reconciliation.formats.lines import File, StatementRefused, check

Format = Literal["csv", "xlsx", "mt940", "camt053"]
FORMATS: tuple[str, ...] = get_args(Format)
LARGEST = 200_000_000
SUFFIXES = {".csv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".sta": "mt940", ".mt940": "mt940", ".940": "mt940"}
SUFFIXES |= {".xml": "camt053"}


def format_of(name: str) -> str | None:
    """The format that a file's name tells, or None."""
    return SUFFIXES.get(PurePath(name).suffix.lower())


def read(
    content: bytes, format: str, currency: str, *, by: Columns | None = None, encoding: str = "", delimiter: str = "",
    opening: int | None = None, closing: int | None = None,
) -> File:  # fmt: skip
    """A whole statement for an account of this currency; tables are read by their columns. `opening` and `closing` are
    for files that state no balances. Raises StatementRefused.
    """
    if len(content) > LARGEST:
        raise StatementRefused.at(0, "", f"It has {len(content):,} bytes; at most {LARGEST:,} are taken. Split it.")
    file = _read(content, format, currency, by, encoding, delimiter)
    opening = file.opening if opening is None else opening
    return check(replace(file, opening=opening, closing=file.closing if closing is None else closing), currency)


def _read(content: bytes, format: str, currency: str, by: Columns | None, encoding: str, delimiter: str) -> File:
    match format:
        case "mt940":
            return from_mt940.read(content, currency, encoding=encoding)
        case "camt053":
            return from_camt053.read(content, currency)
        case "csv" if by is not None:
            return columns.read(from_csv.rows(content, encoding=encoding, delimiter=delimiter), by, currency)
        case "xlsx" if by is not None:
            return columns.read(from_xlsx.rows(content), by, currency)
    raise StatementRefused.at(0, "", f"There is no format {format} without a mapping; there are {', '.join(FORMATS)}.")
