"""Paystack's face: hundredths as integers, recipients first, and references of 16 to 50 small letters."""

import hashlib
import hmac
import re
from decimal import Decimal
from typing import Any, Literal

import msgspec

from wallets.simulator import directory
from wallets.simulator.amounts import CENT, LARGEST, minor
from wallets.simulator.bank import Bank, DuplicateReference, InsufficientBalance, Order, Refused, Transfer
from wallets.simulator.clock import iso
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.directory import Recipient
from wallets.simulator.keys import Keys
from wallets.simulator.wire import Answer, Event, Face, Handler, Refusal, Request, Task, encode

TRANSFER_REFERENCE = re.compile(r"[a-z0-9_-]{16,50}")
TRANSACTION_REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}")
INTEGRATION = 77
OTP = "123456"
STATUSES = {"approval": "received"}
DEPOSIT_STATUSES = {"open": "abandoned"}
COUNTRIES = {"nigeria": "NGN", "ghana": "GHS", "kenya": "KES", "south africa": "ZAR"}


class NewRecipient(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transferrecipient."""

    type: Literal["nuban", "ghipss", "mobile_money", "kepss", "basa"]
    name: str
    account_number: str
    bank_code: str
    currency: str = "NGN"
    description: str = ""
    metadata: Any = None


class NewTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transfer."""

    source: Literal["balance"]
    amount: int
    recipient: str
    reference: str
    reason: str = ""
    currency: str = "NGN"


class FinalTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transfer/finalize_transfer."""

    transfer_code: str
    otp: str


class NewTransaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """POST /transaction/initialize."""

    email: str
    amount: int | str
    reference: str
    currency: str = "NGN"
    callback_url: str = ""
    metadata: Any = None
    channels: list[str] | None = None


class Paystack(Face):
    """`https://api.paystack.co`."""

    slug = "paystack"

    def __init__(self, bank: Bank, deposits: Deposits, keys: Keys) -> None:
        super().__init__(bank, deposits)
        self._key = keys.paystack_secret

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/balance", self.balance),
            ("GET", "/bank", self.banks),
            ("GET", "/bank/resolve", self.resolve),
            ("POST", "/transferrecipient", self.add_recipient),
            ("POST", "/transfer", self.send),
            ("GET", "/transfer", self.list_transfers),
            ("POST", "/transfer/finalize_transfer", self.finalize),
            ("GET", "/transfer/verify/(?P<reference>[^/]+)", self.query),
            ("GET", "/transfer/(?P<number>[^/]+)", self.query_by_id),
            ("POST", "/transaction/initialize", self.start_deposit),
            ("GET", "/transaction/verify/(?P<reference>[^/]+)", self.query_deposit),
            ("GET", r"/transaction/(?P<number>\d+)", self.query_deposit_by_id),
        ]

    def authorize(self, request: Request) -> None:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {self._key}".encode()):
            raise Refusal(_no(401, "Invalid key", type="validation_error", code="invalid_Key"))

    def balance(self, request: Request) -> Task:
        """What can be paid out."""

        def perform() -> Answer:
            rows = [
                {"currency": one.currency, "balance": minor(one.available)} for one in self.bank.accounts.of(self.slug)
            ]
            return _yes("Balances retrieved", rows)

        return self.task("balance", perform)

    def banks(self, request: Request) -> Task:
        """The banks of a country or of a currency, all on one page."""
        currency = request.query.get("currency") or COUNTRIES.get(request.query.get("country", "nigeria").lower(), "")
        rows = [
            {"id": number, "name": name, "slug": name.lower().replace(" ", "-"), "code": code, "longcode": "",
             "active": True, "currency": currency, "type": "nuban"}
            for number, (code, name) in enumerate(directory.BANKS.get(currency, {}).items(), 1)
        ]  # fmt: skip
        meta = {"next": None, "previous": None, "perPage": len(rows)}
        return self.task("banks", lambda: Answer(200, _body("Banks retrieved", rows) | {"meta": meta}))

    def resolve(self, request: Request) -> Task:
        """Whose account it is."""
        account, bank = request.query.get("account_number", ""), request.query.get("bank_code", "")

        def perform() -> Answer:
            name = directory.holder(account) if directory.bank_name(bank) else None
            if name is None:
                return _no(
                    422, "Could not resolve account name. Check parameters or try again.", code="invalid_bank_code"
                )
            return _yes(
                "Account number resolved", {"account_number": account, "account_name": name.upper(), "bank_id": 1}
            )

        return self.task("resolve", perform, account=account)

    def add_recipient(self, request: Request) -> Task:
        """Remember whom to pay; the same account again is the same recipient."""
        body = self.read(request, NewRecipient)

        def perform() -> Answer:
            if directory.bank_name(body.bank_code, body.currency) is None:
                return _no(400, "Bank is invalid", code="invalid_bank_code")
            if body.currency == "NGN" and directory.holder(body.account_number) is None:
                return _no(400, "Account number is invalid", code="invalid_account_number")
            made = self.bank.recipients.remember(
                provider=self.slug, type=body.type, name=body.name, bank_code=body.bank_code,
                account_number=body.account_number, currency=body.currency,
            )  # fmt: skip
            return Answer(201, _body("Transfer recipient created successfully", _recipient(made)))

        return self.task("recipient", perform, account=body.account_number)

    def send(self, request: Request) -> Task:
        """Order a transfer."""
        body = self.read(request, NewTransfer)
        if TRANSFER_REFERENCE.fullmatch(body.reference) is None:
            raise Refusal(self.invalid("reference must be 16 to 50 of a-z, 0-9, - and _"))
        amount = self._amount(body.amount)
        recipient = self.bank.recipients.find(body.recipient)

        def perform() -> Answer:
            if recipient is None or recipient.currency != body.currency:
                return _no(
                    400, "Recipient specified is invalid", code="invalid_transfer_recipient",
                    meta={"nextStep": "Provide a valid recipient code"},
                )  # fmt: skip
            return self._send(body, amount, recipient)

        return self.task("send", perform, body.reference, recipient.account_number if recipient else "")

    def _send(self, body: NewTransfer, amount: int, recipient: Recipient) -> Answer:
        order = Order(
            provider=self.slug, reference=body.reference, currency=body.currency, amount=amount,
            bank_code=recipient.bank_code, account_number=recipient.account_number, account_name=recipient.name,
            narration=body.reason, recipient=recipient.id,
        )  # fmt: skip
        try:
            transfer = self.bank.send(order)
        except DuplicateReference:
            return _no(
                400, "Please provide a unique reference. Reference already exists on a transfer",
                code="duplicate_transfer_reference", meta={"nextStep": "Create a new reference for the new transfer"},
            )  # fmt: skip
        except InsufficientBalance:
            return _no(400, "Your balance is not enough to fulfill this request", code="insufficient_balance")
        except Refused as refused:
            return _no(400, str(refused), code="transfer_unavailable")
        needs_otp = transfer.state == "otp"
        return _yes(
            "Transfer requires OTP to continue" if needs_otp else "Transfer has been queued", _transfer(transfer)
        )

    def finalize(self, request: Request) -> Task:
        """The one-time password of a person: it is always 123456."""
        body = self.read(request, FinalTransfer)

        def perform() -> Answer:
            transfer = self._by_code(body.transfer_code)
            if transfer is None:
                return _no(404, "Transfer not found")
            if body.otp != OTP or transfer.state != "otp":
                return _no(400, "OTP could not be verified", code="invalid_otp")
            self.bank.move(transfer.id, "success")
            return _yes("Transfer has been queued", _transfer(self.bank.get(self.slug, transfer.id) or transfer))

        return self.task("other", perform)

    def query(self, request: Request, reference: str) -> Task:
        """What has become of a transfer, by the reference."""

        def perform() -> Answer:
            found = self.bank.find(self.slug, reference)
            return _yes("Transfer retrieved", self._full(found[0])) if found else _no(404, "Transfer not found")

        return self.task("query", perform, reference)

    def query_by_id(self, request: Request, number: str) -> Task:
        """The same by Paystack's own number or code."""

        def perform() -> Answer:
            found = self.bank.get(self.slug, int(number)) if number.isdecimal() else self._by_code(number)
            return _yes("Transfer retrieved", self._full(found)) if found else _no(404, "Transfer not found")

        return self.task("query", perform)

    def list_transfers(self, request: Request) -> Task:
        """The newest hundred."""

        def perform() -> Answer:
            rows = [self._full(one) for one in self.bank.latest(self.slug)]
            meta = {"total": len(rows), "skipped": 0, "perPage": 100, "page": 1, "pageCount": 1}
            return Answer(200, _body("Transfers retrieved", rows) | {"meta": meta})

        return self.task("other", perform)

    def start_deposit(self, request: Request) -> Task:
        """Open a checkout."""
        body = self.read(request, NewTransaction)
        if TRANSACTION_REFERENCE.fullmatch(body.reference) is None:
            raise Refusal(self.invalid("reference may only have letters, digits, -, . and ="))
        amount = self._amount(body.amount)

        def perform() -> Answer:
            try:
                made = self.deposits.open(
                    provider=self.slug, reference=body.reference, currency=body.currency, amount=amount,
                    email=body.email, name="", return_url=body.callback_url, metadata=body.metadata or {},
                )  # fmt: skip
            except DuplicateReference:
                return _no(400, "Duplicate Transaction Reference", code="duplicate_reference")
            link = f"{request.origin}/checkout/{made.token}"
            data = {"authorization_url": link, "access_code": made.token, "reference": made.reference}
            return _yes("Authorization URL created", data)

        return self.task("checkout", perform, body.reference)

    def query_deposit(self, request: Request, reference: str) -> Task:
        """What has become of a deposit, by the reference."""
        return self.task("query_deposit", lambda: _found(self.deposits.find(self.slug, reference)), reference)

    def query_deposit_by_id(self, request: Request, number: str) -> Task:
        """The same by Paystack's own number."""
        return self.task("query_deposit", lambda: _found(self.deposits.get(self.slug, int(number))))

    def invalid(self, message: str) -> Answer:
        return _no(
            400, message, code="invalid_params", meta={"nextStep": "Check the parameters against the documentation"}
        )

    def no_such_route(self, request: Request) -> Answer:
        return _no(404, "Route not found", type="api_error")

    def trouble(self, status: int) -> Answer:
        if status != 429:
            return _no(status, "An error occurred, please try again", type="api_error", code="unknown")
        headers = {
            "Retry-After": "2",
            "X-RateLimit-Limit": "600",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "2",
        }
        answer = _no(429, "Rate limit exceeded!", type="api_error", code="rate_limited")
        return Answer(429, answer.body, headers)

    def transfer_event(self, transfer: Transfer) -> Event | None:
        if transfer.state not in ("success", "failed", "reversed") or transfer.word == "abandoned":
            return None
        data = self._full(transfer)
        data["integration"] = {"id": INTEGRATION, "is_live": False, "business_name": "Simulated"}
        if transfer.state != "success":
            data["created_at"], data["updated_at"] = data.pop("createdAt"), data.pop("updatedAt")
        name = f"transfer.{transfer.state}"
        return Event(name, encode({"event": name, "data": data}))

    def deposit_event(self, deposit: Deposit) -> Event | None:
        if deposit.state != "success":
            return None
        return Event("charge.success", encode({"event": "charge.success", "data": _deposit(deposit)}))

    def signature(self, body: bytes, *, forged: bool = False) -> dict[str, str]:
        key = b"sk_test_of_somebody_else" if forged else self._key.encode()
        return {"x-paystack-signature": hmac.new(key, body, hashlib.sha512).hexdigest()}

    def return_query(self, deposit: Deposit) -> dict[str, str]:
        return {"trxref": deposit.reference, "reference": deposit.reference}

    def _amount(self, value: int | str) -> int:
        if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) < 20):
            raise Refusal(self.invalid("amount should be a whole number of the smallest unit"))
        if int(value) * CENT > LARGEST:
            raise Refusal(self.invalid("amount is too large"))
        return self.positive(Decimal(int(value)) / 100)

    def _by_code(self, code: str) -> Transfer | None:
        number = code.removeprefix("TRF_")
        return self.bank.get(self.slug, int(number, 36)) if re.fullmatch("[0-9a-z]{1,12}", number) else None

    def _full(self, transfer: Transfer) -> dict[str, Any]:
        recipient = self.bank.recipients.get(transfer.recipient)
        return _transfer(transfer) | {
            "recipient": recipient and _recipient(recipient),
            "fee_charged": minor(transfer.fee),
            "gateway_response": transfer.detail or None,
            "session": {"provider": "nip", "id": f"{transfer.id:08d}"} if transfer.paid else None,
        }


