"""What happened to one thing, drawn as a line from the newest down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Happening:
    """One point of the line: when, what, who did it, the state it led to, and words that somebody else sent."""

    at: datetime
    what: str
    by: SafeString | str = ""
    state: SafeString | str = ""
    note: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The line, newest first."""

    title: str
    happenings: Sequence[Happening]
    empty: str = "Nothing has happened yet."
