"""What a known caller may do before any object comes into it."""

from typing import TYPE_CHECKING, ClassVar

from rest_framework.permissions import BasePermission

from users.callers import Caller, NotAuthenticated

if TYPE_CHECKING:
    # Django REST framework's views import the permission classes of the settings, this one among them.
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from users.models import User


class PermissionDenied(Exception):
    """The caller is known, and lacks the scope or role."""

    code: ClassVar[str] = "permission_denied"
    title: ClassVar[str] = "Permission denied"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.data: dict[str, object] = {}


class IsCaller(BasePermission):
    """Somebody we know: a person with a token or a service with a signature."""

    def has_permission(self, request: "Request", view: "APIView") -> bool:
        if not isinstance(request.user, Caller):
            raise NotAuthenticated
        return True


def require_scope(caller: Caller, scope: str) -> None:
    """Let people pass, and services that hold the scope; raises PermissionDenied for the others."""
    if caller.kind == "service" and scope not in caller.scopes:
        raise PermissionDenied(f"This needs the scope {scope}, which the client wasn't given.")


def require_person(caller: Caller) -> None:
    """Let people pass; raises PermissionDenied for a service."""
    if caller.kind != "person":
        raise PermissionDenied("Only a person can do this; use an access token.")


def require_permission(user: "User", permission: str, detail: str) -> None:
    """Let staff pass who have a permission, such as `wallets.ask_journal`; raises PermissionDenied for the others."""
    if not (user.is_active and user.is_staff and user.has_perm(permission)):
        raise PermissionDenied(f"{detail} It takes the permission {permission}: an administrator gives it, by a role.")
