"""Money in."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from wallets.api import shapes
from wallets.api.once import OnceView, body_of
from wallets.deposits import check_may_deposit, deposit


class DepositsView(OnceView):
    @operation(
        summary="Credit a wallet", body=shapes.DepositIn, answers={201: shapes.DepositOut}, tags=("money",),
        idempotent=True,
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponse:
        """For services with the scope `deposits:write`, and staff. Spendable from `release_at` on, to the instant."""
        caller, now = caller_of(request), timezone.now()
        check_may_deposit(caller)
        body = wire.convert(body_of(request), shapes.DepositIn)
        release_at = wire.in_utc(body.release_at, "release_at") if body.release_at else None

        def act() -> tuple[int, shapes.DepositOut]:
            made = deposit(
                caller=caller, wallet_id=id, amount=body.amount, release_at=release_at, reference=body.reference,
                description=body.description, metadata=body.metadata, now=now,
            )  # fmt: skip
            return 201, shapes.deposit_out(made, now)

        return self.once(request, act)
