"""What staff do with several rows of a list at once: a page that shows what was chosen and asks why."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget


@dataclass(frozen=True, slots=True)
class Chosen:
    """A row as it is shown: what it is, what else one should know, and the digest of what is shown."""

    pk: UUID
    says: str
    note: str = ""
    seen: str = ""


class SelectionForm(forms.Form):
    """Why, for all that were chosen."""

    reason = forms.CharField(max_length=255, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))

    def __init__(self, *args: Any, required: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = required


def sent(request: HttpRequest) -> Any:
    """What the page was sent back with; None while it is to be shown."""
    return request.POST if "decided" in request.POST else None


def selection_page(
    page: ModelAdmin, request: HttpRequest, verb: str, rows: Sequence[Chosen], form: forms.Form, *, says: str = ""
) -> HttpResponse:
    """The page of an action that is called after its verb, `approve_selected`."""
    what = page.opts.verbose_name if len(rows) == 1 else page.opts.verbose_name_plural
    context = {
        **page.admin_site.each_context(request), "title": f"{verb} {len(rows)} {what}", "opts": page.opts,
        "chosen": rows, "verb": verb, "form": form, "says": says,
    }  # fmt: skip
    return TemplateResponse(request, "admin/selected.html", context)


def each(request: HttpRequest, rows: Iterable[tuple[str, Any]], deed: Callable[[Any], str], done: str) -> None:
    """Do a deed with each row by itself; those that were refused are told by what they say."""
    refusals = [(says, deed(row)) for says, row in rows]
    for says, told in refusals:
        if told:
            messages.error(request, f"{says} {told}")
    if count := sum(not told for _, told in refusals):
        messages.success(request, f"{count} {done}.")
