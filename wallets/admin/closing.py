"""Closing days in the back office: who may, does, and a worker seals what was closed."""

from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import ValidationError as Invalid
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDateWidget

from ledger.admin.seals import SealAdmin
from ledger.closing import DAY, NotOver
from users.models import User
from wallets import closing
from wallets.admin.deeds import button, permission
from wallets.opening import InvalidState


class ClosingForm(BaseDialogForm):
    """Up to which day."""

    through = forms.DateField(label="Up to and with", widget=UnfoldAdminDateWidget, help_text="A day in UTC.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["through"].initial = closing.last_closable_day(timezone.now())

    def clean_through(self) -> Any:
        through = self.cleaned_data["through"]
        try:
            closing.check_closable(through, now=timezone.now())
            closing.check_open(through)
        except (NotOver, InvalidState) as refusal:
            raise Invalid(str(refusal)) from refusal
        return through


Seal: Any = apps.get_model("ledger.Seal")
admin.site.unregister(Seal)


@admin.register(Seal)
class ClosingAdmin(SealAdmin):
    """The ledger's list of sealed days, and the button that closes more."""

    actions_list = ("close_days",)

    has_close_permission = permission("ledger.close_period")

    @button(
        "Close days", "Nothing can be posted there any more, and what was is sealed. There is no way back.",
        needs="close", icon="lock", variant=ActionVariant.PRIMARY, form=ClosingForm,
    )  # fmt: skip
    def close_days(self, request: HttpRequest, form: ClosingForm) -> HttpResponse:
        through = form.cleaned_data["through"]
        closing.close_soon(through, actor=cast(User, request.user), now=timezone.now())
        messages.success(
            request, f"The days before {through + DAY} are closed. A worker seals them; their seals come here."
        )
        return HttpResponse(headers={"HX-Redirect": reverse("admin:ledger_seal_changelist")})
