"""A person with many funded wallets and a bank account, in the product's database; prints what clients need."""

import json
import sys
from datetime import UTC, datetime

import django

django.setup()

from django.db import transaction  # noqa: E402

from ledger.posting import Posting, post  # noqa: E402
from users import tokens  # noqa: E402
from users.callers import Caller  # noqa: E402
from users.models import User  # noqa: E402
from wallets import bank_accounts, chart  # noqa: E402
from wallets.opening import open_wallet  # noqa: E402

WALLETS = 500
FUNDS = 10**12


def main() -> None:
    """Make them and tell."""
    now = datetime.now(UTC)
    person = User.objects.create_user("bench@example.com", "only here, only now")
    caller = Caller(kind="person", id=person.pk, is_staff=False)
    opened = [
        open_wallet(caller=caller, currency="NGN", name="", owner=None, metadata={}, now=now) for _ in range(WALLETS)
    ]
    account = bank_accounts.add(
        caller=caller, provider="sandbox", bank_code="058", account_number="0123456789", currency="NGN", now=now
    )
    with transaction.atomic():
        cash = chart.clearing("sandbox", "NGN")
        legs = [(cash.debit(FUNDS), chart.wallet(wallet.account_id, "NGN").credit(FUNDS)) for wallet in opened]
        post([Posting("deposit", f"fund:{number}", pair) for number, pair in enumerate(legs)], now=now, whole=True)
        pair = tokens.start_family(user_id=person.pk, is_staff=False, now=now)
    made = {"token": pair.access, "wallets": [str(wallet.pk) for wallet in opened], "bank_account": str(account.pk)}
    json.dump(made, sys.stdout)


main()
