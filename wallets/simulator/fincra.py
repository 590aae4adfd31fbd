"""Fincra's face: major numbers that may come as text, two shapes of errors, money locked while a payout is pending."""

import hashlib
import hmac
import re
from decimal import Decimal
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

import msgspec

from wallets.simulator import directory
from wallets.simulator.accounts import Account
from wallets.simulator.amounts import major
from wallets.simulator.bank import Bank, DuplicateReference, InsufficientBalance, Order, Refused, Transfer
from wallets.simulator.clock import iso
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.keys import Keys
from wallets.simulator.wire import Answer, Event, Face, Handler, Refusal, Request, Task, encode

STATUSES = {"success": "successful", "failed": "failed", "reversed": "failed"}
DEPOSIT_STATUSES = {"open": "pending"}


OWN = re.compile("cb2c581b-58a5-4037-be65-[0-9a-f]{12}")


class Camel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A body in Fincra's spelling."""


class Beneficiary(Camel, frozen=True):
    """Who is paid."""

    account_number: str
    bank_code: str
    type: Literal["individual", "corporate"]
    first_name: str = ""
    last_name: str = ""
    account_holder_name: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""


class NewPayout(Camel, frozen=True):
    """POST /disbursements/payouts."""

    business: str
    source_currency: str
    destination_currency: str
    amount: Decimal
    description: str
    payment_destination: Literal["bank_account"]
    customer_reference: str
    beneficiary: Beneficiary
    sender: Any = None
    quote_reference: str = ""
    payment_scheme: str = ""


class AccountQuestion(Camel, frozen=True):
    """POST /core/accounts/resolve."""

    account_number: str
    bank_code: str
    type: Literal["nuban"] = "nuban"


class Customer(Camel, frozen=True):
    """Who pays in."""

    email: str
    name: str
    phone_number: str = ""


class NewCheckout(Camel, frozen=True):
    """POST /checkout/payments."""

    currency: str
    amount: Decimal
    reference: str
    customer: Customer
    redirect_url: str = ""
    settlement_destination: Literal["wallet"] = "wallet"
    fee_bearer: Literal["business", "customer"] = "business"
    metadata: Any = None
    payment_methods: list[str] | None = None
    default_payment_method: str = ""
    success_message: str = ""


