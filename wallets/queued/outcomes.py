"""What workers tell of their work."""

from dataclasses import dataclass

from users.callers import System

# Who the audit trail says it was.
WORKERS = System("transfers")


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of queued transfers: how many were made, refused, put off for later, and set aside for a person."""

    completed: int = 0
    failed: int = 0
    put_off: int = 0
    set_aside: int = 0

    def __add__(self, other: "Drained") -> "Drained":
        return Drained(
            self.completed + other.completed, self.failed + other.failed, self.put_off + other.put_off,
            self.set_aside + other.set_aside,
        )  # fmt: skip

    def __bool__(self) -> bool:
        return self != NOTHING


NOTHING = Drained()
