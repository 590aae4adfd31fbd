"""A change of what paying out costs, how much may be paid out, and what a second person must approve."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError as Invalid

from users.validation import FieldError, ValidationError
from wallets import keeping
from wallets.access import NotFound
from wallets.models import ApprovalRule, FeeRule, WithdrawalLimit
from wallets.models.rules import Rule
from wallets.proposals.deed import Deed, Two

MODELS: dict[str, type[Rule]] = {
    model._meta.label_lower.partition(".")[2]: model for model in (FeeRule, WithdrawalLimit, ApprovalRule)
}


class RuleChange(Deed, frozen=True):
    """Add a rule (no `rule`), change one, or remove one (no `values`). `values` are its fields, by name."""

    kind: ClassVar[str] = "rule"

    table: str
    rule: UUID | None = None
    values: dict[str, str | int | None] | None = None

    def subject(self) -> tuple[str, str]:
        return self.table, str(self.rule or "")

    def says(self) -> str:
        rule = self._rule()
        verb = "Remove" if self.values is None else "Change" if self.rule else "Add"
        return f"{verb} the {rule._meta.verbose_name} “{rule}”."

    def basis(self) -> Mapping[str, Any]:
        rule = self._rule()
        self._changed(rule)
        return {} if self.rule is None else fields(MODELS[self.table]._default_manager.get(pk=self.rule))

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        rule = self._rule()
        if self.values is None:
            keeping.drop(rule, actor=by, now=now)
        else:
            keeping.keep(self._changed(rule), actor=by, now=now)

    def _rule(self) -> Rule:
        model = MODELS.get(self.table)
        if model is None:
            raise NotFound("kind of rule")
        if self.rule is None:
            return model(**(self.values or {}))
        rule = model._default_manager.select_for_update().filter(pk=self.rule).first()
        if rule is None:
            raise NotFound("rule")
        return rule

    def _changed(self, rule: Rule) -> Rule:
        """The rule as it is to be. Raises ValidationError."""
        for name, value in (self.values or {}).items():
            setattr(rule, name, value)
        try:
            rule.full_clean()
        except Invalid as error:
            raise ValidationError(
                [
                    FieldError(field="" if name == "__all__" else name, code="invalid", detail=" ".join(details))
                    for name, details in error.message_dict.items()
                ]
            ) from error
        return rule


def fields(rule: Rule) -> dict[str, Any]:
    """A rule's values by the names of its fields."""
    return {field.name: getattr(rule, field.name) for field in rule._meta.concrete_fields if field.name != "id"}
