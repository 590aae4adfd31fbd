"""How the back office says the product's words: states with their colours, callers with their pages."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils.safestring import SafeString

from backoffice import cells
from users.models import ApiClient, User
from wallets.models import Wallet

PAGES = {"person": "users_user", "staff": "users_user", "service": "users_apiclient"}
VARIANTS = {
    "active": "success", "frozen": "info", "closed": "",
    "awaiting_approval": "warning", "pending": "info", "processing": "info", "in_review": "warning",
    "completed": "success", "failed": "danger", "cancelled": "", "returned": "danger",
    "expired": "", "waiting": "info", "done": "success", "dead": "danger",
    "unknown": "warning", "not_sent": "", "accepted": "info", "action_required": "warning", "rejected": "warning",
    "paid": "success", "refused": "danger",
    "booked": "success", "reversed": "danger", "queued": "info", "set_aside": "warning", "running": "info",
    "open": "info", "approved": "success", "withdrawn": "", "assigned": "success",
    "verified": "success", "unfinished": "warning", "removed": "",
    "admitted": "success", "discarded": "", "finished": "success", "stopped": "warning", "repaired": "success",
    "dismissed": "", "declined": "danger",
}  # fmt: skip


def state(value: str) -> SafeString:
    """A state as a coloured label."""
    return cells.label(value.replace("_", " "), VARIANTS.get(value, ""))


def wallet_link(id: UUID, text: Any = None) -> SafeString:
    """A link to a wallet, by its name or else its id's last digits."""
    return cells.link("wallets_wallet", id, text or f"…{str(id)[-cells.SHOWN :]}")


def wallet_name(wallet: Wallet) -> str:
    """A wallet as staff tell it from others: whose, and what it is called."""
    owner = wallet.owner.email if wallet.owner else "no owner"
    return f"{owner} · {wallet.name or wallet.currency}"


def caller_link(key: str) -> SafeString | str:
    """Who did it, such as `person:<id>`, by their name and with a link to their page."""
    return caller_links([key])[key]


def caller_links(keys: Iterable[str]) -> dict[str, SafeString | str]:
    """Who they are who did it, each by the name of a person or service."""
    split = {key: key.partition(":")[::2] for key in keys}
    names = _names(User, "email", split.values()) | _names(ApiClient, "name", split.values())
    return {key: _caller(kind, id, names) for key, (kind, id) in split.items()}


def _names(model: type[Model], field: str, callers: Iterable[tuple[str, str]]) -> dict[str, str]:
    ids = [id for kind, id in callers if PAGES.get(kind) == model._meta.label_lower.replace(".", "_")]
    found = model._default_manager.filter(pk__in=ids).values_list("pk", field) if ids else ()
    return {str(pk): name for pk, name in found}


def _caller(kind: str, id: str, names: dict[str, str]) -> SafeString | str:
    if kind not in PAGES or not id:
        return f"{kind} {id}".strip()
    return cells.link(PAGES[kind], id, names.get(id, f"{kind} …{id[-cells.SHOWN :]}"))


def audit_link(kind: str, id: UUID | str) -> SafeString:
    """A link to what the audit trail says of an object."""
    return cells.rows_link("users_auditevent", "What the audit trail says", object_kind=kind, object_id=id)
