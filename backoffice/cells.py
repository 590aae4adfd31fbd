"""How the back office writes one value: money, an id, a state, a link to another page. Everything is escaped."""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from backoffice.money import format_money

NOTHING = "–"
SHOWN = 8
UNITS = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
ID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def money(amount: int, currency: str) -> SafeString:
    """An amount in minor units, aligned with those above and below it."""
    return format_html('<span class="money">{}</span>', format_money(amount, currency))


def number(count: int, unit: str = "") -> SafeString:
    """A count, aligned with those above and below it."""
    return format_html('<span class="money">{}</span>', f"{count:,} {unit}".strip())


def counted(count: int, what: str) -> str:
    """How many of something there are, in words."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def marked(value: Any) -> SafeString:
    """What a reader shall see first: where two sides differ."""
    return format_html('<mark class="office-mark">{}</mark>', value)


def amount(amount: int, currency: str) -> SafeString:
    """An amount in minor units where its currency stands elsewhere in the row."""
    return format_html('<span class="money">{}</span>', format_money(amount, currency).partition(" ")[2])


def identifier(id: UUID | str) -> SafeString:
    """An id's last digits, which tell it from its neighbours; selecting or clicking them takes the whole id."""
    whole = str(id)
    parts = {"head": whole[:-SHOWN], "tail": whole[-SHOWN:]}
    return SafeString(render_to_string("admin/identifier.html", parts).strip())


def whole_identifier(id: UUID | str) -> SafeString:
    """An id in full, to be copied with one click."""
    return format_html('<span class="whole-id">{}</span>', identifier(id))


def abridged(text: str) -> SafeString:
    """A code or reference with the ids in it cut to their last digits, kept on one line; or a sentence with such."""
    kept = "" if " " in text else "whole"
    return format_html(
        '<span class="{}" title="{}">{}</span>', kept, text, ID.sub(lambda found: f"…{found[0][-SHOWN:]}", text)
    )


def label(text: str, variant: str = "") -> SafeString:
    """A state as a coloured label; variants are success, info, warning and danger, and none for grey."""
    return SafeString(render_to_string("unfold/helpers/label.html", {"text": text, "type": variant}))


def moment(at: datetime | None) -> str:
    """A moment in UTC."""
    return NOTHING if at is None else str(localize(at))


def day(of: date | None) -> str:
    """A day, as moments begin."""
    return NOTHING if of is None else str(localize(of))


def size(bytes: int | None) -> str:
    """How large a file is, in the largest unit that fits."""
    if bytes is None:
        return NOTHING
    unit, size = next(((unit, size) for unit, size in UNITS if bytes >= size), ("bytes", 1))
    return f"{bytes / size:,.0f} {unit}"


def link(model: str, pk: Any, text: Any) -> SafeString:
    """A link to the page of a row; `model` is such as `ledger_account`."""
    return format_html('<a class="text-link" href="{}">{}</a>', reverse(f"admin:{model}_change", args=[pk]), text)


def link_to(page: str, text: Any, *arguments: Any) -> SafeString:
    """A link to a page by the name of its address."""
    return format_html('<a class="text-link" href="{}">{}</a>', reverse(page, args=arguments), text)


def rows_link(model: str, text: Any, **filters: Any) -> SafeString:
    """A link to a list of rows, narrowed by exact values of their columns."""
    url = reverse(f"admin:{model}_changelist", query=filters)
    return format_html('<a class="text-link" href="{}">{}</a>', url, text)


def lines(first: Any, second: Any) -> SafeString:
    """Two values, one below the other."""
    return format_html("{}<br>{}", first, second)


def progress(done: int, total: int) -> SafeString:
    """How far something is, drawn and told."""
    return format_html(
        '<progress class="office-progress" value="{}" max="{}"></progress> <span class="whole">{}</span>',
        done, max(total, 1), f"{done:,} of {total:,}",
    )  # fmt: skip


def small(*values: Any) -> SafeString:
    """What says more of the value above it."""
    return format_html(
        '<span class="text-subtle text-xs">{}</span>', format_html_join("", "{}", ((v,) for v in values))
    )


def verbatim(text: str) -> SafeString:
    """What somebody else wrote, as it was written."""
    return format_html('<pre style="white-space: pre-wrap; overflow-wrap: anywhere">{}</pre>', text)


def row_of(links: Iterable[SafeString]) -> SafeString:
    """Several links on one line."""
    return format_html_join(" · ", "{}", ((link,) for link in links))
