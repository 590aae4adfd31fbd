"""Flutterwave's routes over the bank."""

import hmac
from typing import Any

from wallets.simulator import directory
from wallets.simulator.amounts import major
from wallets.simulator.bank import Bank
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.flutterwave import bodies, shapes
from wallets.simulator.flutterwave.shapes import no, yes
from wallets.simulator.keys import Keys
from wallets.simulator.orders import DuplicateReference, InsufficientBalance, Order, Refused, Transfer
from wallets.simulator.wire import Answer, Event, Face, Handler, Refusal, Request, Task, encode

# What the reference ends with in Flutterwave's sandbox, to steer what becomes of it.
STEERED_TO_FAIL = "_PMCK_ST_F"


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
            raise Refusal(no(401, "Invalid authorization key"))

    def balances(self, request: Request) -> Task:
        """Every currency."""
        return self.task("balance", lambda: yes("Wallet balances fetched", self._balances()))

    def balance(self, request: Request, currency: str) -> Task:
        """One currency."""

        def perform() -> Answer:
            found = [row for row in self._balances() if row["currency"] == currency]
            return yes("Wallet balance fetched", found[0]) if found else no(400, "Wallet not found")

        return self.task("balance", perform)

    def banks(self, request: Request, country: str) -> Task:
        """The banks of a country."""
        banks = directory.BANKS.get(directory.CURRENCIES.get(country, ""), {})
        rows = [{"id": number, "code": code, "name": name} for number, (code, name) in enumerate(banks.items(), 1)]
        return self.task("banks", lambda: yes("Banks fetched successfully", rows))

    def resolve(self, request: Request) -> Task:
        """Whose account it is."""
        body = self.read(request, bodies.AccountQuestion)

        def perform() -> Answer:
            name = directory.holder(body.account_number) if directory.bank_name(body.account_bank) else None
            if name is None:
                return no(400, "Sorry, recipient account could not be validated. Please try again")
            return yes("Account details fetched", {"account_number": body.account_number, "account_name": name})

        return self.task("resolve", perform, account=body.account_number)

    def fee(self, request: Request) -> Task:
        """What a transfer costs."""
        row = {
            "currency": request.query.get("currency", "NGN"),
            "fee_type": "value",
            "fee": major(self.bank.fees[self.slug]),
        }
        return self.task("other", lambda: yes("Transfer fee fetched", [row]))

    def send(self, request: Request) -> Task:
        """Order a transfer."""
        body = self.read(request, bodies.NewTransfer)
        if not 0 < len(body.reference.strip()) <= 100:
            raise Refusal(self.invalid("reference should have 1 to 100 characters"))
        amount = self.positive(body.amount)
        return self.task("send", lambda: self._send(body, amount), body.reference, body.account_number)

    def _send(self, body: bodies.NewTransfer, amount: int) -> Answer:
        if directory.bank_name(body.account_bank, body.currency) is None:
            return no(400, "Invalid account_bank passed")
        if body.currency == "NGN" and directory.holder(body.account_number) is None:
            return no(400, "Account resolve failed")
        order = Order(
            provider=self.slug, reference=body.reference, currency=body.currency, amount=amount,
            bank_code=body.account_bank, account_number=body.account_number, narration=body.narration,
            will_fail=STEERED_TO_FAIL in body.reference,
            account_name=body.beneficiary_name or directory.holder(body.account_number) or "",
        )  # fmt: skip
        try:
            transfer = self.bank.send(order)
        except DuplicateReference:
            return no(400, "Transfer with this reference already exists")
        except InsufficientBalance:
            return no(400, "Insufficient balance to complete this transaction")
        except Refused:
            return no(400, "Payout was made to a blacklisted account number")
        return yes("Transfer Queued Successfully", shapes.transfer(transfer, created=True))

    def query(self, request: Request) -> Task:
        """What has become of transfers; the filter also finds references that only begin so, which nobody excludes."""
        reference = request.query.get("reference", "")

        def perform() -> Answer:
            found = self._search(reference) if reference else self.bank.latest(self.slug)
            rows = [shapes.transfer(one) for one in found]
            page = {"total": len(rows), "current_page": 1, "total_pages": 1}
            return Answer(200, shapes.body("Transfers fetched", rows) | {"meta": {"page_info": page}})

        return self.task("query" if reference else "other", perform, reference)

    def query_by_id(self, request: Request, number: str) -> Task:
        """The same by Flutterwave's own number."""

        def perform() -> Answer:
            found = self.bank.get(self.slug, int(number))
            return yes("Transfer fetched", shapes.transfer(found)) if found else no(404, "Transfer not found")

        return self.task("query", perform)

    def start_deposit(self, request: Request) -> Task:
        """Open a checkout."""
        body = self.read(request, bodies.NewPayment)
        amount = self.positive(body.amount)

        def perform() -> Answer:
            try:
                made = self.deposits.open(
                    provider=self.slug, reference=body.tx_ref, currency=body.currency, amount=amount,
                    email=body.customer.email, name=body.customer.name, return_url=body.redirect_url,
                    metadata=body.meta or {},
                )  # fmt: skip
            except DuplicateReference:
                return no(400, "Transaction reference already used")
            return yes("Hosted Link", {"link": f"{request.origin}/checkout/{made.token}"})

        return self.task("checkout", perform, body.tx_ref)

    def query_deposit(self, request: Request) -> Task:
        """What has become of a deposit, by the reference: there is none before somebody has tried to pay."""
        reference = request.query.get("tx_ref", "")
        return self.task("query_deposit", lambda: shapes.found(self.deposits.find(self.slug, reference)), reference)

    def query_deposit_by_id(self, request: Request, number: str) -> Task:
        """The same by Flutterwave's own number."""
        return self.task("query_deposit", lambda: shapes.found(self.deposits.get(self.slug, int(number))))

    def invalid(self, message: str) -> Answer:
        return no(400, message)

    def no_such_route(self, request: Request) -> Answer:
        return no(404, f"Cannot {request.method} {request.path}")

    def trouble(self, status: int) -> Answer:
        if status == 429:
            return Answer(429, no(429, "Too many requests").body, {"Retry-After": "2"})
        return no(status, "An error occurred. Please contact support")

    def transfer_event(self, transfer: Transfer) -> Event | None:
        if transfer.state not in shapes.STATUSES:
            return None
        data = shapes.transfer(transfer) | {"approver": None}
        data["fullname"] = data.pop("full_name")
        return Event(
            "transfer.completed", encode({"event": "transfer.completed", "event.type": "Transfer", "data": data})
        )

    def deposit_event(self, deposit: Deposit) -> Event | None:
        if deposit.state == "open":
            return None
        kind = "BANK_TRANSFER_TRANSACTION" if deposit.kind == "collection" else "CARD_TRANSACTION"
        return Event(
            "charge.completed",
            encode({"event": "charge.completed", "event.type": kind, "data": shapes.deposit(deposit)}),
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
