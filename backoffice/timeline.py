"""What happened to one thing, drawn as a line from the newest down."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from django.utils.formats import localize
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


def folded(happenings: Sequence[Happening]) -> list[Happening]:
    """The same said again and again, as one: the newest of it, with how often and since when."""
    found = []
    for _, group in groupby(happenings, lambda each: (each.what, each.by, each.state, each.note, each.raw)):
        first, *others = group
        if others:
            note = f"{len(others) + 1} times since {localize(others[-1].at)}"
            first = replace(
                first, note=f"{first.note} · {note}".removeprefix(" · "), state=others[-1].state or first.state
            )
        found.append(first)
    return found
