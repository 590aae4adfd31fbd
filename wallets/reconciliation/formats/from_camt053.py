"""ISO 20022 CAMT.053, any version: entry by entry, by an XML parser that refuses entities and doctypes."""

import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from wallets.reconciliation.formats import cells
from wallets.reconciliation.formats.cells import CellRefused
from wallets.reconciliation.formats.lines import (
    BOOKED,
    LONGEST_DESCRIPTION,
    PENDING,
    File,
    Line,
    StatementRefused,
    Trouble,
)

OPENING, CLOSING = ("OPBD", "PRCD"), ("CLBD",)
STATES = {"BOOK": BOOKED, "PDNG": PENDING}
NO_REFERENCE = ("NOTPROVIDED", "NONREF")


def read(content: bytes, currency: str) -> File:
    """All statements of the file, one after the other, as one. Raises StatementRefused."""
    try:
        return _Reader(currency).read(content)
    except ParseError as error:
        raise StatementRefused.at(error.position[0], "", f"It is no XML from here on ({error}).") from error
    except DefusedXmlException as error:
        says = "It declares entities, which no statement needs; it may be an attack. Ask the bank for it again."
        raise StatementRefused.at(0, "", says) from error


class _Reader:
    """Collects the entries as the parser comes by them, and lets go of each."""

    def __init__(self, currency: str) -> None:
        self.currency, self.lines, self.accounts = currency, list[Line](), set[str]()
        self.opening: int | None = None
        self.closing: int | None = None
        self.last_on: date | None = None
        self.entries = 0

    def read(self, content: bytes) -> File:
        known = False
        for _, element in iterparse(io.BytesIO(content), events=("end",), forbid_dtd=True):
            match _tag(element):
                case "Ntry":
                    self.entries += 1
                    self.lines += self._entry(element)
                    element.clear()
                case "Stmt":
                    known = True
                    self._statement(element)
                    element.clear()
        if not known:
            raise StatementRefused.at(0, "", "There is no statement (Stmt) in it; is it a CAMT.053?")
        if len(self.accounts) > 1:
            raise StatementRefused.at(0, "Acct", f"It is about {len(self.accounts)} accounts; split it.")
        account = (self.accounts or {""}).pop()[:64]
        return File(self.lines, self.opening, self.closing, None, self.last_on, account)

    def _statement(self, statement: Element) -> None:
        account = _find(statement, "Acct", "Id", "IBAN") or _find(statement, "Acct", "Id", "Othr", "Id")
        self.accounts.update([account] if account else [])
        balances = [child for child in statement if _tag(child) == "Bal"]
        opening, _ = self._balance(balances, OPENING)
        closing, on = self._balance(balances, CLOSING)
        if self.closing is not None and opening is not None and opening != self.closing:
            says = f"A statement opens with {opening}, and the one before closed with {self.closing} minor units."
            raise StatementRefused.at(0, "Bal", says + " One is missing.")
        self.opening = opening if self.opening is None else self.opening
        self.closing, self.last_on = closing, on or self.last_on

    def _balance(self, balances: list[Element], kinds: tuple[str, ...]) -> tuple[int | None, date | None]:
        for kind in kinds:
            for balance in balances:
                if _find(balance, "Tp", "CdOrPrtry", "Cd") == kind:
                    return self._amount(balance, "Bal"), _day(balance, "Dt")
        return None, None

    def _entry(self, entry: Element) -> Iterator[Line]:
        """One line, or one for each transaction of a batch whose amounts are stated and sum to the entry's."""
        state = _find(entry, "Sts", "Cd") or _find(entry, "Sts")
        if state not in STATES:
            return
        details = list(_all(entry, "NtryDtls", "TxDtls"))
        whole = self._amount(entry, "Ntry")
        on = _day(entry, "BookgDt") or _day(entry, "ValDt")
        if on is None:
            raise self._refusal("BookgDt", "The entry has no booking date.")
        parts = [self._amount(part, "TxDtls", whole) for part in details if _child(part, "Amt") is not None]
        if len(details) < 2 or len(parts) != len(details) or sum(parts) != whole:
            yield self._line(entry, details[0] if details else entry, whole, on, STATES[state], "")
            return
        for number, (part, amount) in enumerate(zip(details, parts, strict=True), start=1):
            yield self._line(entry, part, amount, on, STATES[state], f"/{number}")

    def _line(self, entry: Element, part: Element, amount: int, on: date, state: str, suffix: str) -> Line:
        refs = next(_all(part, "Refs"), None)
        told = [] if refs is None else [_find(refs, name) for name in ("EndToEndId", "InstrId", "TxId", "PmtInfId")]
        reference = next((name for name in told if name and name not in NO_REFERENCE), "")
        own = _find(entry, "AcctSvcrRef") or _find(entry, "NtryRef")
        words = [*(_text(found) for found in _all(part, "RmtInf", "Ustrd")), _find(entry, "AddtlNtryInf")]
        return Line(
            self.entries, on, amount, reference, own + suffix if own else "",
            _find(entry, "NtryDtls", "Btch", "PmtInfId") or _find(entry, "NtryDtls", "Btch", "MsgId"),
            " ".join(" ".join(filter(None, words)).split())[:LONGEST_DESCRIPTION], 0, state,
        )  # fmt: skip

    def _amount(self, element: Element, column: str, whole: int | None = None) -> int:
        """The signed amount of a balance, an entry or a part of one, which may leave the sign to the whole."""
        told = _child(element, "Amt")
        text, indicator = _text(told), _find(element, "CdtDbtInd")
        if whole is not None and not indicator:
            indicator = "DBIT" if whole < 0 else "CRDT"
        if told is not None and told.get("Ccy", self.currency) != self.currency:
            raise self._refusal(column, f"It is in {told.get('Ccy')}; the account is in {self.currency}.")
        if indicator not in ("CRDT", "DBIT"):
            raise self._refusal(column, "It says neither CRDT nor DBIT.")
        try:
            amount = cells.minor(Decimal(text), self.currency)
        except (InvalidOperation, CellRefused) as refusal:
            raise self._refusal(column, f"“{text[:40]}” is no amount in {self.currency}: {refusal}") from refusal
        return -amount if indicator == "DBIT" else amount

    def _refusal(self, column: str, says: str) -> StatementRefused:
        return StatementRefused([Trouble(self.entries, column, says)])


def _tag(element: Element) -> str:
    """The name without its namespace, which tells the version."""
    return element.tag.rpartition("}")[2]


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if _tag(child) == name), None)


def _all(element: Element, *path: str) -> Iterator[Element]:
    for child in element:
        if _tag(child) == path[0]:
            yield from _all(child, *path[1:]) if len(path) > 1 else [child]


def _find(element: Element, *path: str) -> str:
    """The text at the first such path below, or ""."""
    return _text(next(_all(element, *path), None))


def _text(element: Element | None) -> str:
    return "" if element is None or element.text is None else element.text.strip()


def _day(element: Element, name: str) -> date | None:
    text = _find(element, name, "Dt") or _find(element, name, "DtTm")
    try:
        return cells.day(text, ()) if text else None
    except CellRefused as refusal:
        raise StatementRefused.at(0, name, str(refusal)) from refusal
