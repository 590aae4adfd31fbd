"""Staff: who may enter the back office, and in which roles. What a role may do is said where all apps are known."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from users import audit
from users.callers import Actor
from users.models import User
from users.validation import ValidationError

ROLES = ("viewer", "operator", "approver", "accountant", "auditor", "admin")


def check_roles(roles: Collection[str]) -> None:
    """Raise ValidationError for a role that there isn't."""
    if unknown := [role for role in roles if role not in ROLES]:
        raise ValidationError.on(
            "roles", "unknown_role", f"There is no role {', '.join(unknown)}; there are {', '.join(ROLES)}."
        )


def roles_of(user: User) -> list[str]:
    """The roles that a person has, in alphabetical order."""
    return list(user.groups.filter(name__in=ROLES).order_by("name").values_list("name", flat=True))


def holders(permission: str) -> QuerySet[User]:
    """Staff who have a permission, such as `wallets.reconcile`: by a role, by themselves, or as superusers."""
    app, _, codename = permission.partition(".")
    granted = Permission.objects.filter(content_type__app_label=app, codename=codename)
    has = Q(is_superuser=True) | Q(user_permissions__in=granted) | Q(groups__permissions__in=granted)
    return User.objects.filter(has, is_active=True, is_staff=True).distinct().order_by("email")


def give_roles(user: User, roles: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """Give a person these roles and no others, inside the caller's transaction; with none they are staff no longer.

    Raises ValidationError.
    """
    check_roles(roles)
    before = roles_of(user)
    user.groups.set([*user.groups.exclude(name__in=ROLES), *Group.objects.filter(name__in=roles)])
    user.is_staff = bool(roles) or user.is_superuser
    user.save(update_fields=["is_staff"])
    audit.record(
        actor=actor, action="staff.roles_given", kind="user", object_id=user.pk,
        data={"before": before, "after": sorted(roles)}, now=now,
    )  # fmt: skip
