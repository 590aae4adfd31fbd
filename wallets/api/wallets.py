"""Wallets, their members, balances and histories."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from django.db.models import F, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger.balances import Standing
from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from users.callers import Caller
from users.permissions import require_scope
from users.validation import ValidationError
from wallets import access, balances, history, opening
from wallets.access import Need, NotFound
from wallets.api import shapes
from wallets.api.lists import ListView, Page
from wallets.api.shapes import Kind
from wallets.balances import Ask
from wallets.models import Member, Wallet
from wallets.together import DATABASE_AWAY, Together

TAGS = ("wallets",)
# A moment, or a day: then the whole of it is meant.
When = Annotated[str, Meta(max_length=40, examples=["2026-01-20T10:00:00Z", "2026-01-20"])]


class WalletFilter(Page):
    currency: Annotated[str, Meta(max_length=3)] | None = None
    status: Literal["active", "frozen", "closed"] | None = None
    owner: wire.Text | None = None


class HistoryFilter(Page, rename={"since": "from", "until": "to", "type_": "type"}):
    type_: Kind | None = None
    direction: Literal["credit", "debit"] | None = None
    since: When | None = None
    until: When | None = None
    offset: Annotated[int, Meta(ge=0)] | None = None


class BalanceQuery(Struct, forbid_unknown_fields=True, kw_only=True):
    at: When | None = None


class Wallets(Struct):
    """A page of wallets, newest first."""

    results: list[shapes.WalletOut]
    next: str | None
    previous: str | None


class Transactions(Struct, omit_defaults=True):
    """A page of a wallet's history, newest first; `count` where it was asked for by offset."""

    results: list[shapes.TransactionOut]
    next: str | None
    previous: str | None
    count: int | None = None


class Members(Struct):
    """Everybody in a wallet."""

    results: list[shapes.MemberOut]
    next: str | None = None
    previous: str | None = None


class WalletsView(ListView):
    @operation(summary="My wallets", query=WalletFilter, answers={200: Wallets}, tags=TAGS)
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        which = wire.query(request, WalletFilter)
        found = _roles(caller, access.visible(caller).select_related("owner"))
        if which.currency:
            found = found.filter(currency=which.currency)
        if which.status:
            found = found.filter(status=which.status)
        if which.owner is not None:
            found = _of_owner(found, caller, which.owner)
        return Response(self.pages.page(found, request, lambda wallet: shapes.wallet_out(wallet, _role(wallet))))

    @operation(summary="Open a wallet", body=shapes.WalletIn, answers={201: shapes.WalletOut}, tags=TAGS)
    def post(self, request: Request) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:write")
        body = wire.read(request, shapes.WalletIn)
        wallet = opening.open_wallet(
            caller=caller, currency=body.currency, name=body.name, owner=body.owner, metadata=body.metadata,
            now=timezone.now(),
        )  # fmt: skip
        return Response(_show(caller, wallet.id), status=201, headers={"Location": f"{request.path}/{wallet.id}"})


