"""What each role of the back office may do. Migrations make a group of each, with these permissions and no others."""

from collections.abc import Mapping
from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

from users.staff import ROLES
from wallets.models.proposals import KINDS

# Whose pages a role may look at: `app.model`, or all of an app.
BUSINESS = ("ledger", "wallets", "users.user")
TRAIL = ("users.auditevent", "users.apiclient")
ASK = {
    "operator": ("freeze", "receipt", "review", "bank_account", "break_posting"),
    "accountant": (
        "journal", "reversal", "account", "credit_limit", "rule", "receipt", "break_posting", "price", "price_end",
        "usage_repair",
    ),
    "admin": ("roles", "rule"),
}  # fmt: skip
DECIDE = {
    "approver": tuple(kind for kind in KINDS if kind != "roles"),
    "admin": ("roles",),
}
EVERYBODY = {"wallets.run_report"}
# What one person may do alone.
ALONE = {
    "operator": (
        "wallets.review_withdrawal", "wallets.rescue_transfer", "wallets.reconcile", "wallets.watch_usage",
        "wallets.decide_quarantined", "wallets.run_usage_recalculation",
    ),
    "approver": ("wallets.approve_withdrawal",),
    "accountant": (
        "wallets.reconcile", "wallets.set_reconciliation", "ledger.close_period", "wallets.add_meter",
        "wallets.decide_quarantined", "wallets.run_usage_recalculation",
    ),
}  # fmt: skip


def looks_at(role: str) -> tuple[str, ...]:
    """Whose pages a role may look at."""
    return BUSINESS if role in ("viewer", "operator", "approver") else (*BUSINESS, *TRAIL)


def permissions_of(role: str) -> set[str]:
    """What a role may do beside looking, as `app.codename`."""
    asked = {f"wallets.ask_{kind}" for kind in ASK.get(role, ())}
    decided = {f"wallets.decide_{kind}" for kind in DECIDE.get(role, ())}
    return asked | decided | set(ALONE.get(role, ())) | EVERYBODY


def make_groups(sender: AppConfig | None, using: str, **_: object) -> None:
    """Make the groups as the table says, after migrations: what somebody has changed by hand is set right."""
    granted = _by_name(Permission.objects.using(using).select_related("content_type"))
    for role in ROLES:
        group, _made = Group.objects.using(using).get_or_create(name=role)
        group.permissions.set([permission for name, permission in granted.items() if _may(role, name)])


def _by_name(permissions: Any) -> Mapping[str, Any]:
    return {f"{found.content_type.app_label}.{found.codename}": found for found in permissions}


def _may(role: str, permission: str) -> bool:
    app, _, codename = permission.partition(".")
    shown = codename.removeprefix("view_")
    if shown != codename:
        return any(where in (app, f"{app}.{shown}") for where in looks_at(role))
    return permission in permissions_of(role)
