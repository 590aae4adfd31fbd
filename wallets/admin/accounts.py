"""An account of the books with the way to its statement."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.utils import timezone

from ledger.admin.accounts import AccountAdmin
from wallets.admin import reports
from wallets.admin.deeds import permission, way
from wallets.chart import wallet_of

Account: Any = apps.get_model("ledger.Account")
admin.site.unregister(Account)


@admin.register(Account)
class StatedAccountAdmin(AccountAdmin):
    """The ledger's page of an account, and its statement: a wallet's as its owner has it."""

    actions_detail = ("statement",)

    has_report_permission = permission("wallets.run_report")

    @way("Statement", "statement", needs="report", icon="description")
    def statement(self, object_id: str) -> str:
        code = Account.objects.values_list("code", flat=True).get(pk=object_id)
        if wallet := wallet_of(code):
            return reports.address("wallet-statement", timezone.now(), wallet=wallet)
        return reports.address("general-ledger", timezone.now(), account=code)
