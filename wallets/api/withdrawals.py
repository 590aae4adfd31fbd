"""Money out: bank accounts, and withdrawals to them."""

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from users.api import wire
from users.api.schema import operation
from users.authentication import caller_of
from users.permissions import require_scope
from wallets import bank_accounts
from wallets.api import shapes
from wallets.api.lists import ListView, Page
from wallets.api.once import OnceView, body_of
from wallets.providing import chosen
from wallets.withdrawals import accept, cancel

TAGS = ("payouts",)
Status = Literal[
    "awaiting_approval", "pending", "processing", "in_review", "completed", "failed", "cancelled", "returned"
]


class WithdrawalFilter(Page):
    wallet: UUID | None = None
    status: Status | None = None


class BankFilter(Struct, forbid_unknown_fields=True, kw_only=True):
    provider: wire.Text | None = None
    country: Annotated[str, Meta(max_length=2)] = ""
    currency: Annotated[str, Meta(max_length=3)] = ""


class Withdrawals(Struct):
    """A page of withdrawals, newest first."""

    results: list[shapes.WithdrawalOut]
    next: str | None
    previous: str | None


class BankAccounts(Struct):
    """A page of bank accounts, newest first."""

    results: list[shapes.BankAccountOut]
    next: str | None
    previous: str | None


class Banks(Struct):
    """The banks that can be paid to."""

    results: list[shapes.BankOut]
    next: str | None = None
    previous: str | None = None


class WalletWithdrawalsView(OnceView):
    @operation(
        summary="Pay money out", body=shapes.WithdrawalIn, answers={202: shapes.WithdrawalOut}, tags=TAGS,
        idempotent=True,
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponse:
        """The money is held at once; a worker calls the bank, and `Location` tells how far it is."""
        caller, now = caller_of(request), timezone.now()
        require_scope(caller, "withdrawals:write")
        body = wire.convert(body_of(request), shapes.WithdrawalIn)

        def act() -> tuple[int, shapes.WithdrawalOut]:
            accepted = accept.withdraw(
                caller=caller, wallet_id=id, amount=body.amount, bank_account_id=body.bank_account,
                description=body.description, now=now,
            )  # fmt: skip
            return 202, shapes.withdrawal_out(accepted.withdrawal)

        return self.once(request, act, location="/api/v1/withdrawals/{id}")


class WithdrawalsView(ListView):
    @operation(summary="My withdrawals", query=WithdrawalFilter, answers={200: Withdrawals}, tags=TAGS)
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        which = wire.query(request, WithdrawalFilter)
        found = accept.visible(caller)
        if which.wallet is not None:
            found = found.filter(wallet_id=which.wallet)
        if which.status is not None:
            found = found.filter(status=which.status)
        return Response(self.pages.page(found, request, shapes.withdrawal_out))


class WithdrawalView(APIView):
    @operation(summary="A withdrawal", answers={200: shapes.WithdrawalOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        return Response(shapes.withdrawal_out(accept.find(caller, id)))


class CancelView(OnceView):
    @operation(
        summary="Cancel a withdrawal", body=shapes.Nothing, answers={200: shapes.WithdrawalOut}, tags=TAGS,
        idempotent=True,
    )  # fmt: skip
    def post(self, request: Request, id: UUID) -> HttpResponse:
        """Its money is given back, as long as nothing of it was sent to the bank."""
        caller, now = caller_of(request), timezone.now()
        require_scope(caller, "withdrawals:write")
        wire.convert(body_of(request), shapes.Nothing)

        def act() -> tuple[int, shapes.WithdrawalOut]:
            return 200, shapes.withdrawal_out(cancel.cancel(caller=caller, withdrawal_id=id, now=now))

        return self.once(request, act)


class BankAccountsView(ListView):
    @operation(summary="My bank accounts", query=Page, answers={200: BankAccounts}, tags=TAGS)
    def get(self, request: Request) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        wire.query(request, Page)
        return Response(self.pages.page(bank_accounts.visible(caller), request, shapes.bank_account_out))

    @operation(summary="Add a bank account", body=shapes.BankAccountIn, answers={201: shapes.BankAccountOut}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """The provider is asked whose account it is; only its last four digits are shown from then on."""
        body = wire.read(request, shapes.BankAccountIn)
        account = bank_accounts.add(
            caller=caller_of(request), provider=body.provider, bank_code=body.bank_code,
            account_number=body.account_number, currency=body.currency, now=timezone.now(),
        )  # fmt: skip
        return Response(
            shapes.bank_account_out(account), status=201, headers={"Location": f"{request.path}/{account.id}"}
        )


class BankAccountView(APIView):
    @operation(summary="A bank account", answers={200: shapes.BankAccountOut}, tags=TAGS)
    def get(self, request: Request, id: UUID) -> Response:
        caller = caller_of(request)
        require_scope(caller, "wallets:read")
        return Response(shapes.bank_account_out(bank_accounts.find(caller, id)))

    @operation(summary="Remove a bank account", answers={204: None}, tags=TAGS)
    def delete(self, request: Request, id: UUID) -> Response:
        bank_accounts.remove(caller=caller_of(request), id=id, now=timezone.now())
        return Response(status=204)


class BanksView(APIView):
    @operation(summary="Banks that can be paid to", query=BankFilter, answers={200: Banks}, tags=TAGS)
    def get(self, request: Request) -> Response:
        which = wire.query(request, BankFilter)
        banks = chosen(which.provider).list_banks(which.country, which.currency)
        return Response(Banks([shapes.BankOut(bank.code, bank.name) for bank in banks]))
