"""A person with what the product knows of them: wallets, and their roles where they are staff."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from backoffice import cells
from backoffice.tables import Column, Table
from ledger.balances import standings
from users.admin.people import UserAdmin
from users.models import User
from users.staff import ROLES, roles_of
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, button, permission, propose
from wallets.admin.proposals import about
from wallets.models import Member
from wallets.proposals.roles import StaffRoles

COLUMNS = (
    Column("Wallet"), Column("Role"), Column("Status"), Column("Balance", number=True),
    Column("Available", number=True),
)  # fmt: skip
SHOWN = 50

admin.site.unregister(User)


class RolesForm(ReasonForm):
    """Which roles a person shall have."""

    roles = forms.MultipleChoiceField(
        choices=[(role, role.capitalize()) for role in ROLES], required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text="With none, they may not enter the back office.",
    )  # fmt: skip
    asks_first = ("roles",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].initial = roles_of(User.objects.get(pk=self.object_id))


@admin.register(User)
class PersonAdmin(UserAdmin):
    """The page of a person, customer or staff."""

    actions_detail = ("set_roles",)

    has_ask_roles_permission = permission("wallets.ask_roles")

    @button("Roles", "What they may do in the back office.", needs="ask_roles", icon="badge", form=RolesForm)
    def set_roles(self, request: HttpRequest, form: RolesForm, object_id: str) -> HttpResponse:
        deed = StaffRoles(UUID(object_id), tuple(form.cleaned_data["roles"]))
        return propose(deed, request, form, "users_user", object_id)

    def tables(self, user: User, now: datetime) -> list[Table]:
        return [wallets_of(user, now), about("user", user.pk)]


def wallets_of(user: User, now: datetime) -> Table:
    """The wallets that a person belongs to, with what is in them."""
    found = Member.objects.filter(user=user).select_related("wallet__owner").order_by("pk")[:SHOWN]
    members = list(found)
    stand = standings([member.wallet.account_id for member in members], now=now)
    rows = [
        (words.wallet_link(member.wallet_id, words.wallet_name(member.wallet)), cells.label(member.role),
         words.state(member.wallet.status),
         *(cells.money(getattr(stand[member.wallet.account_id], name), member.wallet.currency)
           for name in ("balance", "available")))
        for member in members
    ]  # fmt: skip
    return Table("Wallets", COLUMNS, rows, empty="They belong to no wallet.")