class WalletView(APIView):
    @operation(summary="A wallet", answers={200: shapes.WalletOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        return Response(_show(caller, id))

    @operation(summary="Rename a wallet", body=shapes.WalletChange, answers={200: shapes.WalletOut}, tags=TAGS)
    def patch(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:write")
        body = wire.read(request, shapes.WalletChange)
        opening.change_wallet(caller=caller, wallet_id=id, name=body.name, metadata=body.metadata, now=timezone.now())
        return Response(_show(caller, id))


class CloseView(APIView):
    @operation(summary="Close an empty wallet for ever", answers={200: shapes.WalletOut}, tags=TAGS)
    def post(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:write")
        wire.read(request, shapes.In)
        opening.close_wallet(caller=caller, wallet_id=id, now=timezone.now())
        return Response(_show(caller, id))


class MembersView(APIView):
    @operation(summary="Who is in a wallet", answers={200: Members}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        access.enter(caller, id, Need.VIEW)
        members = Member.objects.filter(wallet_id=id).select_related("user").order_by("-pk")
        return Response(Members([_member(member) for member in members]))

    @operation(summary="Let somebody in", body=shapes.MemberIn, answers={201: shapes.MemberOut}, tags=TAGS)
    def post(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:write")
        body = wire.read(request, shapes.MemberIn)
        member = opening.add_member(caller=caller, wallet_id=id, user=body.user, role=body.role, now=timezone.now())
        return Response(_member(member), status=201)


class MemberView(APIView):
    @operation(summary="Take somebody out", answers={204: None}, tags=TAGS)
    def delete(self, request: Request, id: UUID, user_id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:write")
        opening.remove_member(caller=caller, wallet_id=id, user_id=user_id, now=timezone.now())
        return Response(status=204)


class BalanceView(APIView):
    @operation(summary="The exact balance", query=BalanceQuery, answers={200: shapes.BalanceOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> HttpResponse:
        """Now, or as it stood `at` a moment. Carries an ETag: send it back as If-None-Match."""
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        moment = read_moment(wire.query(request, BalanceQuery).at, "at") if request.GET else None
        if moment is None:
            standing, moment = together(Ask(caller, id))
            if isinstance(standing, NotFound):
                raise standing
        else:
            standing = balances.balance_at(caller=caller, wallet_id=id, moment=moment, now=timezone.now())
        return _tagged(request, shapes.balance_out(id, standing, moment))


class TransactionsView(ListView):
    @operation(summary="What happened in a wallet", query=HistoryFilter, answers={200: Transactions}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        """Newest first. With `offset` the answer has a `count`; any offset costs what the first page does."""
        which = wire.query(request, HistoryFilter)
        book = history.book(
            caller=caller_of(request), wallet_id=id, type_=which.type_, direction=which.direction,
            since=read_moment(which.since, "from"), until=read_moment(which.until, "to", end=True),
        )  # fmt: skip
        pages, limit = self.pages, self.pages.limit(request)
        offset, position = pages.offset(request), pages.position(request, int)
        if offset is not None:
            items = book.page(limit=limit, offset=offset)
            results = [shapes.transaction_out(item) for item in items]
            return Response(pages.offset_answer(request, results, offset=offset, limit=limit, count=book.count()))
        items, older, newer = _around(book, position, limit)
        results = [shapes.transaction_out(item) for item in items]
        return Response(pages.answer(request, results, older, newer))


def _balances_together(asks: Sequence[Ask]) -> list[tuple[Standing | NotFound, datetime]]:
    """Read for requests that arrived together: no request is answered with what was read before it came."""
    now = timezone.now()
    return [(standing, now) for standing in balances.balances(asks, now=now)]


together = Together(_balances_together, limit=200, shared=DATABASE_AWAY)


def _around(book: history.Book, position: Any, limit: int) -> tuple[list[history.Item], int | None, int | None]:
    """The page at a position, and the positions of those after and before it, None where there is nothing more."""
    if position is None:
        items = book.page(limit=limit + 1)
    elif position.back:
        items = book.newer(position.at, limit=limit + 1)
        more, items = len(items) > limit, items[-limit:]
        return items, items[-1].sequence if items else None, items[0].sequence if items and more else None
    else:
        items = book.older(position.at, limit=limit + 1)
    more, items = len(items) > limit, items[:limit]
    newer = items[0].sequence if items and position is not None else None
    return items, items[-1].sequence if more else None, newer


def read_moment(text: str | None, field: str, *, end: bool = False) -> datetime | None:
    """A moment with its zone, or a day in UTC: its first instant, or its last with `end`. Raises ValidationError."""
    if text is None:
        return None
    try:
        if len(text) == 10:
            day = datetime.combine(date.fromisoformat(text), time(), UTC)
            return day + timedelta(days=1, microseconds=-1) if end else day
        return msgspec.convert(text, Annotated[datetime, Meta(tz=True)]).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValidationError.on(field, "invalid", "Write 2026-01-20T10:00:00Z, or 2026-01-20 for a day.") from error


def _tagged(request: Request, body: shapes.BalanceOut) -> HttpResponse:
    """The balance with its ETag, or 304 where the client has it already."""
    tag = f'"{body.version}.{body.balance}.{body.held}.{body.pending}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "X-Balance-Estimated": "false"}
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known and tag in [part.strip().removeprefix("W/") for part in known.split(",")]:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(msgspec.json.encode(body), content_type="application/json", headers=headers)


def _show(caller: Caller, id: UUID) -> shapes.WalletOut:
    wallet = _roles(caller, access.visible(caller).select_related("owner")).filter(pk=id).first()
    if wallet is None:
        raise NotFound("wallet")
    return shapes.wallet_out(wallet, _role(wallet))


def _roles(caller: Caller, wallets: QuerySet[Wallet]) -> QuerySet[Wallet]:
    """Wallets with the caller's role in each as `role`."""
    if caller.kind == "service":
        return wallets
    return wallets.annotate(role=F("members__role"))


def _role(wallet: Wallet) -> str | None:
    return getattr(wallet, "role", None)


def _of_owner(wallets: QuerySet[Wallet], caller: Caller, owner: str) -> QuerySet[Wallet]:
    if caller.kind != "service":
        raise ValidationError.on("owner", "unknown_field", "Only services can ask for somebody's wallets.")
    try:
        return wallets.filter(owner_id=UUID(owner))
    except ValueError:
        return wallets.filter(owner__email=owner.strip().lower())


def _member(member: Member) -> shapes.MemberOut:
    user = member.user
    return shapes.MemberOut(user.pk, user.email, user.full_name, member.role, member.created_at.astimezone(UTC))
