"""The page on which a person says which lines and transactions belong together."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from backoffice.forms import AMOUNT, minor
from backoffice.money import exponent
from backoffice.tables import Column, Table
from users.models import User
from wallets.admin.deeds import REFUSALS
from wallets.admin.reconciliation.sides import OURS, THEIRS, item_row, line_row
from wallets.models import BooksItem, Break, StatementLine
from wallets.reconciliation import candidates, joining

TICK = Column("")
GONE = {"invalid_choice": "Something that was ticked isn’t open any more; tick again."}


class LookForm(forms.Form):
    """What narrows the candidates down."""

    q = forms.CharField(
        required=False, label="Look for", widget=UnfoldAdminTextInputWidget,
        help_text="Part of a reference or description, or an amount such as 1,500.00.",
    )  # fmt: skip


class JoinForm(forms.Form):
    """What was ticked, and why."""

    lines = forms.TypedMultipleChoiceField(coerce=UUID, required=False, error_messages=GONE)
    items = forms.TypedMultipleChoiceField(coerce=UUID, required=False, error_messages=GONE)
    reason = forms.CharField(max_length=255, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    def __init__(self, lines: Sequence[StatementLine], items: Sequence[BooksItem], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lines"].choices = [(str(line.pk), "") for line in lines]  # type: ignore[attr-defined]
        self.fields["items"].choices = [(str(item.pk), "") for item in items]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors and not (given["lines"] or given["items"]):
            raise ValidationError("Tick what belongs together.")
        return given


def page(request: HttpRequest, context: dict[str, Any], found: Break) -> HttpResponse:
    """The page; what was joined leads to its match."""
    looked = _looked_for(request.GET.get("q", ""), found.account.currency)
    lines, items = candidates.lines(found, **looked), candidates.items(found, **looked)
    form = JoinForm(lines, items, request.POST if request.method == "POST" else None)
    if form.is_valid() and (answer := _join(request, found, form)):
        return answer
    ticked = _ticked(form, found, lines, items)
    return TemplateResponse(request, "admin/match_by_hand.html", {
        **context, "title": "Match by hand", "found": found, "form": form, "look": LookForm(request.GET or None),
        "tables": _tables(found, lines, items, ticked), "currency": found.account.currency,
        "digits": exponent(found.account.currency),
    })  # fmt: skip


def _looked_for(text: str, currency: str) -> dict[str, Any]:
    """An amount where it is one, else part of what lines and transactions say."""
    text = text.strip()
    plain = text.replace(",", "")
    try:
        return {"amount": minor(Decimal(plain), currency)} if AMOUNT.fullmatch(plain) else {"text": text}
    except ValidationError:
        return {"text": text}


def _join(request: HttpRequest, found: Break, form: JoinForm) -> HttpResponse | None:
    """Join them and show the match, or None with the refusal in the form."""
    given, by = form.cleaned_data, cast(User, request.user)
    try:
        made = joining.match_by_hand(found.account_id, **given, by=by, now=timezone.now())
    except REFUSALS as refusal:
        form.add_error(None, str(refusal))
        return None
    messages.success(request, "Matched.")
    return HttpResponseRedirect(reverse("admin:wallets_match_change", args=[made.pk]))


def _ticked(form: JoinForm, found: Break, lines: Sequence[StatementLine], items: Sequence[BooksItem]) -> set[str]:
    """What was ticked before, or else what the break is about."""
    if form.is_bound:
        return {*form.data.getlist("lines"), *form.data.getlist("items")}  # type: ignore[attr-defined]
    rows: list[StatementLine | BooksItem] = [*lines, *items]
    return {str(row.pk) for row in rows if row.found_id == found.pk}


def _tables(
    found: Break, lines: Sequence[StatementLine], items: Sequence[BooksItem], ticked: set[str]
) -> tuple[Table, Table]:
    currency = found.account.currency
    theirs = [(_tick("lines", line, ticked), *line_row(line, currency)) for line in lines]
    ours = [(_tick("items", item, ticked), *item_row(item, currency)) for item in items]
    empty = "Nothing of that is open."
    return (
        Table("Open on their statements", (TICK, *THEIRS), theirs, empty, beside=True),
        Table("Open in our books", (TICK, *OURS), ours, empty, beside=True),
    )


def _tick(side: str, row: StatementLine | BooksItem, ticked: set[str]) -> str:
    return format_html(
        '<input type="checkbox" name="{}" value="{}" data-amount="{}" aria-label="{}"{}>',
        side, row.pk, row.amount, row, " checked" if str(row.pk) in ticked else "",
    )  # fmt: skip
