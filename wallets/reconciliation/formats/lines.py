"""What a statement says, whatever its format: movements in minor units, the balances around them, or why not."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from backoffice.money import format_money

BOOKED, PENDING, FAILED, REVERSED = "booked", "pending", "failed", "reversed"
MOST_LINES = 1_000_000
LONGEST_NAME, LONGEST_DESCRIPTION = 200, 500
# A word of a description that may name a payment of ours: long, and with a digit in it.
_words = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:.-]{8,198}[A-Za-z0-9]").findall
_digit = re.compile(r"[0-9]").search


class Trouble(NamedTuple):
    """What is wrong, where: a line of the file from 1, or 0 for the whole; a column, or nothing; and what to do."""

    line: int
    column: str
    says: str

    def __str__(self) -> str:
        places = [f"line {self.line}"] if self.line else []
        places += [self.column] if self.column else []
        return f"{', '.join(places)}: {self.says}" if places else self.says


class StatementRefused(Exception):
    """The file can't be taken as it is, and nothing of it was; the troubles say where, and what to do."""

    def __init__(self, troubles: Sequence[Trouble]) -> None:
        super().__init__("; ".join(map(str, troubles[:3])))
        self.troubles = list(troubles)

    @classmethod
    def at(cls, line: int, column: str, says: str) -> "StatementRefused":
        """The refusal for a single reason."""
        return cls([Trouble(line, column, says)])


@dataclass(frozen=True, slots=True)
class Line:
    """A movement: positive in minor units for what came in at the provider, negative for what left it.

    Only what is booked moved money. `fee` is what they say that they kept of it.
    """

    number: int
    on: date
    amount: int
    reference: str = ""
    external_id: str = ""
    batch: str = ""
    description: str = ""
    fee: int = 0
    status: str = BOOKED

    @property
    def moved(self) -> int:
        """What it did to the balance there."""
        return self.amount if self.status == BOOKED else 0

    @property
    def names(self) -> list[str]:
        """Every word by which one of our transactions may be recognised, in small letters."""
        told = (self.reference, self.external_id, self.batch)
        found = [word for word in _words(self.description) if _digit(word)]
        return list(dict.fromkeys(name.lower() for name in (*told, *found) if name))


@dataclass(frozen=True, slots=True)
class File:
    """A whole statement. Its balances are None where it states none; `passed_over` counts rows of other currencies,
    of nothing, and totals.
    """

    lines: Sequence[Line]
    opening: int | None = None
    closing: int | None = None
    first_on: date | None = None
    last_on: date | None = None
    external_account: str = ""
    passed_over: int = 0

    def days(self) -> tuple[date, date]:
        """The first and the last day that it covers: as stated, and at least those of its lines."""
        days = [line.on for line in self.lines]
        days += [day for day in (self.first_on, self.last_on) if day is not None]
        return min(days), max(days)


def check(file: File, currency: str) -> File:
    """The file, if it has lines or balances, each line fits, and opening + lines = closing. Raises StatementRefused."""
    if not file.lines and file.last_on is None:
        raise StatementRefused.at(0, "", "There is no line for this account in it; is it the right file?")
    if len(file.lines) > MOST_LINES:
        raise StatementRefused.at(0, "", f"It has more than {MOST_LINES:,} lines; split it by days.")
    troubles = [trouble for line in file.lines for trouble in _misfits(line)]
    if troubles:
        raise StatementRefused(troubles[:20])
    moved = sum(line.moved for line in file.lines)
    if file.opening is not None and file.closing is not None and file.opening + moved != file.closing:
        raise StatementRefused.at(0, "", _unbalanced(file.opening, moved, file.closing, currency))
    return file


def _unbalanced(opening: int, moved: int, closing: int, currency: str) -> str:
    begins, moves, makes, ends = (
        format_money(amount, currency) for amount in (opening, moved, opening + moved, closing)
    )
    return (
        f"It opens with {begins} and its booked lines move {moves}, which makes {makes}; it closes with {ends}."
        " Lines are missing, or the mapping has a sign wrong."
    )


def _misfits(line: Line) -> list[Trouble]:
    names = {"reference": line.reference, "external id": line.external_id, "batch": line.batch}
    troubles = [
        Trouble(line.number, name, f"It has {len(text):,} characters, and at most {LONGEST_NAME} fit.")
        for name, text in names.items()
        if len(text) > LONGEST_NAME
    ]
    if any("\0" in text for text in (*names.values(), line.description)):
        troubles.append(Trouble(line.number, "", "It has a NUL character; save the file as plain text again."))
    return troubles
