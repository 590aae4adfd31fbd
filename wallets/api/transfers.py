"""Money across: one transfer, or up to ten thousand."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from users.callers import Caller
from users.permissions import require_scope
from users.validation import FieldError, ValidationError
from wallets import access, metrics
from wallets.access import NotFound
from wallets.api import shapes
from wallets.api.grouped import Grouped
from wallets.api.once import OnceView, body_of, encoded
from wallets.api.prefer import RESPOND_ASYNC, respond_async
from wallets.models import Transfer
from wallets.queued.accept import accept_each
from wallets.transfers import Order, Outcome, Transferred, ask_routes, transfer_batch, transfer_each

TAGS = ("money",)
PREFER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="`respond-async`: queue it and answer at once (RFC 7240). Other preferences are passed over.",
)


make: Grouped[Order] = Grouped(
    transfer_each, lambda made, now: encoded(201, shapes.transferred_out(made, now)), look=ask_routes
)
queue: Grouped[Order] = Grouped(accept_each, lambda queued, _: encoded(202, shapes.queued_out(queued)), look=ask_routes)


class TransfersView(OnceView):
    @operation(
        summary="Move money", body=shapes.TransferIn,
        answers={201: shapes.TransferOut, 202: shapes.TransferOut}, tags=TAGS, idempotent=True, headers=(PREFER,),
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """To a wallet (`destination`) or to a user's default wallet in the currency (`destination_user`).

        With `Prefer: respond-async` it is queued, and the answer is 202: ask for the transfer to see how it ends.
        """
        caller = caller_of(request)
        require_scope(caller, "transfers:write")
        body = wire.convert(body_of(request), shapes.TransferIn)
        _check_destination(body)

        later = respond_async(request)
        answer = (queue if later else make)(self, request, _order(caller, body))
        response = self.answered(request, answer, location=f"{request.path}/{{id}}")
        if later and answer.status == 202:
            response["Preference-Applied"] = RESPOND_ASYNC
        return response


class BatchView(OnceView):
    body_limit = settings.BATCH_BODY_LIMIT

    @operation(
        summary="Move money many times", body=shapes.BatchIn, answers={200: shapes.BatchOut}, tags=TAGS,
        idempotent=True,
    )  # fmt: skip
    def post(self, request: Request) -> HttpResponse:
        """Items run in order, each sees what those before it did. `atomic`: all or none."""
        caller = caller_of(request)
        require_scope(caller, "transfers:write")
        body = wire.convert(body_of(request), shapes.BatchIn)
        _check_destinations(body)
        orders = [_order(caller, item) for item in body.transfers]

        def act() -> tuple[int, shapes.BatchOut]:
            # Taken anew at each try: others may have posted since.
            return 200, _batch_out(transfer_batch(orders, whole=body.atomic, now=timezone.now()))

        # What is atomic is undone by itself where one is refused, which needs its own way through the books.
        return self.once(request, act, pipelined=not body.atomic)


class TransferView(APIView):
    @operation(summary="A transfer", answers={200: shapes.TransferOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        """How far it is: `queued`; or for good `completed`, or `failed` with a `failure` that tells why."""
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        found = Transfer.objects.filter(_ends(caller), pk=id).first()
        if found is None:
            raise NotFound("transfer")
        return Response(shapes.transfer_out(found))


def _ends(caller: Caller) -> Q:
    """Transfers that the caller may see: from or to a wallet that they may see."""
    if caller.kind == "service":
        return Q()
    mine = access.visible(caller).values("pk")
    return Q(source_id__in=mine) | Q(destination_id__in=mine)


def _order(caller: Caller, body: shapes.TransferIn) -> Order:
    return Order(
        caller=caller, source=body.source, amount=body.amount, destination=body.destination,
        destination_user=body.destination_user,
        description=body.description, reference=body.reference, metadata=body.metadata,
    )  # fmt: skip


def _check_destination(body: shapes.TransferIn) -> None:
    if errors := _destination_errors(body, "destination"):
        raise ValidationError(errors)


def _check_destinations(body: shapes.BatchIn) -> None:
    errors = [
        error
        for index, item in enumerate(body.transfers)
        for error in _destination_errors(item, f"transfers.{index}.destination")
    ]
    if errors:
        raise ValidationError(errors[:100])


def _destination_errors(body: shapes.TransferIn, field: str) -> list[FieldError]:
    if (body.destination is None) != (body.destination_user is None):
        return []
    code = "required" if body.destination is None else "conflict"
    return [FieldError(field=field, code=code, detail="Send either a destination or a destination_user.")]


def _batch_out(outcomes: Sequence[Outcome]) -> shapes.BatchOut:
    items = [
        shapes.BatchItemOut(index, "completed", outcome.order.id)
        if isinstance(outcome, Transferred)
        else shapes.BatchItemOut(index, "failed", code=outcome.code, detail=str(outcome))
        for index, outcome in enumerate(outcomes)
    ]
    for item in items:
        if item.code is not None:
            metrics.refused(item.code)
    completed = sum(item.id is not None for item in items)
    return shapes.BatchOut(items, completed, len(items) - completed)
