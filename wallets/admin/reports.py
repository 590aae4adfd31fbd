"""Reports in the back office: what there is to ask for, what it says, and the files of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from ledger.accounts import codes_outside
from users import audit
from users.models import User
from users.validation import ValidationError
from wallets import chart
from wallets.admin.deeds import REFUSALS
from wallets.documents import as_page, formats
from wallets.documents.document import Document
from wallets.exports.ask import ask
from wallets.exports.make import place
from wallets.models import Export, Wallet
from wallets.reports.registry import REPORTS
from wallets.reports.report import Parameters, Report

FIELDS = ("since", "until", "currency", "account", "wallet")


class ReportForm(forms.Form):
    """What must be said of a report, and what may be."""

    since = forms.DateField(label="From", widget=UnfoldAdminDateWidget)
    until = forms.DateField(label="To", widget=UnfoldAdminDateWidget)
    currency = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    account = forms.CharField(
        widget=UnfoldAdminTextInputWidget(attrs={"list": "accounts"}), help_text="Its code, or how the code begins."
    )
    wallet = forms.UUIDField(widget=UnfoldAdminTextInputWidget, help_text="Its ID.")

    def __init__(self, report: Report, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Wallet.objects.order_by("currency").values_list("currency", flat=True).distinct()
        currency = cast(forms.ChoiceField, self.fields["currency"])
        currency.choices = [("", "All"), *((name, name) for name in found)]
        for name in FIELDS:
            if name not in (*report.asks, *report.may):
                del self.fields[name]
            else:
                self.fields[name].required = name in report.asks
        if "since" not in self.fields and "until" in self.fields:
            self.fields["until"].label = "At the end of"

    def parameters(self) -> Parameters:
        """What was said."""
        return Parameters(**{name: value for name, value in self.cleaned_data.items() if value})


def index(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """All reports, with a sentence for each."""
    check(request)
    reports = [(report, reverse("admin:report", args=[report.slug])) for report in REPORTS.values()]
    return TemplateResponse(request, "admin/reports.html", context | {"title": "Reports", "reports": reports})


def page(request: HttpRequest, slug: str, context: dict[str, Any]) -> HttpResponseBase:
    """A report on the screen, or as a file: a short one at once, a long one made by a worker."""
    check(request)
    report = REPORTS.get(slug)
    if report is None:
        raise Http404
    said = request.GET if request.GET or not report.asks else None
    form = ReportForm(report, said, initial=_usual(timezone.now()))
    context |= {"title": report.title, "report": report, "form": form, "accounts": codes_outside(chart.WALLETS)}
    if form.is_bound and form.is_valid():
        try:
            report.check(form.parameters())
            document = report.build(form.parameters())
            if (format := request.GET.get("format")) in formats.TYPES:
                return _file(request, report, form.parameters(), document, str(format))
            shown = as_page.show(document)
            context |= {"shown": shown, "document": document, "links": _links(request)}
        except (*REFUSALS, ValidationError) as refusal:
            form.add_error(None, str(refusal))
    return TemplateResponse(request, "admin/report.html", context)


def address(slug: str, now: datetime, **said: Any) -> str:
    """Where a report of the month so far is shown, of a wallet say."""
    return reverse("admin:report", args=[slug], query={**_usual(now), **said})


def download(request: HttpRequest, id: UUID) -> HttpResponseBase:
    """The file of an export that is done."""
    check(request)
    export = Export.objects.filter(pk=id, status=Export.Status.DONE).first()
    if export is None or not place(export).is_file():
        raise Http404
    _note(request, "export.downloaded", {"export": str(export.pk)})
    response = FileResponse(place(export).open("rb"), content_type=formats.TYPES[export.format])
    response["Content-Disposition"] = (
        f'attachment; filename="{export.report}-{export.requested_at:%Y-%m-%d}.{export.format}"'
    )
    response["Cache-Control"] = "private, no-store"
    return response


def check(request: HttpRequest) -> None:
    """Raise PermissionDenied for whoever may not run reports."""
    if not request.user.has_perm("wallets.run_report"):
        raise PermissionDenied


def _file(
    request: HttpRequest, report: Report, parameters: Parameters, document: Document, format: str
) -> HttpResponseBase:
    """The file itself where it is short, else the list of those that are being made."""
    if as_page.show(document).is_whole:
        _note(request, "report.downloaded", {"report": report.slug, "format": format})
        return formats.answer(document, format)
    ask(report, parameters, format, actor=cast(User, request.user), now=timezone.now())
    messages.success(request, "It is being made. It stands here when it is done.")
    return HttpResponseRedirect(reverse("admin:wallets_export_changelist"))


def _note(request: HttpRequest, action: str, data: dict[str, str]) -> None:
    user = cast(User, request.user)
    with transaction.atomic():
        audit.record(actor=user, action=action, kind="user", object_id=user.pk, data=data, now=timezone.now())


def _links(request: HttpRequest) -> list[tuple[str, str]]:
    """The same as each kind of file."""
    said = request.GET.copy()
    links = []
    for format in formats.TYPES:
        said["format"] = format
        links.append((format.upper(), f"?{said.urlencode()}"))
    return links


def _usual(now: datetime) -> dict[str, date]:
    """What is asked for most: the month so far, up to yesterday."""
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    return {"since": yesterday.replace(day=1), "until": yesterday}
