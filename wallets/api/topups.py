"""Money in through a provider's checkout."""

from typing import Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from users.permissions import require_person, require_scope
from wallets.api import shapes
from wallets.api.lists import ListView, Page
from wallets.api.once import OnceView, body_of, claim_of
from wallets.idempotency import find, remember
from wallets.models import TopUp
from wallets.topups import start

TAGS = ("money",)


class TopUpFilter(Page):
    wallet: UUID | None = None
    status: Literal["pending", "completed", "failed", "expired"] | None = None


class TopUps(Struct):
    """A page of top-ups, newest first."""

    results: list[shapes.TopUpOut]
    next: str | None
    previous: str | None


class WalletTopUpsView(OnceView):
    @operation(
        summary="Pay money in", body=shapes.TopUpIn, answers={201: shapes.TopUpOut}, tags=TAGS, idempotent=True,
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponse:
        """For people. `checkout_url` is where they pay; the wallet is credited when the provider confirms it."""
        caller, now = caller_of(request), timezone.now()
        require_person(caller)
        body = wire.convert(body_of(request), shapes.TopUpIn)
        claim = claim_of(request)
        made: list[TopUp] = []
        if find(claim) is None:
            try:
                made.append(start.start(
                    caller=caller, wallet_id=id, amount=body.amount, provider_slug=body.provider, claim=claim, now=now
                ))  # fmt: skip
            except Exception as error:
                return self.answered(request, remember(claim, self.refusal(error), now=now))
        return self.once(request, lambda: (201, shapes.top_up_out(made[0])), location="/api/v1/top-ups/{id}")


class TopUpsView(ListView):
    @operation(summary="My top-ups", query=TopUpFilter, answers={200: TopUps}, tags=TAGS)
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        which = wire.query(request, TopUpFilter)
        found = start.visible(caller)
        if which.wallet is not None:
            found = found.filter(wallet_id=which.wallet)
        if which.status is not None:
            found = found.filter(status=which.status)
        return Response(self.pages.page(found, request, shapes.top_up_out))


class TopUpView(APIView):
    @operation(summary="A top-up", answers={200: shapes.TopUpOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        return Response(shapes.top_up_out(start.find(caller, id)))
