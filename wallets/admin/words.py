"""How the back office says the product's words: states with their colours, callers with their pages."""

from typing import Any
from uuid import UUID

from django.utils.safestring import SafeString

from ledger.admin import cells
from wallets.models import Wallet

VARIANTS = {
    "active": "success", "frozen": "info", "closed": "",
    "awaiting_approval": "warning", "pending": "info", "processing": "info", "in_review": "warning",
    "completed": "success", "failed": "danger", "cancelled": "", "returned": "danger",
    "expired": "", "waiting": "info", "done": "success", "dead": "danger",
    "unknown": "warning", "not_sent": "", "accepted": "info", "action_required": "warning", "rejected": "warning",
    "paid": "success", "refused": "danger",
    "queued": "info", "set_aside": "warning",
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
    """Who asked, `person:<id>` or `service:<id>`, with a link to their page."""
    kind, _, id = key.partition(":")
    model = {"person": "users_user", "service": "users_apiclient"}.get(kind)
    return cells.link(model, id, f"{kind} …{id[-cells.SHOWN :]}") if model and id else key


def audit_link(kind: str, id: UUID) -> SafeString:
    """A link to what the audit trail says of an object."""
    return cells.rows_link("users_auditevent", "What the audit trail says", object_kind=kind, object_id=id)
