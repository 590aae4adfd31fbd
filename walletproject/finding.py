"""One box that finds everything: people, wallets, payments and the books, by ids, references and providers' names.

Each way to look is an equality or a prefix that an index answers, so that the box is quick whatever the tables hold.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from backoffice.money import format_money
from wallets.admin import words
from wallets.providers.enabled import known

EACH = 5
SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Source:
    """A model whose rows can be found, what its page is called, and which rows a term finds."""

    model: str
    icon: str
    by_id: Sequence[str] = ("pk",)
    by_text: Callable[[str], Q | None] = lambda term: None
    # The page of a row is another row's: that of a withdrawal for its attempts.
    leads_to: str = ""
    says: Callable[[Any], str] = str
    related: Sequence[str] = ()

    def find(self, term: str, id: UUID | None) -> QuerySet:
        """The rows that a term finds, few at most."""
        found = self.by_text(term)
        if id is not None:
            for column in self.by_id:
                found = (found or Q(pk__in=[])) | Q((column, id))
        rows = apps.get_model(self.model)._default_manager
        return rows.filter(found).select_related(*self.related)[:EACH] if found else rows.none()


def _equal(*columns: str, at_provider: str = "") -> Callable[[str], Q | None]:
    """Rows of which a column is the term; what is unique for a provider only is looked for at each of them."""

    def which(term: str) -> Q:
        found = Q(pk__in=[])
        for column in columns:
            found |= Q((column, term))
        if at_provider:
            found |= Q((at_provider, term), provider__in={*known(), *settings.PROVIDERS})
        return found

    return which


def _person(term: str) -> Q | None:
    """By how their email or name begins."""
    begins = term.lower()
    return Q(email__startswith=begins) | Q(full_name__istartswith=term) if len(term) >= SHORTEST else None


def _owned(owner: str) -> Callable[[str], Q | None]:
    """By the whole email of an owner."""
    return lambda term: Q((f"{owner}__email", term.lower())) if "@" in term else None


def _code(term: str) -> Q | None:
    return Q(code__startswith=term) if ":" in term else None


def _movement(row: Any) -> str:
    return f"{format_money(row.amount, row.currency)}, {row.status.replace('_', ' ')}"


SOURCES = (
    Source("users.User", "person", by_text=_person, says=lambda user: f"{user.full_name} {user.email}".strip()),
    Source("wallets.Wallet", "account_balance_wallet", ("pk", "account"), _owned("owner"), says=words.wallet_name,
           related=("owner",)),
    Source("wallets.UsageAccount", "data_usage", ("pk", "wallet__account"), _owned("wallet__owner"),
           says=lambda account: words.wallet_name(account.wallet), related=("wallet__owner",)),
    Source("wallets.Withdrawal", "north_east", ("pk", "bank_account"), says=_movement),
    Source("wallets.PayoutAttempt", "north_east", (), _equal("provider_id", at_provider="reference"),
           leads_to="withdrawal", says=lambda attempt: f"withdrawal, attempt {attempt.number}"),
    Source("wallets.TopUp", "add_card", by_text=_equal("payment_id", at_provider="reference"), says=_movement),
    Source("wallets.Transfer", "swap_horiz", says=_movement),
    Source("wallets.Deposit", "south_west", says=_movement),
    Source("ledger.Transaction", "receipt_long", by_text=_equal("reference", "external_reference"),
           says=lambda transaction: f"{transaction.kind} {transaction.description}".strip()),
    Source("ledger.Account", "account_tree", by_text=_code),
    Source("ledger.Hold", "lock_clock", by_text=_equal("reference")),
    Source("wallets.UnmatchedReceipt", "help_center", by_text=_equal("reference", at_provider="payment_id")),
    Source("wallets.WebhookEvent", "webhook", by_text=_equal("reference")),
    Source("wallets.BankAccount", "account_balance"),
    Source("wallets.Proposal", "how_to_vote", says=lambda proposal: proposal.says),
    Source("users.ApiClient", "key", by_text=_equal("name", "secrets__key_id")),
)  # fmt: skip


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """What a term finds among all that this person may look at."""
    term = term.strip()
    if len(term) < SHORTEST or "\0" in term:
        return []
    found = [result for source in SOURCES if _may(request, source) for result in _results(source, term)]
    # A row that is found twice is told once.
    return list({result.link: result for result in found}.values())


def _results(source: Source, term: str) -> Iterator[SearchResult]:
    model = apps.get_model(source.model)
    for row in source.find(term, _uuid(term)):
        yield SearchResult(
            title=str(model._meta.verbose_name).capitalize(), description=source.says(row), link=_page(source, row),
            icon=source.icon,
        )  # fmt: skip


def _page(source: Source, row: Model) -> str:
    meta: Mapping[str, Any] = {"app": row._meta.app_label, "name": row._meta.model_name, "pk": row.pk}
    if source.leads_to:
        field: Any = row._meta.get_field(source.leads_to)
        meta = {**meta, "name": field.related_model._meta.model_name, "pk": getattr(row, field.attname)}
    return reverse(f"admin:{meta['app']}_{meta['name']}_change", args=[meta["pk"]])


def _may(request: HttpRequest, source: Source) -> bool:
    """Whoever may see a page may find it; an attempt is seen by those who may see its withdrawal."""
    app, name = source.model.lower().split(".")
    return bool(request.user.has_perm(f"{app}.view_{source.leads_to or name}"))


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None
