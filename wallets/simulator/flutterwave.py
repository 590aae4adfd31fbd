"""Flutterwave's face, version 3: major numbers, one call for an order, a webhook that nothing but a word protects."""

import hmac
from decimal import Decimal
from typing import Any

import msgspec

from wallets.simulator import directory
from wallets.simulator.amounts import major
from wallets.simulator.bank import FEES, Bank, DuplicateReference, InsufficientBalance, Order, Refused, Transfer
from wallets.simulator.clock import iso
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.keys import Keys
from wallets.simulator.wire import Answer, Event, Face, Handler, Refusal, Request, Task, encode

STATUSES = {"success": "SUCCESSFUL", "failed": "FAILED", "reversed": "FAILED"}
# What the reference ends with in Flutterwave's sandbox, to steer what becomes of it.
STEERED_TO_FAIL = "_PMCK_ST_F"


class NewTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transfers."""

    account_bank: str
    account_number: str
    amount: Decimal
    currency: str
    reference: str
    debit_currency: str = ""
    narration: str = ""
    callback_url: str = ""
    beneficiary_name: str = ""
    meta: Any = None


class AccountQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /accounts/resolve."""

    account_number: str
    account_bank: str


class Customer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who pays in."""

    email: str
    name: str = ""
    phonenumber: str = ""


class NewPayment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /payments."""

    tx_ref: str
    amount: Decimal
    currency: str
    redirect_url: str
    customer: Customer
    meta: Any = None
    payment_options: str = ""
    customizations: Any = None


