"""Who may do what in the back office."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from users import staff
from users.models import User
from wallets.access import NotFound
from wallets.proposals.deed import Deed, Two


class StaffRoles(Deed, frozen=True):
    """Give a person these roles in the back office, and no others; with none they are staff no longer."""

    kind: ClassVar[str] = "roles"

    user: UUID
    roles: tuple[str, ...]

    def subject(self) -> tuple[str, str]:
        return "user", str(self.user)

    def says(self) -> str:
        return f"Make {self._found()} {', '.join(self.roles) or 'no longer staff'}."

    def basis(self) -> Mapping[str, Any]:
        user = self._found()
        staff.check_roles(self.roles)
        return {"roles": staff.roles_of(user), "superuser": user.is_superuser}

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> None:
        staff.give_roles(self._found(), self.roles, actor=by, now=now)

    def _found(self) -> User:
        user = User.objects.filter(pk=self.user, is_active=True).first()
        if user is None:
            raise NotFound("person")
        return user
