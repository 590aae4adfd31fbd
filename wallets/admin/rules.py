"""The rules of withdrawals, which those who have the permission write here: each change is in the audit trail."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from backoffice import cells
from users import validation
from wallets import currencies
from wallets.models import ApprovalRule, FeeRule, WithdrawalLimit
from wallets.models.rules import Rule
from wallets.providing import registry
from wallets.withdrawals import rules


class RuleForm(forms.ModelForm):
    """A rule for a currency that there is, and where it names a provider, for one that is enabled."""

    def clean_currency(self) -> str:
        currency = self.cleaned_data["currency"].upper()
        try:
            currencies.check(currency)
        except validation.ValidationError as error:
            raise ValidationError(str(error)) from error
        return currency

    def clean_provider(self) -> str:
        provider = self.cleaned_data["provider"]
        if provider and provider not in registry():
            raise ValidationError(f"There is no provider {provider}.")
        return provider


class RuleAdmin(ModelAdmin):
    """What the pages of rules share."""

    form = RuleForm
    actions = None
    ordering = ("currency", "id")

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        rules.keep(obj, actor=request.user, now=timezone.now())  # type: ignore[arg-type]

    def delete_model(self, request: HttpRequest, obj: Rule) -> None:
        rules.drop(obj, actor=request.user, now=timezone.now())  # type: ignore[arg-type]

    def _money(self, rule: Rule, amount: int | None) -> str:
        return cells.NOTHING if amount is None else cells.money(amount, rule.currency)


@admin.register(FeeRule)
class FeeRuleAdmin(RuleAdmin):
    list_display = ("__str__", "flat_shown", "part", "least", "most")

    @display(description="flat")
    def flat_shown(self, rule: FeeRule) -> str:
        return self._money(rule, rule.flat)

    @display(description="of the amount")
    def part(self, rule: FeeRule) -> str:
        return f"{rule.basis_points / 100:g} %"

    @display(description="at least")
    def least(self, rule: FeeRule) -> str:
        return self._money(rule, rule.minimum)

    @display(description="at most")
    def most(self, rule: FeeRule) -> str:
        return self._money(rule, rule.maximum)


@admin.register(WithdrawalLimit)
class WithdrawalLimitAdmin(RuleAdmin):
    list_display = ("__str__", "amount_shown")

    @display(description="at most")
    def amount_shown(self, rule: WithdrawalLimit) -> str:
        return self._money(rule, rule.amount)


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(RuleAdmin):
    list_display = ("__str__", "threshold_shown")

    @display(description="threshold")
    def threshold_shown(self, rule: ApprovalRule) -> str:
        return self._money(rule, rule.threshold)