class Flutterwave(Face):
    """`https://api.flutterwave.com/v3`."""

    slug = "flutterwave"

    def __init__(self, bank: Bank, deposits: Deposits, keys: Keys) -> None:
        super().__init__(bank, deposits)
        self._key, self._hash = keys.flutterwave_secret, keys.flutterwave_hash

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/balances", self.balances),
            ("GET", "/balances/(?P<currency>[A-Z]{3})", self.balance),
            ("GET", "/banks/(?P<country>[A-Z]{2})", self.banks),
            ("POST", "/accounts/resolve", self.resolve),
            ("GET", "/transfers/fee", self.fee),
            ("POST", "/transfers", self.send),
            ("GET", "/transfers", self.query),
            ("GET", r"/transfers/(?P<number>\d+)", self.query_by_id),
            ("POST", "/payments", self.start_deposit),
            ("GET", "/transactions/verify_by_reference", self.query_deposit),
            ("GET", r"/transactions/(?P<number>\d+)/verify", self.query_deposit_by_id),
        ]

    def authorize(self, request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {self._key}".encode()):
            raise Refusal(_no(401, "Invalid authorization key"))

    def balances(self, request: Request) -> Task:
        """Every currency."""
        return self.task("balance", lambda: _yes("Wallet balances fetched", self._balances()))

    def balance(self, request: Request, currency: str) -> Task:
        """One currency."""

        def perform() -> Answer:
            found = [row for row in self._balances() if row["currency"] == currency]
            return _yes("Wallet balance fetched", found[0]) if found else _no(400, "Wallet not found")

        return self.task("balance", perform)

    def banks(self, request: Request, country: str) -> Task:
        """The banks of a country."""
        banks = directory.BANKS.get(directory.CURRENCIES.get(country, ""), {})
        rows = [{"id": number, "code": code, "name": name} for number, (code, name) in enumerate(banks.items(), 1)]
        return self.task("banks", lambda: _yes("Banks fetched successfully", rows))

    def resolve(self, request: Request) -> Task:
        """Whose account it is."""
        body = self.read(request, AccountQuestion)

        def perform() -> Answer:
            name = directory.holder(body.account_number) if directory.bank_name(body.account_bank) else None
            if name is None:
                return _no(400, "Sorry, recipient account could not be validated. Please try again")
            return _yes("Account details fetched", {"account_number": body.account_number, "account_name": name})

        return self.task("resolve", perform, account=body.account_number)

    def fee(self, request: Request) -> Task:
        """What a transfer costs."""
        row = {"currency": request.query.get("currency", "NGN"), "fee_type": "value", "fee": major(FEES[self.slug])}
        return self.task("other", lambda: _yes("Transfer fee fetched", [row]))

    def send(self, request: Request) -> Task:
        """Order a transfer."""
        body = self.read(request, NewTransfer)
        if not 0 < len(body.reference.strip()) <= 100:
            raise Refusal(self.invalid("reference should have 1 to 100 characters"))
        amount = self.positive(body.amount)
        return self.task("send", lambda: self._send(body, amount), body.reference, body.account_number)

    def _send(self, body: NewTransfer, amount: int) -> Answer:
        if directory.bank_name(body.account_bank, body.currency) is None:
            return _no(400, "Invalid account_bank passed")
        if body.currency == "NGN" and directory.holder(body.account_number) is None:
            return _no(400, "Account resolve failed")
        order = Order(
            provider=self.slug, reference=body.reference, currency=body.currency, amount=amount,
            bank_code=body.account_bank, account_number=body.account_number, narration=body.narration,
            will_fail=STEERED_TO_FAIL in body.reference,
            account_name=body.beneficiary_name or directory.holder(body.account_number) or "",
        )  # fmt: skip
        try:
            transfer = self.bank.send(order)
        except DuplicateReference:
            return _no(400, "Transfer with this reference already exists")
        except InsufficientBalance:
            return _no(400, "Insufficient balance to complete this transaction")
        except Refused:
            return _no(400, "Payout was made to a blacklisted account number")
        return _yes("Transfer Queued Successfully", _transfer(transfer, created=True))

    def query(self, request: Request) -> Task:
        """What has become of transfers; the filter also finds references that only begin so, which nobody excludes."""
        reference = request.query.get("reference", "")

        def perform() -> Answer:
            found = self._search(reference) if reference else self.bank.latest(self.slug)
            rows = [_transfer(one) for one in found]
            page = {"total": len(rows), "current_page": 1, "total_pages": 1}
            return Answer(200, _body("Transfers fetched", rows) | {"meta": {"page_info": page}})

        return self.task("query" if reference else "other", perform, reference)

    def query_by_id(self, request: Request, number: str) -> Task:
        """The same by Flutterwave's own number."""

        def perform() -> Answer:
            found = self.bank.get(self.slug, int(number))
            return _yes("Transfer fetched", _transfer(found)) if found else _no(404, "Transfer not found")

        return self.task("query", perform)

    def start_deposit(self, request: Request) -> Task:
        """Open a checkout."""
        body = self.read(request, NewPayment)
        amount = self.positive(body.amount)

        def perform() -> Answer:
            try:
                made = self.deposits.open(
                    provider=self.slug, reference=body.tx_ref, currency=body.currency, amount=amount,
                    email=body.customer.email, name=body.customer.name, return_url=body.redirect_url,
                    metadata=body.meta or {},
                )  # fmt: skip
            except DuplicateReference:
                return _no(400, "Transaction reference already used")
            return _yes("Hosted Link", {"link": f"{request.origin}/checkout/{made.token}"})

        return self.task("checkout", perform, body.tx_ref)

    def query_deposit(self, request: Request) -> Task:
        """What has become of a deposit, by the reference: there is none before somebody has tried to pay."""
        reference = request.query.get("tx_ref", "")
        return self.task("query_deposit", lambda: _found(self.deposits.find(self.slug, reference)), reference)

    def query_deposit_by_id(self, request: Request, number: str) -> Task:
        """The same by Flutterwave's own number."""
        return self.task("query_deposit", lambda: _found(self.deposits.get(self.slug, int(number))))

    def invalid(self, message: str) -> Answer:
        return _no(400, message)

    def no_such_route(self, request: Request) -> Answer:
        return _no(404, f"Cannot {request.method} {request.path}")

    def trouble(self, status: int) -> Answer:
        if status == 429:
            return Answer(429, _no(429, "Too many requests").body, {"Retry-After": "2"})
        return _no(status, "An error occurred. Please contact support")

    def transfer_event(self, transfer: Transfer) -> Event | None:
        if transfer.state not in STATUSES:
            return None
        data = _transfer(transfer) | {"approver": None}
        data["fullname"] = data.pop("full_name")
        return Event(
            "transfer.completed", encode({"event": "transfer.completed", "event.type": "Transfer", "data": data})
        )

    def deposit_event(self, deposit: Deposit) -> Event | None:
        if deposit.state == "open":
            return None
        kind = "BANK_TRANSFER_TRANSACTION" if deposit.kind == "collection" else "CARD_TRANSACTION"
        return Event(
            "charge.completed", encode({"event": "charge.completed", "event.type": kind, "data": _deposit(deposit)})
        )

    def signature(self, body: bytes, *, forged: bool = False) -> dict[str, str]:
        return {"verif-hash": "a-guess" if forged else self._hash}

    def return_query(self, deposit: Deposit) -> dict[str, str]:
        status = "successful" if deposit.state == "success" else "failed"
        return {"status": status, "tx_ref": deposit.reference, "transaction_id": str(deposit.id)}

    def _search(self, reference: str) -> list[Transfer]:
        alike = self.bank.beginning_with(self.slug, reference)
        return self.bank.find(self.slug, reference) + alike

    def _balances(self) -> list[dict[str, Any]]:
        return [
            {"currency": one.currency, "available_balance": major(one.available), "ledger_balance": major(one.ledger)}
            for one in self.bank.accounts.of(self.slug)
        ]


def _body(message: str, data: Any) -> dict[str, Any]:
    return {"status": "success", "message": message, "data": data}


def _yes(message: str, data: Any) -> Answer:
    return Answer(200, _body(message, data))


def _no(status: int, message: str) -> Answer:
    return Answer(status, {"status": "error", "message": message, "data": None})


def _found(deposit: Deposit | None) -> Answer:
    if deposit is None or deposit.state == "open":
        return _no(400, "No transaction was found for this id")
    return _yes("Transaction fetched successfully", _deposit(deposit))


def _transfer(transfer: Transfer, *, created: bool = False) -> dict[str, Any]:
    waits = transfer.state in ("otp", "approval")
    status = STATUSES.get(transfer.state, "NEW" if created or waits else "PENDING")
    bank = directory.bank_name(transfer.bank_code, transfer.currency) or ""
    return {
        "id": transfer.id, "account_number": transfer.account_number, "bank_code": transfer.bank_code,
        "full_name": transfer.account_name, "created_at": iso(transfer.created), "currency": transfer.said_currency,
        "debit_currency": transfer.currency, "amount": major(transfer.said_amount), "fee": major(transfer.fee),
        "status": transfer.word or status, "reference": transfer.reference, "meta": None,
        "narration": transfer.narration, "complete_message": _message(transfer), "requires_approval": int(waits),
        "is_approved": int(not waits), "bank_name": bank.upper(),
    }  # fmt: skip


def _message(transfer: Transfer) -> str:
    if transfer.state in ("failed", "reversed"):
        return f"DISBURSE FAILED: {transfer.detail}"
    return "Transaction was successful" if transfer.state == "success" else ""


def _deposit(deposit: Deposit) -> dict[str, Any]:
    paid = deposit.state == "success"
    return {
        "id": deposit.id, "tx_ref": deposit.reference, "flw_ref": f"FLW-{deposit.id}",
        "amount": major(deposit.paid if paid else deposit.asked), "charged_amount": major(deposit.charged),
        "app_fee": major(deposit.fee), "merchant_fee": 0, "currency": deposit.paid_currency,
        "status": "successful" if paid else "failed", "auth_model": "AUTH", "ip": "203.0.113.9",
        "payment_type": "bank_transfer" if deposit.kind == "collection" else "card",
        "processor_response": "Approved" if paid else "Declined", "narration": "Simulated", "account_id": 17,
        "amount_settled": major(deposit.settled), "meta": deposit.details, "created_at": iso(deposit.updated),
        "customer": {
            "id": 3, "name": deposit.name, "email": deposit.email, "phone_number": None,
            "created_at": iso(deposit.created),
        },
    }  # fmt: skip
