"""A wallet's statement over HTTP, in the format that the caller asks for: its errors are problems in any of them."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from django.http import HttpResponseBase, StreamingHttpResponse
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from wallets.api.shapes import Kind, OwnerOut
from wallets.documents import formats
from wallets.documents.formats import XLSX
from wallets.history import Item
from wallets.statements.document import document, in_and_out
from wallets.statements.statement import Statement, statement


class StatementQuery(Struct, forbid_unknown_fields=True, kw_only=True, rename={"since": "from", "until": "to"}):
    """Days in UTC, both included."""

    since: date
    until: date
    format: Literal["json", "csv", "xlsx", "pdf"] = "json"


class StatementLine(Struct, rename={"came_in": "in", "went_out": "out"}):
    """One transaction: one of `in` and `out` is 0, `balance` is what the wallet stood at after it."""

    sequence: int
    transaction: UUID
    created_at: datetime
    type: Kind
    description: str
    reference: str
    counterparty: UUID | None
    came_in: int
    went_out: int
    balance: int


class StatementOut(Struct, rename={"since": "from", "until": "to"}):
    """opening_balance + total_in − total_out = closing_balance, in minor units; lines come oldest first."""

    wallet: UUID
    name: str
    owner: OwnerOut | None
    currency: str
    exponent: int
    since: date
    until: date
    opening_balance: int
    total_in: int
    total_out: int
    closing_balance: int
    lines: list[StatementLine]


def also_files(method: Callable[..., Any]) -> Callable[..., Any]:
    """Tell the OpenAPI document of the formats that aren't JSON."""

    described: Any = method.kwargs["schema"]  # type: ignore[attr-defined]

    class FilesSchema(described):
        def get_operation(self, *args: Any, **kwargs: Any) -> Any:
            told = super().get_operation(*args, **kwargs)
            content = told["responses"]["200"]["content"]
            content["text/csv"] = {"schema": {"type": "string"}}
            content |= {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (XLSX, "application/pdf")}
            return told

    method.kwargs["schema"] = FilesSchema  # type: ignore[attr-defined]
    return method


class StatementView(APIView):
    @also_files
    @operation(
        summary="A wallet's statement", query=StatementQuery, answers={200: StatementOut}, tags=("wallets",),
        errors=(400, 401, 403, 404, 429, 503),
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> HttpResponseBase:
        """As `json`, `csv`, `xlsx` or `pdf`. A workbook or PDF of very many lines is refused; json and csv are not."""
        which = wire.query(request, StatementQuery)
        found = statement(caller=caller_of(request), wallet_id=id, since=which.since, until=which.until)
        formats.check_fits(which.format, found.length)
        if which.format == "json":
            response = StreamingHttpResponse(_json(found), content_type="application/json")
            response["Cache-Control"] = "private, no-store"
            return response
        return formats.answer(document(found), which.format)


def _json(found: Statement) -> Iterator[bytes]:
    """A StatementOut in pieces: the lines are its last field, so they go in before the end of the empty list."""
    yield msgspec.json.encode(_head(found)).removesuffix(b"]}")
    comma = b""
    for chunk in found.chunks():
        yield comma + msgspec.json.encode([_line(item) for item in chunk])[1:-1]
        comma = b","
    yield b"]}"


def _head(found: Statement) -> StatementOut:
    wallet = found.wallet
    owner = OwnerOut(wallet.owner.pk, wallet.owner.email) if wallet.owner else None
    return StatementOut(
        wallet.id, wallet.name, owner, wallet.currency, found.exponent, found.since, found.until, found.opening,
        found.total_in, found.total_out, found.closing, [],
    )  # fmt: skip


def _line(item: Item) -> StatementLine:
    came_in, went_out = in_and_out(item)
    return StatementLine(
        item.sequence, item.id, item.created_at.astimezone(UTC), item.type, item.description, item.reference,  # type: ignore[arg-type]
        item.counterparty, came_in or 0, went_out or 0, item.balance_after,
    )  # fmt: skip