def _body(message: str, data: Any) -> dict[str, Any]:
    return {"status": True, "message": message, "data": data}


def _yes(message: str, data: Any) -> Answer:
    return Answer(200, _body(message, data))


def _no(status: int, message: str, **more: Any) -> Answer:
    """Paystack's refusal; a plain one has no more than a message."""
    if "code" in more:
        more = {"meta": {"nextStep": "Contact support"}, "type": "validation_error"} | more
    return Answer(status, {"status": False, "message": message} | more)


def _found(deposit: Deposit | None) -> Answer:
    if deposit is None:
        return _no(400, "Transaction reference not found.", code="transaction_not_found")
    return _yes("Verification successful", _deposit(deposit))


def _transfer(transfer: Transfer) -> dict[str, Any]:
    return {
        "id": transfer.id, "domain": "test", "integration": INTEGRATION, "amount": minor(transfer.said_amount),
        "currency": transfer.said_currency, "source": "balance", "reference": transfer.reference,
        "transfer_code": f"TRF_{_base36(transfer.id)}",
        "status": transfer.word or STATUSES.get(transfer.state, transfer.state), "reason": transfer.narration,
        "failures": None, "titan_code": None, "transferred_at": iso(transfer.paid), "recipient": transfer.recipient,
        "request": transfer.id, "createdAt": iso(transfer.created), "updatedAt": iso(transfer.updated),
    }  # fmt: skip


