"""What the tests of withdrawals share: a wallet of 1,000, a bank that says what the test wants, and a worker."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from users import sessions
from wallets import providing, tasks
from wallets.models import PayoutAttempt, Withdrawal
from wallets.tests.conftest import PASSWORD, Answer, Http, Person, balance, books_are_clean
from wallets.tests.scripted import ScriptedBank

START = datetime(2030, 1, 1, 12, tzinfo=UTC)


@dataclass
class Office:
    """Alice's wallet, the scripted bank behind it, and a worker whose clock the test has."""

    alice: Person
    wallet: Any
    bank: ScriptedBank
    traveller: Any
    now: datetime = START
    _logged_in: tuple[datetime, Http] | None = None

    @property
    def http(self) -> Http:
        """Alice, logged in, anew where her token may have expired."""
        if self._logged_in is None or self.now - self._logged_in[0] > timedelta(minutes=4):
            token = sessions.log_in(email=self.alice.user.email, password=PASSWORD, now=self.now).access
            self._logged_in = self.now, Http(token)
        return self._logged_in[1]

    def ask(self, amount: int = 400, number: str = "0123456789", key: str = "", http: Any = None) -> Answer:
        """Ask for a withdrawal over HTTP."""
        account = self.account(number)
        body = {"amount": amount, "bank_account": account["id"]}
        return (http or self.http).post(f"wallets/{self.wallet.id}/withdrawals", body, key=key)

    def account(self, number: str = "0123456789") -> Any:
        body = {"bank_code": "058", "account_number": number, "currency": "NGN", "provider": self.bank.slug}
        return self.http.post("bank-accounts", body).body

    def later(self, seconds: float = 0.0) -> Withdrawal:
        """Let the worker run after so long, and tell how the only withdrawal stands."""
        self.sweep(seconds)
        return self.found()

    def sweep(self, seconds: float = 0.0) -> None:
        """Let the worker run after so long."""
        self.now += timedelta(seconds=seconds)
        self.traveller.move_to(self.now)
        tasks.sweep_withdrawals()

    def run(self, status: str, hours: float = 6) -> Withdrawal:
        """Let the worker run whenever something is due, until the withdrawal has a status."""
        end = self.now + timedelta(hours=hours)
        while (found := self.found()).status != status:
            assert found.next_at is not None and found.next_at <= end, f"still {found.status} at {self.now}"
            self.later(max((found.next_at - self.now).total_seconds(), 0))
        return found

    def found(self) -> Withdrawal:
        return Withdrawal.objects.select_related("hold").get()

    @property
    def attempt(self) -> PayoutAttempt:
        return PayoutAttempt.objects.latest("number")

    @property
    def money(self) -> tuple[int, int]:
        """Balance and what is held."""
        return balance(self.http, self.wallet)[:2]

    def shown(self) -> Any:
        """The withdrawal as its owner sees it."""
        return self.http.get(f"withdrawals/{self.found().pk}").body

    def history(self) -> list[tuple[str, str]]:
        """The statuses that it went through."""
        steps = self.found().steps.order_by("id")
        return [(step.before, step.after) for step in steps if step.before != step.after]


HELD, BACK, GONE = (1_000, 400), (1_000, 0), (600, 0)


def enable(settings: Any, **options: Any) -> ScriptedBank:
    """Enable the scripted bank beside the sandbox."""
    path = "wallets.tests.scripted.ScriptedBank"
    settings.PROVIDERS = {**settings.PROVIDERS, "scripted": (path, options)}
    providing.registry.cache_clear()
    return providing.provider("scripted")


__all__ = ["BACK", "GONE", "HELD", "START", "Office", "balance", "books_are_clean", "enable"]
