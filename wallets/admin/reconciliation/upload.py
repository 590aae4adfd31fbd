"""The page on which a statement is uploaded: all of the file is taken, or it is told by line and column why not."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from backoffice import cells
from backoffice.forms import MoneyField, minor
from backoffice.tables import Column, Table
from users.models import User
from wallets.models import ColumnMapping
from wallets.opening import InvalidState
from wallets.reconciliation import accounts, importing
from wallets.reconciliation.formats import files
from wallets.reconciliation.formats.lines import StatementRefused, Trouble
from wallets.reconciliation.importing import Imported, Upload

LARGEST = 5_000_000
TROUBLES = (Column("Line"), Column("Column"), Column("What is to be mended"))
MEND = "Mend what is said here, in the file or by another choice below, and upload it again."
FORMATS = {"csv": "CSV", "xlsx": "Excel (XLSX)", "mt940": "MT940", "camt053": "CAMT.053"}


class UploadForm(forms.Form):
    """A file, and how it is to be read."""

    file = forms.FileField(widget=UnfoldAdminFileFieldWidget)
    account = forms.ChoiceField(choices=lambda: [("", "Choose"), *((name, name) for name in accounts.names())],
                                widget=UnfoldAdminSelectWidget, help_text="Whose statement it is.")  # fmt: skip
    format = forms.ChoiceField(
        required=False, choices=[("", "By the file’s name"), *FORMATS.items()], widget=UnfoldAdminSelectWidget
    )
    mapping = forms.ModelChoiceField(
        ColumnMapping.objects.order_by("pk"), initial=importing.STANDARD, required=False, empty_label=None,
        widget=UnfoldAdminSelectWidget, help_text="Which column says what, in CSV and Excel files.",
    )  # fmt: skip
    opening = MoneyField(
        signed=True,
        required=False,
        label="Opening balance",
        help_text="Where the file states none: before its first line.",
    )
    closing = MoneyField(
        signed=True, required=False, label="Closing balance", help_text="Likewise: after its last line."
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise ValidationError(
                f"It has {file.size / 1e6:,.1f} MB, and this page takes {LARGEST / 1e6:,.0f}. Import it by command:"
                f" manage.py import_statement {file.name} --account {self.data.get('account') or 'provider:CURRENCY'}"
            )
        return file

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if "file" in given and not given.get("format"):
            given["format"] = files.format_of(given["file"].name)
            if given["format"] is None:
                self.add_error("format", "The file’s name doesn’t tell; choose one.")
        currency = given.get("account", "").partition(":")[2]
        for name in ("opening", "closing"):
            if currency and given.get(name) is not None:
                given[name] = minor(given[name], currency)
        return given

    def upload(self) -> Upload:
        """What the reading takes."""
        given, (provider, _, currency) = self.cleaned_data, self.cleaned_data["account"].partition(":")
        mapping = given["mapping"].pk if given["mapping"] and given["format"] in importing.TABLES else ""
        return Upload(
            provider, currency, given["file"].name, given["file"].read(), given["format"], mapping,
            given["opening"], given["closing"],
        )  # fmt: skip


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page; what could be imported leads to its statement."""
    form, tables = UploadForm(initial={"account": request.GET.get("account", "")}), list[Table]()
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                imported = importing.import_statement(form.upload(), by=cast(User, request.user), now=timezone.now())
            except StatementRefused as refusal:
                form.add_error(None, f"Nothing of {form.cleaned_data['file'].name} was imported. {MEND}")
                tables = [_troubles(refusal.troubles)]
            except InvalidState as busy:
                form.add_error(None, str(busy))
            else:
                return _lead(request, imported)
    return TemplateResponse(request, "admin/upload.html", {
        **context, "title": "Upload a statement", "form": form, "tables": tables,
    })  # fmt: skip


def _troubles(found: list[Trouble]) -> Table:
    rows = [(f"{trouble.line:,}" if trouble.line else "File", trouble.column or cells.NOTHING, trouble.says)
            for trouble in found]  # fmt: skip
    return Table("What is wrong with it", TROUBLES, rows)


def _lead(request: HttpRequest, imported: Imported) -> HttpResponse:
    """To the statement's page, with what came of it."""
    statement = imported.statement
    if not imported.fresh:
        messages.warning(request, "The same file was imported before; nothing was done. This is what it brought then.")
    else:
        told = [f"{cells.counted(statement.lines, 'line')}, {statement.new_lines:,} of them new"]
        told += [f"{imported.changed:,} known ones have another status now"] if imported.changed else []
        told += [f"{imported.passed_over:,} rows were passed over"] if imported.passed_over else []
        messages.success(request, f"Imported: {'; '.join(told)}.")
    return HttpResponseRedirect(reverse("admin:wallets_statement_change", args=[statement.pk]))