def _recipient(recipient: Recipient) -> dict[str, Any]:
    return {
        "active": True, "currency": recipient.currency, "domain": "test", "id": recipient.id,
        "integration": INTEGRATION, "name": recipient.name, "recipient_code": recipient.code, "type": recipient.type,
        "is_deleted": False, "createdAt": iso(recipient.created), "updatedAt": iso(recipient.created),
        "details": {
            "authorization_code": None, "account_number": recipient.account_number,
            "account_name": (directory.holder(recipient.account_number) or recipient.name).upper(),
            "bank_code": recipient.bank_code, "bank_name": directory.bank_name(recipient.bank_code, recipient.currency),
        },
    }  # fmt: skip


def _deposit(deposit: Deposit) -> dict[str, Any]:
    paid = deposit.state == "success"
    return {
        "id": deposit.id, "domain": "test", "status": DEPOSIT_STATUSES.get(deposit.state, deposit.state),
        "reference": deposit.reference, "amount": minor(deposit.paid if paid else deposit.asked),
        "currency": deposit.paid_currency, "requested_amount": minor(deposit.asked), "fees": minor(deposit.fee),
        "channel": "dedicated_nuban" if deposit.kind == "collection" else "card",
        "gateway_response": "Approved" if paid else "The transaction was not completed",
        "paid_at": iso(deposit.updated) if paid else None, "created_at": iso(deposit.created),
        "metadata": deposit.details, "ip_address": "203.0.113.9",
        "customer": {"id": 5, "email": deposit.email, "customer_code": "CUS_1"}, "plan": {},
        "authorization": {
            "authorization_code": "AUTH_1", "last4": "4081", "bank": "TEST BANK", "channel": "card", "reusable": True,
        },
    }  # fmt: skip


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits.rjust(6, "0")
