"""The rules of withdrawals: a change is asked for here, and holds when a second person approves it."""

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from backoffice import cells
from users import validation
from users.models import User
from wallets import currencies
from wallets.admin.deeds import REFUSALS, ReasonForm, button, permission, propose
from wallets.models import ApprovalRule, FeeRule, WithdrawalLimit
from wallets.models.rules import Rule
from wallets.proposals.ask import ask
from wallets.proposals.rules import RuleChange
from wallets.providing import registry


class RuleForm(forms.ModelForm):
    """A rule for a currency that there is, and where it names a provider, for one that is enabled; and why."""

    reason = forms.CharField(max_length=255, widget=UnfoldAdminTextareaWidget)

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
    """What the pages of rules share: what is written here is asked for, and done when somebody else approves it."""

    form = RuleForm
    actions = None
    ordering = ("currency", "id")
    actions_detail = ("remove",)

    has_ask_rule_permission = permission("wallets.ask_rule")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_ask_rule_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        return self.has_ask_rule_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Rule | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Rule | None = None) -> list[str]:
        fields = [str(name) for name in super().get_fields(request, obj)]
        return fields if self.has_change_permission(request) else [name for name in fields if name != "reason"]

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Nothing is saved here: a form that makes sense becomes a proposal."""
        if request.method == "POST" and self.has_change_permission(request):
            rule = self.get_object(request, object_id) if object_id else None
            form = self.get_form(request, rule, change=rule is not None)(request.POST, instance=rule)
            if form.is_valid():
                return self._ask(request, form, object_id)
        return super().changeform_view(request, object_id, *args, **kwargs)

    @button(
        "Remove", "It holds no longer.", needs="ask_rule", icon="delete",
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def remove(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        deed = RuleChange(self.opts.model_name or "", UUID(object_id), None)
        return propose(deed, request, form, f"wallets_{self.opts.model_name}", object_id)

    def _ask(self, request: HttpRequest, form: Any, object_id: str | None) -> HttpResponse:
        values = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
        deed = RuleChange(self.opts.model_name or "", UUID(object_id) if object_id else None, values)
        try:
            proposal = ask(deed, actor=cast(User, request.user), reason=form.cleaned_data["reason"], now=timezone.now())
        except REFUSALS as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.path)
        messages.success(request, "Asked for. It holds when somebody else approves it.")
        return HttpResponseRedirect(reverse("admin:wallets_proposal_change", args=[proposal.pk]))

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