class Fincra(Face):
    """`https://api.fincra.com`."""

    slug = "fincra"

    def __init__(self, bank: Bank, deposits: Deposits, keys: Keys) -> None:
        super().__init__(bank, deposits)
        self._key, self._public = keys.fincra_secret, keys.fincra_public
        self._webhook, self._business = keys.fincra_webhook, keys.fincra_business

    def routes(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/profile/business/me", self.business),
            ("GET", "/wallets", self.wallets),
            ("GET", r"/wallets/(?P<number>\d+)", self.wallet),
            ("GET", "/core/banks", self.banks),
            ("POST", "/core/accounts/resolve", self.resolve),
            ("POST", "/disbursements/payouts", self.send),
            ("GET", "/disbursements/payouts/customer-reference/(?P<reference>[^/]+)", self.query),
            ("GET", "/disbursements/payouts/reference/(?P<reference>[^/]+)", self.query_by_id),
            ("POST", "/checkout/payments", self.start_deposit),
            ("GET", "/checkout/payments/merchant-reference/(?P<reference>[^/]+)", self.query_deposit),
            ("GET", "/collections/reference/(?P<reference>[^/]+)", self.query_collection),
        ]

    def authorize(self, request: Request) -> None:
        given = request.headers.get("api-key", "")
        if not given:
            raise Refusal(_gateway(401, "No API key found in request"))
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise Refusal(_gateway(401, "Unauthorized"))

    def business(self, request: Request) -> Task:
        """Who we are there."""
        settings = {"enableWebhook": True, "enableWebhookRetry": False, "callbackURL": None}
        data = {"_id": self._business, "name": "Simulated", "settings": settings}
        return self.task("other", lambda: _yes("Business fetched successfully", data))

    def wallets(self, request: Request) -> Task:
        """Every currency, or one."""
        self._same_business(request.query.get("businessID", ""))
        currency = request.query.get("currency", "")

        def perform() -> Answer:
            accounts = [one for one in self.bank.accounts.of(self.slug) if currency in ("", one.currency)]
            return _yes("Wallets fetched successfully", [self._wallet(one) for one in accounts])

        return self.task("balance", perform)

    def wallet(self, request: Request, number: str) -> Task:
        """One by its number."""

        def perform() -> Answer:
            found = [row for one in self.bank.accounts.of(self.slug) if (row := self._wallet(one))["_id"] == number]
            return _yes("Wallet fetched successfully", found[0]) if found else _not_found("Wallet not found")

        return self.task("balance", perform)

    def banks(self, request: Request) -> Task:
        """The banks of a currency."""
        currency = request.query.get("currency", "NGN")
        rows = [
            {"id": number, "code": code, "name": name, "currency": currency}
            for number, (code, name) in enumerate(directory.BANKS.get(currency, {}).items(), 1)
        ]
        return self.task("banks", lambda: _yes("Banks fetched successfully", rows))

    def resolve(self, request: Request) -> Task:
        """Whose account it is."""
        body = self.read(request, AccountQuestion)

        def perform() -> Answer:
            name = directory.holder(body.account_number) if directory.bank_name(body.bank_code) else None
            if name is None:
                return _no(
                    422, "Account could not be resolved. Check the number and the bank.", "ACCOUNT_RESOLVE_FAILED"
                )
            data = {"accountName": name, "accountNumber": body.account_number, "bankCode": body.bank_code}
            return _yes("Account resolved successfully", data)

        return self.task("resolve", perform, account=body.account_number)

    def send(self, request: Request) -> Task:
        """Order a payout."""
        body = self.read(request, NewPayout)
        self._same_business(body.business)
        if not body.customer_reference:
            raise Refusal(self.invalid("customerReference is required"))
        amount = self.positive(body.amount)
        return self.task(
            "send", lambda: self._send(body, amount), body.customer_reference, body.beneficiary.account_number
        )

    def _send(self, body: NewPayout, amount: int) -> Answer:
        to = body.beneficiary
        if body.source_currency != body.destination_currency:
            return _no(422, "Quote not generated", "QUOTE_NOT_GENERATED")
        if directory.bank_name(to.bank_code, body.source_currency) is None:
            return _no(422, "Bank code is not supported", "UNPROCESSABLE_ENTITY")
        if body.source_currency == "NGN" and directory.holder(to.account_number) is None:
            return _no(422, "Account could not be resolved.", "ACCOUNT_RESOLVE_FAILED")
        order = Order(
            provider=self.slug, reference=body.customer_reference, currency=body.source_currency, amount=amount,
            bank_code=to.bank_code, account_number=to.account_number, narration=body.description,
            account_name=to.account_holder_name or f"{to.first_name} {to.last_name}".strip(),
        )  # fmt: skip
        try:
            transfer = self.bank.send(order)
        except DuplicateReference:
            return _no(400, "Cannot continue, Duplicate Customer Reference Passed", "DUPLICATE_CUSTOMER_REFERENCE")
        except InsufficientBalance:
            message = "You don't have enough money in your wallet to make this payout"
            return _no(400, message, "NO_ENOUGH_MONEY_IN_WALLET")
        except Refused as refused:
            return _no(422, str(refused), "UNPROCESSABLE_ENTITY")
        full = _payout(transfer)
        data = {name: full[name] for name in ("id", "reference", "customerReference", "status")}
        return _yes("Payout processed successfully", data)

    def query(self, request: Request, reference: str) -> Task:
        """What has become of a payout, by the customer's reference."""

        def perform() -> Answer:
            found = self.bank.find(self.slug, reference)
            return _yes("Payout fetched successfully", _payout(found[0])) if found else _not_found("Payout not found")

        return self.task("query", perform, reference)

    def query_by_id(self, request: Request, reference: str) -> Task:
        """The same by Fincra's own reference."""

        def perform() -> Answer:
            found = self.bank.get(self.slug, int(reference[-12:], 16)) if OWN.fullmatch(reference) else None
            return _yes("Payout fetched successfully", _payout(found)) if found else _not_found("Payout not found")

        return self.task("query", perform)

    def start_deposit(self, request: Request) -> Task:
        """Open a checkout."""
        if not hmac.compare_digest(request.headers.get("x-pub-key", "").encode(), self._public.encode()):
            raise Refusal(_gateway(401, "Unauthorized"))
        body = self.read(request, NewCheckout)
        amount = self.positive(body.amount)

        def perform() -> Answer:
            try:
                made = self.deposits.open(
                    provider=self.slug, reference=body.reference, currency=body.currency, amount=amount,
                    email=body.customer.email, name=body.customer.name, return_url=body.redirect_url,
                    metadata=body.metadata or {},
                )  # fmt: skip
            except DuplicateReference:
                return _no(400, "Duplicate reference passed", "DUPLICATE_REFERENCE")
            link = f"{request.origin}/checkout/{made.token}"
            data = {"link": link, "reference": made.reference, "payCode": f"fcr-p-{made.token}"}
            return _yes("Payment link generated successfully", data)

        return self.task("checkout", perform, body.reference)

    def query_deposit(self, request: Request, reference: str) -> Task:
        """What has become of a checkout."""

        def perform() -> Answer:
            found = self.deposits.find(self.slug, reference)
            return _yes("Payment fetched successfully", _charge(found)) if found else _not_found("Payment not found")

        return self.task("query_deposit", perform, reference)

    def query_collection(self, request: Request, reference: str) -> Task:
        """What came by itself."""

        def perform() -> Answer:
            found = self.deposits.find(self.slug, reference)
            if found is None or found.kind != "collection":
                return _not_found("Collection not found")
            return _yes("Collection fetched successfully", self._collection(found))

        return self.task("query_deposit", perform, reference)

    def invalid(self, message: str) -> Answer:
        body = {"success": False, "error": message, "errorType": "VALIDATION_FAILED", "errors": [{"message": message}]}
        return Answer(422, body)

    def no_such_route(self, request: Request) -> Answer:
        return _gateway(404, "no Route matched with those values")

    def trouble(self, status: int) -> Answer:
        if status == 429:
            return Answer(429, {"message": "API rate limit exceeded"}, {"Retry-After": "2"})
        unavailable = status == 503
        message = "Service is currently unavailable" if unavailable else "An internal error occurred"
        return _no(status, message, "SERVICE_UNAVAILABLE" if unavailable else "INTERNAL_SERVER_ERROR")

    def transfer_event(self, transfer: Transfer) -> Event | None:
        if transfer.state not in STATUSES:
            return None
        name = f"payout.{STATUSES[transfer.state]}"
        return Event(name, encode({"event": name, "data": _payout(transfer)}))

    def deposit_event(self, deposit: Deposit) -> Event | None:
        if deposit.state != "success":
            return None
        if deposit.kind == "collection":
            return Event(
                "collection.successful",
                encode({"event": "collection.successful", "data": self._collection(deposit)}),
            )
        return Event("charge.successful", encode({"event": "charge.successful", "data": _charge(deposit)}))

    def signature(self, body: bytes, *, forged: bool = False) -> dict[str, str]:
        key = b"of-somebody-else" if forged else self._webhook.encode()
        return {"signature": hmac.new(key, body, hashlib.sha512).hexdigest()}

    def return_query(self, deposit: Deposit) -> dict[str, str]:
        return {"reference": deposit.reference, "status": DEPOSIT_STATUSES.get(deposit.state, deposit.state)}

    def _same_business(self, given: str) -> None:
        if given != self._business:
            raise Refusal(self.invalid("business is not yours"))

    def _wallet(self, account: Account) -> dict[str, Any]:
        number = str(uuid5(NAMESPACE_URL, f"fincra:{account.currency}").int % 1_000_000)
        return {
            "id": int(number), "_id": number, "business": self._business, "businessId": 14000,
            "ledgerBalance": major(account.ledger), "availableBalance": major(account.available),
            "lockedBalance": major(account.locked), "rollingReserveBalance": 0,
            "walletNumber": 100_000_000_000_000 + int(number), "currency": account.currency, "status": "enabled",
            "overdraftEnabled": False, "overdraftLimit": None, "updatedAt": iso(account.updated),
        }  # fmt: skip

    def _collection(self, deposit: Deposit) -> dict[str, Any]:
        return {
            "id": deposit.id, "business": self._business, "virtualAccount": "65f0c2a4b7d9e30012ab45b9",
            "sessionId": f"ETZ-{deposit.id}", "senderAccountName": deposit.name, "senderAccountNumber": None,
            "senderBankName": "Access Bank PLC", "sourceCurrency": deposit.paid_currency,
            "destinationCurrency": deposit.paid_currency, "sourceAmount": major(deposit.paid),
            "destinationAmount": major(deposit.paid), "amountReceived": major(deposit.settled),
            "fee": major(deposit.fee), "customerName": deposit.name, "settlementDestination": "wallet",
            "status": "successful", "description": f"FT/{deposit.id}", "reference": deposit.reference,
            "initiatedAt": iso(deposit.created), "createdAt": iso(deposit.created), "updatedAt": iso(deposit.updated),
        }  # fmt: skip


