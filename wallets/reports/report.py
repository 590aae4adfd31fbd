"""A report: what it is called, what must be said to have it, and how it is made."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from msgspec import Struct

from users.validation import ValidationError
from wallets.documents.document import Document, between, day


class Parameters(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What may be said of a report. Days are in UTC, and both ends of a period are in it."""

    since: date | None = None
    until: date | None = None
    currency: str = ""
    account: str = ""
    wallet: UUID | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`asks` are the parameters that it needs, `may` those that narrow it. A day is `until` without `since`."""

    slug: str
    title: str
    says: str
    asks: tuple[str, ...]
    build: Callable[[Parameters], Document]
    may: tuple[str, ...] = ("currency",)

    def check(self, parameters: Parameters) -> None:
        """Raise ValidationError where something isn't said that must be, or makes no sense."""
        for name in self.asks:
            if getattr(parameters, name) in (None, ""):
                raise ValidationError.on(name, "required", "This report needs it.")
        if parameters.since and parameters.until and parameters.since > parameters.until:
            raise ValidationError.on("since", "invalid", "The period would end before it starts.")

    def name(self, parameters: Parameters) -> str:
        """What a file of it is called in a list."""
        return " · ".join(part for part in (self.title, period(parameters), parameters.currency) if part)


def period(parameters: Parameters) -> str:
    """The days that a report is of, in words."""
    if parameters.until is None:
        return ""
    return between(parameters.since, parameters.until) if parameters.since else day(parameters.until)


def stem(slug: str, parameters: Parameters) -> str:
    """What its files are called."""
    days = [str(end) for end in (parameters.since, parameters.until) if end]
    return "-".join([slug, *([parameters.currency] if parameters.currency else []), "-to-".join(days)]).rstrip("-")
