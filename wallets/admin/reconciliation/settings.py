"""How statements are read and matched: column mappings and matching rules, which the accountant may change."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from backoffice import cells
from users.models import User
from wallets import keeping
from wallets.admin.deeds import permission
from wallets.models import ColumnMapping, MatchRule
from wallets.reconciliation import importing
from wallets.reconciliation.formats.columns import FIELDS
from wallets.reconciliation.formats.lines import BOOKED, FAILED, PENDING, REVERSED, StatementRefused

STATUSES = (BOOKED, PENDING, FAILED, REVERSED)


class SettingAdmin(ModelAdmin):
    """What the two have in common: changes hold at once, for what is imported or matched from then on."""

    actions: Any = None
    sortable_by: ClassVar[Sequence[str]] = ()

    has_set_permission = permission("wallets.set_reconciliation")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_set_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_set_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_set_permission(request)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        keeping.keep(obj, actor=cast(User, request.user), now=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        keeping.drop(obj, actor=cast(User, request.user), now=timezone.now())


class RuleForm(forms.ModelForm):
    """A rule whose currency is written as currencies are."""

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"].upper())


@admin.register(MatchRule)
class MatchRuleAdmin(SettingAdmin):
    form = RuleForm
    list_display = ("position", "name", "kind", "holds_for", "days", "tolerated", "active")
    list_display_links = ("name",)
    ordering = ("position", "name")
    fieldsets = (
        (None, {"fields": (
            ("name", "position"), "kind", ("provider", "currency"), ("days", "stated_fee"),
            ("tolerance", "basis_points"), "active",
        )}),
    )  # fmt: skip

    @display(description="holds for")
    def holds_for(self, rule: MatchRule) -> str:
        return f"{rule.provider or 'any provider'}, {rule.currency or 'any currency'}"

    @display(description="tolerates")
    def tolerated(self, rule: MatchRule) -> str:
        told = ["the stated fee"] if rule.stated_fee else []
        told += [f"{rule.tolerance:,} minor units"] if rule.tolerance else []
        told += [f"{rule.basis_points / 100:g} %"] if rule.basis_points else []
        return " and ".join(told) or cells.NOTHING


def _column(help_text: str, label: str | None = None) -> forms.CharField:
    return forms.CharField(required=False, label=label, help_text=help_text, widget=UnfoldAdminTextInputWidget)


class MappingForm(forms.ModelForm):
    """A field for each column of the file, and a line for each of its words. What makes no sense is refused as the
    import would refuse it.
    """

    class Meta:
        labels: ClassVar = {
            "headings": "A row names the columns", "skip_rows": "Rows to pass over", "decimal": "Amounts",
            "negate": "Signs turned round", "fee_beside": "Fee beside the amount", "skip_undated": "Only dated rows",
        }  # fmt: skip
        help_texts: ClassVar = {
            "headings": "Else they are numbered, from 1.",
            "date_formats": "Such as %d/%m/%Y for 31/01/2026; several are tried in order, with commas between them."
            " Empty for 2026-01-31.",
        }
        widgets: ClassVar = {"date_formats": UnfoldAdminTextInputWidget}

    column_date = _column("The day that it was booked.", "Date")
    column_amount = _column("Signed. Or one column each for debits and credits.", "Amount")
    column_debit = _column("What left, without a sign.", "Debit")
    column_credit = _column("What came in, without a sign.", "Credit")
    column_direction = _column("Says debit or credit, where the amount has no sign.", "Direction")
    column_currency = _column("Rows of other currencies are passed over.", "Currency")
    column_reference = _column("Ours, as they quote it.", "Reference")
    column_external_id = _column("Theirs: the payment’s ID.", "External ID")
    column_batch = _column("What several lines share, such as a settlement.", "Batch")
    column_description = _column("Free text; long words with digits in it are tried as references.", "Description")
    column_status = _column("Whether it was booked.", "Status")
    column_fee = _column("What they kept of it.", "Fee")
    column_balance = _column("A running balance, which is checked line by line.", "Balance")
    words = forms.CharField(
        required=False, label="Words for a status", widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Where the file has words of its own, one a line, such as “verbucht = booked”."
        f" There are {', '.join(STATUSES)}.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in FIELDS:
            self.fields[f"column_{name}"].initial = (self.instance.columns or {}).get(name, "")
        self.fields["words"].initial = _lines(self.instance.statuses or {})

    def clean_words(self) -> dict[str, str]:
        pairs = [line.rpartition("=")[::2] for line in self.cleaned_data["words"].splitlines() if line.strip()]
        words = {" ".join(word.split()).lower(): status.strip().lower() for word, status in pairs}
        if not all(word and status in STATUSES for word, status in words.items()):
            raise ValidationError(f"Write one a line, such as “verbucht = booked”; there are {', '.join(STATUSES)}.")
        return words

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        told = {name: given.get(f"column_{name}", "") for name in FIELDS}
        self.instance.columns = {name: heading for name, heading in told.items() if heading}
        self.instance.statuses = given.get("words", {})
        try:
            importing.columns(self.instance)
        except StatementRefused as refusal:
            raise ValidationError([trouble.says for trouble in refusal.troubles]) from refusal
        if not given.get("headings") and not all(place.isdecimal() for place in self.instance.columns.values()):
            raise ValidationError("Without headings, columns are named by their numbers, from 1.")
        return given


@admin.register(ColumnMapping)
class ColumnMappingAdmin(SettingAdmin):
    form = MappingForm
    list_display = ("name", "columns_shown", "decimal", "dates")
    ordering = ("name",)
    shown = ("columns_shown", "statuses_shown")
    written = ("headings", "skip_rows"), ("date_formats", "decimal"), ("negate", "fee_beside"), "skip_undated"
    file = (("delimiter", "encoding"),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.has_change_permission(request):
            return ((None, {"fields": ("name", *self.shown, *self.written, *self.file)}),)
        columns = [f"column_{name}" for name in FIELDS]
        pairs = tuple(zip(columns[::2], columns[1::2], strict=False))
        return (
            (None, {"fields": ("name",)}),
            ("What each column is called in the file", {"fields": (*pairs, *columns[len(pairs) * 2 :])}),
            ("How it is written", {"fields": (*self.written, "words", *self.file)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A mapping keeps its name: statements say by which they were read."""
        if not self.has_change_permission(request):
            return self.shown
        return ("name",) if obj else ()

    @display(description="columns")
    def columns_shown(self, mapping: ColumnMapping) -> str:
        return ", ".join(f"{name}: {heading}" for name, heading in mapping.columns.items())

    @display(description="words for a status")
    def statuses_shown(self, mapping: ColumnMapping) -> str:
        return _lines(mapping.statuses) or cells.NOTHING

    @display(description="dates")
    def dates(self, mapping: ColumnMapping) -> str:
        return ", ".join(mapping.date_formats) or "ISO 8601"


def _lines(statuses: Mapping[str, str]) -> str:
    return "\n".join(f"{word} = {status}" for word, status in statuses.items())
