"""The banks that can be paid to, who has an account there, and whom a provider was told to remember."""

from dataclasses import dataclass
from hashlib import sha256

from wallets.simulator.clock import Clock
from wallets.simulator.store import Store

BANKS = {
    "NGN": {
        "044": "Access Bank", "023": "Citibank Nigeria", "050": "Ecobank Nigeria", "011": "First Bank of Nigeria",
        "058": "Guaranty Trust Bank", "305": "OPay", "035": "Wema Bank", "035A": "ALAT by WEMA",
        "MFB50094": "Simulated Microfinance Bank", "033": "United Bank For Africa", "057": "Zenith Bank",
        "999": "Sandbox Bank",
    },
    "GHS": {"GH280100": "Access Bank Ghana", "GH130100": "Ecobank Ghana"},
    "KES": {"01": "KCB Bank", "68": "Equity Bank"},
    "ZAR": {"632005": "Absa Bank", "250655": "First National Bank"},
    "USD": {"999": "Sandbox Bank"},
}  # fmt: skip
CURRENCIES = {"NG": "NGN", "GH": "GHS", "KE": "KES", "ZA": "ZAR", "US": "USD"}
HOLDERS = ("Amina Bello", "Chidi Okafor", "Zoë Adeyemi", "Kwame Mensah", "Njeri Kamau", "Thandi Dlamini")
UNKNOWN_ACCOUNT = "9999999999"


def bank_name(code: str, currency: str = "NGN") -> str | None:
    """What a bank is called, or None where there is none by that code."""
    return BANKS.get(currency, {}).get(code)


def holder(account_number: str) -> str | None:
    """Whose account it is: any ten digits are somebody's, but for 9999999999."""
    if len(account_number) != 10 or not (account_number.isascii() and account_number.isdigit()):
        return None
    if account_number == UNKNOWN_ACCOUNT:
        return None
    return HOLDERS[sha256(account_number.encode()).digest()[0] % len(HOLDERS)]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody whom Paystack was told of."""

    id: int
    code: str
    provider: str
    type: str
    name: str
    bank_code: str
    account_number: str
    currency: str
    created: float


class Recipients:
    """Whoever is told of twice stays one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def remember(
        self, *, provider: str, type: str, name: str, bank_code: str, account_number: str, currency: str
    ) -> Recipient:
        """The recipient of an account, made when it is new."""
        with self._store.transaction():
            found = self._store.row(
                "SELECT * FROM recipients"
                " WHERE provider = :p AND bank_code = :b AND account_number = :a AND currency = :c",
                p=provider, b=bank_code, a=account_number, c=currency,
            )  # fmt: skip
            if found is not None:
                return Recipient(**dict(found))
            code = f"RCP_{sha256(f'{provider}:{bank_code}:{account_number}:{currency}'.encode()).hexdigest()[:15]}"
            self._store.insert(
                "recipients", code=code, provider=provider, type=type, name=name, bank_code=bank_code,
                account_number=account_number, currency=currency, created=self._clock.now(),
            )  # fmt: skip
            row = self._store.rows("SELECT * FROM recipients WHERE code = :code", code=code)[0]
            return Recipient(**dict(row))

    def find(self, code: str) -> Recipient | None:
        """By the code that was given for it."""
        found = self._store.row("SELECT * FROM recipients WHERE code = :code", code=code)
        return None if found is None else Recipient(**dict(found))

    def get(self, number: int) -> Recipient | None:
        """By its number."""
        found = self._store.row("SELECT * FROM recipients WHERE id = :id", id=number)
        return None if found is None else Recipient(**dict(found))
