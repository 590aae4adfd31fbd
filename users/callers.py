"""Who is calling, as every other module sees it: a small value, never a database row."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol
from uuid import UUID

from msgspec import Struct


class NotAuthenticated(Exception):
    """We don't know who is calling. The base of every refusal that is answered with 401."""

    code: ClassVar[str] = "not_authenticated"
    title: ClassVar[str] = "Not authenticated"

    def __init__(self, detail: str = "Send an access token, or sign the request.") -> None:
        super().__init__(detail)
        self.data: dict[str, object] = {}


class Actor(Protocol):
    """Whoever the audit trail can name: a Caller, a System, or a User row in the back office."""

    @property
    def actor(self) -> tuple[str, str]:
        """Kind (person, service, staff or system) and id."""


class Caller(Struct, frozen=True):
    """A person or a service behind one request. It is `request.user` of the API."""

    kind: Literal["person", "service"]
    id: UUID
    scopes: frozenset[str] = frozenset()
    is_staff: bool = False

    is_authenticated: ClassVar[bool] = True

    @property
    def key(self) -> str:
        """The caller in one word, for idempotency keys and rate limits."""
        return f"{self.kind}:{self.id}"

    @property
    def pk(self) -> UUID:
        """The name under which Django REST framework looks for an id."""
        return self.id

    @property
    def actor(self) -> tuple[str, str]:
        return "staff" if self.is_staff else self.kind, str(self.id)


@dataclass(frozen=True, slots=True)
class System:
    """The product itself: a periodic job, a worker, a management command."""

    name: str

    @property
    def actor(self) -> tuple[str, str]:
        return "system", self.name