def _yes(message: str, data: Any) -> Answer:
    return Answer(200, {"success": True, "message": message, "data": data})


def _no(status: int, error: str, error_type: str) -> Answer:
    return Answer(status, {"success": False, "error": error, "errorType": error_type})


def _not_found(error: str) -> Answer:
    return _no(404, error, "RESOURCE_NOT_FOUND")


def _gateway(status: int, message: str) -> Answer:
    """What answers before Fincra itself does."""
    return Answer(status, {"message": message, "request_id": uuid5(NAMESPACE_URL, message).hex})


def _own(number: int) -> str:
    """Fincra's own reference of a payout."""
    return f"cb2c581b-58a5-4037-be65-{number:012x}"


def _payout(transfer: Transfer) -> dict[str, Any]:
    status = transfer.word or STATUSES.get(transfer.state, "processing")
    received, paid = transfer.said_amount, iso(transfer.paid)
    return {
        "id": transfer.id, "amountCharged": major(received + transfer.fee), "amountReceived": major(received),
        "fee": major(transfer.fee), "rate": 1, "paymentScheme": None, "paymentDestination": "bank_account",
        "sourceCurrency": transfer.said_currency, "destinationCurrency": transfer.said_currency, "status": status,
        "reference": _own(transfer.id), "customerReference": transfer.reference,
        "reason": transfer.detail or ("Payout was successful" if transfer.state == "success" else None),
        "traceId": f"{transfer.id:030d}", "createdAt": iso(transfer.created), "updatedAt": iso(transfer.updated),
        "valuedAt": paid if transfer.state == "success" else None,
        "recipient": {
            "name": transfer.account_name, "accountNumber": transfer.account_number, "type": "individual",
            "email": None,
        },
    }  # fmt: skip


def _charge(deposit: Deposit) -> dict[str, Any]:
    return {
        "id": deposit.id, "chargeReference": f"fcr-{deposit.token}", "reference": deposit.reference,
        "amount": major(deposit.paid if deposit.state == "success" else deposit.asked),
        "amountExpected": major(deposit.asked), "amountReceived": major(deposit.paid),
        "amountToSettle": major(deposit.settled), "varianceType": None, "currency": deposit.paid_currency,
        "fee": major(deposit.fee), "vat": 0, "status": DEPOSIT_STATUSES.get(deposit.state, deposit.state),
        "type": "card", "description": "checkout", "metadata": deposit.details, "settlementDestination": "wallet",
        "settlementTime": "instant", "virtualAccount": None, "createdAt": iso(deposit.created),
        "updatedAt": iso(deposit.updated),
        "customer": {"name": deposit.name, "email": deposit.email, "phoneNumber": None},
    }  # fmt: skip
