"""The one refusal of what a caller wrote, with the fields that were wrong."""

from collections.abc import Sequence
from typing import ClassVar, Self, TypedDict


class FieldError(TypedDict):
    """What is wrong with one field; `field` is its path, as in `transfers.3.amount`, and empty for the whole body."""

    field: str
    code: str
    detail: str


class ValidationError(Exception):
    """The body or query isn't what we take; `data["errors"]` names each wrong field."""

    code: ClassVar[str] = "validation_error"
    title: ClassVar[str] = "Validation error"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(_sentence(error) for error in errors[:3]))
        self.errors = list(errors)
        self.data: dict[str, object] = {"errors": self.errors}

    @classmethod
    def on(cls, field: str, code: str, detail: str) -> Self:
        """The refusal of a single field."""
        return cls([FieldError(field=field, code=code, detail=detail)])


def _sentence(error: FieldError) -> str:
    return f"{error['field']}: {error['detail']}" if error["field"] else error["detail"]
