"""The same transfers in django-hordak, in a process and an environment of their own.

Reads lines `SIZE COUNT` and answers each with the seconds that COUNT transfers took, SIZE of them in a database
transaction. As in our books, a transfer locks both accounts and doesn't overspend.
"""

import json
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

import django
from django.conf import settings

ACCOUNTS = 500
FUNDS = 1_000_000


def configure(connection: dict[str, str]) -> None:
    """A Django project with nothing but hordak."""
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "mptt", "djmoney", "hordak"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **connection}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="benchmark",
        USE_TZ=True,
    )
    django.setup()


def today() -> date:
    return datetime.now(UTC).date()


def fill() -> list[int]:
    """Open the accounts and give each something to spend."""
    from djmoney.money import Money
    from hordak.models import Account, AccountType

    bank = Account.objects.create(name="Bank", type=AccountType.asset, currencies=["EUR"])
    wallets = [
        Account.objects.create(name=f"Wallet {number}", type=AccountType.liability, currencies=["EUR"])
        for number in range(ACCOUNTS)
    ]
    for wallet in wallets:
        wallet.transfer_to(bank, Money(FUNDS, "EUR"), date=today())
    return [wallet.pk for wallet in wallets]


def run(wallets: Sequence[int], size: int, count: int) -> float:
    """Transfer between any two wallets; returns the seconds."""
    start = time.perf_counter()
    for _ in range(count // size):
        transfer([random.sample(wallets, 2) for _ in range(size)])
    return time.perf_counter() - start


def transfer(pairs: Sequence[Sequence[int]]) -> None:
    """A batch in one transaction: accounts locked by one query, then each transfer checked and written."""
    from django.db import transaction
    from djmoney.money import Money
    from hordak.models import Account

    with transaction.atomic():
        touched = {pk for pair in pairs for pk in pair}
        accounts = {account.pk: account for account in Account.objects.filter(pk__in=touched).select_for_update()}
        for source, destination in pairs:
            amount = Money(random.randint(1, 100), "EUR")
            if accounts[source].get_balance()["EUR"].amount < amount.amount:
                raise SystemExit("a wallet ran dry")
            accounts[destination].transfer_to(accounts[source], amount, date=today())


def answer(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Set up, say so, and serve."""
    configure(json.loads(sys.stdin.readline()))
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    wallets = fill()
    answer("ready")
    for line in sys.stdin:
        size, count = map(int, line.split())
        answer(run(wallets, size, count))


if __name__ == "__main__":
    main()
