"""Fincra's routes over the bank."""

import hashlib
import hmac
import re

from wallets.simulator import directory
from wallets.simulator.bank import Bank
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.fincra import bodies, shapes
from wallets.simulator.fincra.shapes import gateway, no, not_found, yes
from wallets.simulator.keys import Keys
from wallets.simulator.orders import DuplicateReference, InsufficientBalance, Order, Refused, Transfer
from wallets.simulator.wire import Answer, Event, Face, Handler, Refusal, Request, Task, encode

OWN = re.compile("cb2c581b-58a5-4037-be65-[0-9a-f]{12}")


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
            raise Refusal(gateway(401, "No API key found in request"))
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise Refusal(gateway(401, "Unauthorized"))

    def business(self, request: Request) -> Task:
        """Who we are there."""
        settings = {"enableWebhook": True, "enableWebhookRetry": False, "callbackURL": None}
        data = {"_id": self._business, "name": "Simulated", "settings": settings}
        return self.task("other", lambda: yes("Business fetched successfully", data))

    def wallets(self, request: Request) -> Task:
        """Every currency, or one."""
        self._same_business(request.query.get("businessID", ""))
        currency = request.query.get("currency", "")

        def perform() -> Answer:
            accounts = [one for one in self.bank.accounts.of(self.slug) if currency in ("", one.currency)]
            return yes("Wallets fetched successfully", [shapes.wallet(one, self._business) for one in accounts])

        return self.task("balance", perform)

    def wallet(self, request: Request, number: str) -> Task:
        """One by its number."""

        def perform() -> Answer:
            found = [
                row
                for one in self.bank.accounts.of(self.slug)
                if (row := shapes.wallet(one, self._business))["_id"] == number
            ]
            return yes("Wallet fetched successfully", found[0]) if found else not_found("Wallet not found")

        return self.task("balance", perform)

    def banks(self, request: Request) -> Task:
        """The banks of a currency."""
        currency = request.query.get("currency", "NGN")
        rows = [
            {"id": number, "code": code, "name": name, "currency": currency}
            for number, (code, name) in enumerate(directory.BANKS.get(currency, {}).items(), 1)
        ]
        return self.task("banks", lambda: yes("Banks fetched successfully", rows))

    def resolve(self, request: Request) -> Task:
        """Whose account it is."""
        body = self.read(request, bodies.AccountQuestion)

        def perform() -> Answer:
            name = directory.holder(body.account_number) if directory.bank_name(body.bank_code) else None
            if name is None:
                return no(
                    422, "Account could not be resolved. Check the number and the bank.", "ACCOUNT_RESOLVE_FAILED"
                )
            data = {"accountName": name, "accountNumber": body.account_number, "bankCode": body.bank_code}
            return yes("Account resolved successfully", data)

        return self.task("resolve", perform, account=body.account_number)

    def send(self, request: Request) -> Task:
        """Order a payout."""
        body = self.read(request, bodies.NewPayout)
        self._same_business(body.business)
        if not body.customer_reference:
            raise Refusal(self.invalid("customerReference is required"))
        amount = self.positive(body.amount)
        return self.task(
            "send", lambda: self._send(body, amount), body.customer_reference, body.beneficiary.account_number
        )

    def _send(self, body: bodies.NewPayout, amount: int) -> Answer:
        to = body.beneficiary
        if body.source_currency != body.destination_currency:
            return no(422, "Quote not generated", "QUOTE_NOT_GENERATED")
        if directory.bank_name(to.bank_code, body.source_currency) is None:
            return no(422, "Bank code is not supported", "UNPROCESSABLE_ENTITY")
        if body.source_currency == "NGN" and directory.holder(to.account_number) is None:
            return no(422, "Account could not be resolved.", "ACCOUNT_RESOLVE_FAILED")
        order = Order(
            provider=self.slug, reference=body.customer_reference, currency=body.source_currency, amount=amount,
            bank_code=to.bank_code, account_number=to.account_number, narration=body.description,
            account_name=to.account_holder_name or f"{to.first_name} {to.last_name}".strip(),
        )  # fmt: skip
        try:
            transfer = self.bank.send(order)
        except DuplicateReference:
            return no(400, "Cannot continue, Duplicate Customer Reference Passed", "DUPLICATE_CUSTOMER_REFERENCE")
        except InsufficientBalance:
            message = "You don't have enough money in your wallet to make this payout"
            return no(400, message, "NO_ENOUGH_MONEY_IN_WALLET")
        except Refused as refused:
            return no(422, str(refused), "UNPROCESSABLE_ENTITY")
        full = shapes.payout(transfer)
        data = {name: full[name] for name in ("id", "reference", "customerReference", "status")}
        return yes("Payout processed successfully", data)

    def query(self, request: Request, reference: str) -> Task:
        """What has become of a payout, by the customer's reference."""

        def perform() -> Answer:
            found = self.bank.find(self.slug, reference)
            return (
                yes("Payout fetched successfully", shapes.payout(found[0])) if found else not_found("Payout not found")
            )

        return self.task("query", perform, reference)

    def query_by_id(self, request: Request, reference: str) -> Task:
        """The same by Fincra's own reference."""

        def perform() -> Answer:
            found = self.bank.get(self.slug, int(reference[-12:], 16)) if OWN.fullmatch(reference) else None
            return yes("Payout fetched successfully", shapes.payout(found)) if found else not_found("Payout not found")

        return self.task("query", perform)

    def start_deposit(self, request: Request) -> Task:
        """Open a checkout."""
        if not hmac.compare_digest(request.headers.get("x-pub-key", "").encode(), self._public.encode()):
            raise Refusal(gateway(401, "Unauthorized"))
        body = self.read(request, bodies.NewCheckout)
        amount = self.positive(body.amount)

        def perform() -> Answer:
            try:
                made = self.deposits.open(
                    provider=self.slug, reference=body.reference, currency=body.currency, amount=amount,
                    email=body.customer.email, name=body.customer.name, return_url=body.redirect_url,
                    metadata=body.metadata or {},
                )  # fmt: skip
            except DuplicateReference:
                return no(400, "Duplicate reference passed", "DUPLICATE_REFERENCE")
            link = f"{request.origin}/checkout/{made.token}"
            data = {"link": link, "reference": made.reference, "payCode": f"fcr-p-{made.token}"}
            return yes("Payment link generated successfully", data)

        return self.task("checkout", perform, body.reference)

    def query_deposit(self, request: Request, reference: str) -> Task:
        """What has become of a checkout."""

        def perform() -> Answer:
            found = self.deposits.find(self.slug, reference)
            return (
                yes("Payment fetched successfully", shapes.charge(found)) if found else not_found("Payment not found")
            )

        return self.task("query_deposit", perform, reference)

    def query_collection(self, request: Request, reference: str) -> Task:
        """What came by itself."""

        def perform() -> Answer:
            found = self.deposits.find(self.slug, reference)
            if found is None or found.kind != "collection":
                return not_found("Collection not found")
            return yes("Collection fetched successfully", shapes.collection(found, self._business))

        return self.task("query_deposit", perform, reference)

    def invalid(self, message: str) -> Answer:
        body = {"success": False, "error": message, "errorType": "VALIDATION_FAILED", "errors": [{"message": message}]}
        return Answer(422, body)

    def no_such_route(self, request: Request) -> Answer:
        return gateway(404, "no Route matched with those values")

    def trouble(self, status: int) -> Answer:
        if status == 429:
            return Answer(429, {"message": "API rate limit exceeded"}, {"Retry-After": "2"})
        unavailable = status == 503
        message = "Service is currently unavailable" if unavailable else "An internal error occurred"
        return no(status, message, "SERVICE_UNAVAILABLE" if unavailable else "INTERNAL_SERVER_ERROR")

    def transfer_event(self, transfer: Transfer) -> Event | None:
        if transfer.state not in shapes.STATUSES:
            return None
        name = f"payout.{shapes.STATUSES[transfer.state]}"
        return Event(name, encode({"event": name, "data": shapes.payout(transfer)}))

    def deposit_event(self, deposit: Deposit) -> Event | None:
        if deposit.state != "success":
            return None
        if deposit.kind == "collection":
            return Event(
                "collection.successful",
                encode({"event": "collection.successful", "data": shapes.collection(deposit, self._business)}),
            )
        return Event("charge.successful", encode({"event": "charge.successful", "data": shapes.charge(deposit)}))

    def signature(self, body: bytes, *, forged: bool = False) -> dict[str, str]:
        key = b"of-somebody-else" if forged else self._webhook.encode()
        return {"signature": hmac.new(key, body, hashlib.sha512).hexdigest()}

    def return_query(self, deposit: Deposit) -> dict[str, str]:
        return {"reference": deposit.reference, "status": shapes.DEPOSIT_STATUSES.get(deposit.state, deposit.state)}

    def _same_business(self, given: str) -> None:
        if given != self._business:
            raise Refusal(self.invalid("business is not yours"))
