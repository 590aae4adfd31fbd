"""A transaction with what the product knows of it: what caused it, and asking for its reversal."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.tables import Column, Table
from ledger.admin.transactions import TransactionAdmin
from ledger.reversal import look
from wallets.admin.deeds import ReasonForm, button, permission, propose
from wallets.admin.proposals import about
from wallets.models import Deposit, Proposal, TopUp, Transfer, UnmatchedReceipt, Withdrawal
from wallets.proposals.reversals import KINDS, Reversal

PAGE = "ledger_transaction"


def _is(column: str) -> Callable[[Any], dict[str, Any]]:
    return lambda transaction: {column: transaction.pk}


def _named(prefix: str) -> Callable[[Any], dict[str, Any]]:
    """A row whose id is in the transaction's reference: its table has no index on transactions."""

    def found(transaction: Any) -> dict[str, Any]:
        head, _, id = transaction.reference.partition(":")
        try:
            return {"pk": UUID(id) if head == prefix else None}
        except ValueError:
            return {"pk": None}

    return found


# What may have caused a transaction of which kinds: in words, its model, and how it is found by an index.
CAUSES: tuple[tuple[str, str, type[Model], Callable[[Any], dict[str, Any]]], ...] = (
    ("transfer", "Transfer", Transfer, _is("pk")),
    ("deposit", "Deposit", Deposit, _named("deposit")),
    ("deposit", "Top-up", TopUp, _is("transaction")),
    ("deposit", "Unmatched receipt", UnmatchedReceipt, _is("transaction")),
    ("deposit adjustment", "Decision on a receipt", UnmatchedReceipt, _is("assignment")),
    ("withdrawal", "Withdrawal", Withdrawal, _is("transaction")),
    ("reversal", "Return of a withdrawal", Withdrawal, _is("return_transaction")),
    ("reversal adjustment deposit", "Proposal", Proposal, _is("transaction")),
)

Transaction: Any = apps.get_model("ledger.Transaction")
admin.site.unregister(Transaction)


@admin.register(Transaction)
class ExplainedTransactionAdmin(TransactionAdmin):
    """The ledger's page of a transaction, and the product's reasons for it."""

    actions_detail = ("reverse",)

    has_ask_reversal_permission = permission("wallets.ask_reversal")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A button for what can be reversed here."""
        found = look(UUID(str(object_id)))
        reversible = found and found.kind in KINDS and not (found.is_reversal or found.reversed_by)
        return super().get_actions_detail(request, object_id) if reversible else []

    @button(
        "Reverse", "Its mirror image is posted: each account gets back what it gave.",
        needs="ask_reversal", icon="undo", variant=ActionVariant.DANGER,
    )  # fmt: skip
    def reverse(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return propose(Reversal(UUID(object_id)), request, form, PAGE, object_id)

    def tables(self, transaction: Any, now: datetime) -> list[Table]:
        return [*super().tables(transaction, now), causes(transaction), about("transaction", transaction.pk)]


def causes(transaction: Any) -> Table:
    """The rows that say why a transaction was posted."""
    rows = [
        (title, cells.link(f"wallets_{model._meta.model_name}", row.pk, cells.abridged(str(row))))
        for kinds, title, model, which in CAUSES
        if transaction.kind in kinds.split()
        for row in model._default_manager.filter(**which(transaction))[:5]
    ]
    return Table("What caused it", (Column("What"), Column("Which")), rows, empty="Nothing but the books knows of it.")
