"""A deed that waits for a second person: plain data, with what it rests on and how it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from msgspec import Struct

from users.models import User


@dataclass(frozen=True, slots=True)
class Two:
    """Who asked for a deed and why, and who approved it. The audit trail names the second, who let it happen."""

    asked: User
    approved: User
    reason: str

    @property
    def actor(self) -> tuple[str, str]:
        return self.approved.actor


class Deed(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for. Its fields are stored as they are, and read back when it is decided."""

    kind: ClassVar[str]

    def subject(self) -> tuple[str, str]:
        """What it is about, by kind and id: decisions about one thing are made one after the other."""
        raise NotImplementedError

    def says(self) -> str:
        """What is asked for, in a sentence for those who decide."""
        raise NotImplementedError

    def basis(self) -> Mapping[str, Any]:
        """The state of things that it rests on. Raises the refusal of what can't be asked for."""
        raise NotImplementedError

    def do(self, by: Two, *, proposal: UUID, now: datetime) -> UUID | None:
        """Do it, inside the caller's transaction; returns the ledger's transaction where there is one."""
        raise NotImplementedError
