"""A manual journal: a page on which its lines are written, and the templates of those that are made again and again."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError as Invalid
from django.forms import BaseFormSet, formset_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from backoffice.forms import MoneyField, minor
from backoffice.money import major
from ledger.accounts import Line, codes_outside, find
from users.models import User
from users.validation import ValidationError
from wallets.admin.deeds import REFUSALS, permission
from wallets.chart import WALLETS
from wallets.models import JournalTemplate, Wallet
from wallets.proposals.ask import ask
from wallets.proposals.journals import Journal, JournalLeg

LINES = 4


class AccountField(forms.CharField):
    """An account by its code, or a wallet by its ID."""

    widget = UnfoldAdminTextInputWidget(attrs={"list": "accounts", "placeholder": "Account or wallet ID"})

    def clean(self, value: Any) -> Line | None:
        text = super().clean(value)
        if not text:
            return None
        code = _code_of_wallet(text) or text
        line = find([code]).get(code)
        if line is None:
            raise Invalid("The chart has no such account.")
        return line


class LegForm(forms.Form):
    """One line of a journal."""

    account = AccountField(required=False)
    debit = MoneyField(required=False)
    credit = MoneyField(required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        amounts = [name for name in ("debit", "credit") if given.get(name)]
        if "account" not in self.errors and bool(given.get("account")) != bool(amounts):
            raise Invalid("A line has an account and an amount.")
        if len(amounts) > 1:
            raise Invalid("Write the amount as a debit or as a credit.")
        for name in amounts:
            if given.get("account"):
                given[name] = minor(given[name], given["account"].currency)
        return given


class JournalForm(forms.Form):
    """What is said of a journal as a whole."""

    description = forms.CharField(max_length=255, widget=UnfoldAdminTextInputWidget, help_text="Customers see it.")
    effective_on = forms.DateField(
        required=False, widget=UnfoldAdminDateWidget, help_text="The day it belongs to; empty for the day it is posted."
    )
    attachments = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Documents kept elsewhere, one a line.",
    )  # fmt: skip
    reason = forms.CharField(max_length=255, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))


Legs = formset_factory(LegForm, extra=0, min_num=2)


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page on which a journal is written; what makes sense is asked for."""
    chosen = _uuid(request.GET.get("template", ""))
    template = JournalTemplate.objects.filter(pk=chosen).first() if chosen else None
    if request.method == "POST":
        form, legs = JournalForm(request.POST), Legs(request.POST)
        if "more" in request.POST:
            legs = Legs(_with_more_lines(request.POST))
        elif form.is_valid() and legs.is_valid() and (answer := _ask(request, form, legs)):
            return answer
    else:
        form = JournalForm(initial={"description": template.description} if template else None)
        legs = Legs(initial=_lines(template))
    return TemplateResponse(request, "admin/journal.html", {
        **context, "title": "New journal", "form": form, "legs": legs, "accounts": codes_outside(WALLETS),
        "templates": JournalTemplate.objects.order_by("name"),
    })  # fmt: skip


def _ask(request: HttpRequest, form: JournalForm, legs: BaseFormSet) -> HttpResponse | None:
    """Ask for it and show the proposal, or None with the refusal in the form."""
    given = [leg for leg in legs.cleaned_data if leg.get("account")]
    journal = Journal(
        tuple(JournalLeg(leg["account"].code, leg.get("debit") or 0, leg.get("credit") or 0) for leg in given),
        form.cleaned_data["description"], form.cleaned_data["effective_on"],
        tuple(filter(None, map(str.strip, form.cleaned_data["attachments"].splitlines()))),
    )  # fmt: skip
    try:
        proposal = ask(journal, actor=cast(User, request.user), reason=form.cleaned_data["reason"], now=timezone.now())
    except ValidationError as refusal:
        for error in refusal.errors:
            form.add_error(error["field"] if error["field"] in form.fields else None, error["detail"])
        return None
    except REFUSALS as refusal:
        form.add_error(None, str(refusal))
        return None
    messages.success(request, "Asked for. It is posted when somebody else approves it.")
    return HttpResponseRedirect(reverse("admin:wallets_proposal_change", args=[proposal.pk]))


def _with_more_lines(data: Any) -> Any:
    more = data.copy()
    more["form-TOTAL_FORMS"] = str(min(int(data.get("form-TOTAL_FORMS") or 0) + LINES, 100))
    return more


def _lines(template: JournalTemplate | None) -> list[dict[str, Any]]:
    """What the lines begin with: a template's, or some empty ones."""
    if template is None:
        return [{} for _ in range(LINES)]
    found = find([leg["account"] for leg in template.legs])
    return [
        {
            "account": leg["account"],
            **{side: major(leg[side], found[leg["account"]].currency) for side in ("debit", "credit") if leg.get(side)},
        }
        for leg in template.legs
        if leg["account"] in found
    ]


def _code_of_wallet(text: str) -> str | None:
    id = _uuid(text)
    wallet = Wallet.objects.filter(pk=id).first() if id else None
    return f"{WALLETS}{wallet.pk}" if wallet else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


class TemplateForm(forms.ModelForm):
    """A template whose legs are legs."""

    def clean_legs(self) -> list[dict[str, Any]]:
        legs = self.cleaned_data["legs"]
        if not isinstance(legs, list) or not all(_is_leg(leg) for leg in legs):
            raise Invalid('A list such as [{"account": "income:fees:NGN", "debit": 5000}], amounts in minor units.')
        return legs


def _is_leg(leg: Any) -> bool:
    if not isinstance(leg, dict) or not isinstance(leg.get("account"), str):
        return False
    return all(type(leg.get(side, 0)) is int and leg.get(side, 0) >= 0 for side in ("debit", "credit"))


@admin.register(JournalTemplate)
class JournalTemplateAdmin(ModelAdmin):
    """Templates post nothing: who may ask for journals may write them."""

    form = TemplateForm
    actions = None
    list_display = ("name", "description")
    ordering = ("name",)

    has_ask_permission = permission("wallets.ask_journal")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_ask_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_ask_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_ask_permission(request)
