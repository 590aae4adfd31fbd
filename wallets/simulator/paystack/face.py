"""Paystack's routes over the bank."""

import hashlib
import hmac
import re
from decimal import Decimal
from typing import Any

from wallets.simulator import directory
from wallets.simulator.amounts import CENT, LARGEST, minor
from wallets.simulator.bank import Bank
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.directory import Recipient
from wallets.simulator.keys import Keys
from wallets.simulator.orders import DuplicateReference, InsufficientBalance, Order, Refused, Transfer
from wallets.simulator.paystack import bodies, shapes
from wallets.simulator.paystack.shapes import no, yes
from wallets.simulator.wire import Answer, Event, Face, Handler, Refusal, Request, Task, encode

TRANSFER_REFERENCE = re.compile(r"[a-z0-9_-]{16,50}")
TRANSACTION_REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}")
OTP = "123456"
COUNTRIES = {"nigeria": "NGN", "ghana": "GHS", "kenya": "KES", "south africa": "ZAR"}


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
            raise Refusal(no(401, "Invalid key", type="validation_error", code="invalid_Key"))

    def balance(self, request: Request) -> Task:
        """What can be paid out."""

        def perform() -> Answer:
            rows = [
                {"currency": one.currency, "balance": minor(one.available)} for one in self.bank.accounts.of(self.slug)
            ]
            return yes("Balances retrieved", rows)

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
        return self.task("banks", lambda: Answer(200, shapes.body("Banks retrieved", rows) | {"meta": meta}))

    def resolve(self, request: Request) -> Task:
        """Whose account it is."""
        account, bank = request.query.get("account_number", ""), request.query.get("bank_code", "")

        def perform() -> Answer:
            name = directory.holder(account) if directory.bank_name(bank) else None
            if name is None:
                return no(
                    422, "Could not resolve account name. Check parameters or try again.", code="invalid_bank_code"
                )
            return yes(
                "Account number resolved", {"account_number": account, "account_name": name.upper(), "bank_id": 1}
            )

        return self.task("resolve", perform, account=account)

    def add_recipient(self, request: Request) -> Task:
        """Remember whom to pay; the same account again is the same recipient."""
        body = self.read(request, bodies.NewRecipient)

        def perform() -> Answer:
            if directory.bank_name(body.bank_code, body.currency) is None:
                return no(400, "Bank is invalid", code="invalid_bank_code")
            if body.currency == "NGN" and directory.holder(body.account_number) is None:
                return no(400, "Account number is invalid", code="invalid_account_number")
            made = self.bank.recipients.remember(
                provider=self.slug, type=body.type, name=body.name, bank_code=body.bank_code,
                account_number=body.account_number, currency=body.currency,
            )  # fmt: skip
            return Answer(201, shapes.body("Transfer recipient created successfully", shapes.recipient(made)))

        return self.task("recipient", perform, account=body.account_number)

    def send(self, request: Request) -> Task:
        """Order a transfer."""
        body = self.read(request, bodies.NewTransfer)
        if TRANSFER_REFERENCE.fullmatch(body.reference) is None:
            raise Refusal(self.invalid("reference must be 16 to 50 of a-z, 0-9, - and _"))
        amount = self._amount(body.amount)
        recipient = self.bank.recipients.find(body.recipient)

        def perform() -> Answer:
            if recipient is None or recipient.currency != body.currency:
                return no(
                    400, "Recipient specified is invalid", code="invalid_transfer_recipient",
                    meta={"nextStep": "Provide a valid recipient code"},
                )  # fmt: skip
            return self._send(body, amount, recipient)

        return self.task("send", perform, body.reference, recipient.account_number if recipient else "")

    def _send(self, body: bodies.NewTransfer, amount: int, recipient: Recipient) -> Answer:
        order = Order(
            provider=self.slug, reference=body.reference, currency=body.currency, amount=amount,
            bank_code=recipient.bank_code, account_number=recipient.account_number, account_name=recipient.name,
            narration=body.reason, recipient=recipient.id,
        )  # fmt: skip
        try:
            transfer = self.bank.send(order)
        except DuplicateReference:
            return no(
                400, "Please provide a unique reference. Reference already exists on a transfer",
                code="duplicate_transfer_reference", meta={"nextStep": "Create a new reference for the new transfer"},
            )  # fmt: skip
        except InsufficientBalance:
            return no(400, "Your balance is not enough to fulfill this request", code="insufficient_balance")
        except Refused as refused:
            return no(400, str(refused), code="transfer_unavailable")
        needs_otp = transfer.state == "otp"
        return yes(
            "Transfer requires OTP to continue" if needs_otp else "Transfer has been queued", shapes.transfer(transfer)
        )

    def finalize(self, request: Request) -> Task:
        """The one-time password of a person: it is always 123456."""
        body = self.read(request, bodies.FinalTransfer)

        def perform() -> Answer:
            transfer = self._by_code(body.transfer_code)
            if transfer is None:
                return no(404, "Transfer not found")
            if body.otp != OTP or transfer.state != "otp":
                return no(400, "OTP could not be verified", code="invalid_otp")
            self.bank.move(transfer.id, "success")
            return yes("Transfer has been queued", shapes.transfer(self.bank.get(self.slug, transfer.id) or transfer))

        return self.task("other", perform)

    def query(self, request: Request, reference: str) -> Task:
        """What has become of a transfer, by the reference."""

        def perform() -> Answer:
            found = self.bank.find(self.slug, reference)
            return yes("Transfer retrieved", self._full(found[0])) if found else no(404, "Transfer not found")

        return self.task("query", perform, reference)

    def query_by_id(self, request: Request, number: str) -> Task:
        """The same by Paystack's own number or code."""

        def perform() -> Answer:
            found = self.bank.get(self.slug, int(number)) if number.isdecimal() else self._by_code(number)
            return yes("Transfer retrieved", self._full(found)) if found else no(404, "Transfer not found")

        return self.task("query", perform)

    def list_transfers(self, request: Request) -> Task:
        """The newest hundred."""

        def perform() -> Answer:
            rows = [self._full(one) for one in self.bank.latest(self.slug)]
            meta = {"total": len(rows), "skipped": 0, "perPage": 100, "page": 1, "pageCount": 1}
            return Answer(200, shapes.body("Transfers retrieved", rows) | {"meta": meta})

        return self.task("other", perform)

    def start_deposit(self, request: Request) -> Task:
        """Open a checkout."""
        body = self.read(request, bodies.NewTransaction)
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
                return no(400, "Duplicate Transaction Reference", code="duplicate_reference")
            link = f"{request.origin}/checkout/{made.token}"
            data = {"authorization_url": link, "access_code": made.token, "reference": made.reference}
            return yes("Authorization URL created", data)

        return self.task("checkout", perform, body.reference)

    def query_deposit(self, request: Request, reference: str) -> Task:
        """What has become of a deposit, by the reference."""
        return self.task("query_deposit", lambda: shapes.found(self.deposits.find(self.slug, reference)), reference)

    def query_deposit_by_id(self, request: Request, number: str) -> Task:
        """The same by Paystack's own number."""
        return self.task("query_deposit", lambda: shapes.found(self.deposits.get(self.slug, int(number))))

    def invalid(self, message: str) -> Answer:
        return no(
            400, message, code="invalid_params", meta={"nextStep": "Check the parameters against the documentation"}
        )

    def no_such_route(self, request: Request) -> Answer:
        return no(404, "Route not found", type="api_error")

    def trouble(self, status: int) -> Answer:
        if status != 429:
            return no(status, "An error occurred, please try again", type="api_error", code="unknown")
        headers = {
            "Retry-After": "2",
            "X-RateLimit-Limit": "600",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "2",
        }
        answer = no(429, "Rate limit exceeded!", type="api_error", code="rate_limited")
        return Answer(429, answer.body, headers)

    def transfer_event(self, transfer: Transfer) -> Event | None:
        if transfer.state not in ("success", "failed", "reversed") or transfer.word == "abandoned":
            return None
        data = self._full(transfer)
        data["integration"] = {"id": shapes.INTEGRATION, "is_live": False, "business_name": "Simulated"}
        if transfer.state != "success":
            data["created_at"], data["updated_at"] = data.pop("createdAt"), data.pop("updatedAt")
        name = f"transfer.{transfer.state}"
        return Event(name, encode({"event": name, "data": data}))

    def deposit_event(self, deposit: Deposit) -> Event | None:
        if deposit.state != "success":
            return None
        return Event("charge.success", encode({"event": "charge.success", "data": shapes.deposit(deposit)}))

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
        return shapes.transfer(transfer) | {
            "recipient": recipient and shapes.recipient(recipient),
            "fee_charged": None if transfer.said_fee is None else minor(transfer.said_fee),
            "gateway_response": transfer.detail or None,
            "session": {"provider": "nip", "id": f"{transfer.id:08d}"} if transfer.paid else None,
        }
