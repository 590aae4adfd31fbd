"""A provider that is enabled later gets its accounts in the books where it is first needed."""

import pytest

from ledger import accounts
from wallets import providing
from wallets.tests.conftest import balance, books_are_clean

CLEARING = "assets:clearing:later:NGN"


@pytest.fixture
def enable_later(settings):
    """Call it to enable a second provider."""

    def enable():
        settings.PROVIDERS = settings.PROVIDERS | {"later": settings.PROVIDERS["sandbox"]}
        providing.registry.cache_clear()

    yield enable
    providing.registry.cache_clear()


def test_deposits_go_to_a_provider_that_is_newer_than_the_currency(alice, shop, enable_later, settings):
    wallet = alice.open()
    enable_later()
    settings.DEFAULT_PROVIDER = "later"
    for _ in range(2):
        shop.fund(wallet, 500)
    assert balance(alice.http, wallet)[0] == 1000
    assert accounts.find([CLEARING])
    assert books_are_clean()


def test_a_bank_account_at_a_provider_that_is_newer_than_the_currency_can_be_paid(alice, enable_later):
    alice.open()
    enable_later()
    assert not accounts.find([CLEARING])
    account = {"bank_code": "058", "account_number": "0123456789", "currency": "NGN", "provider": "later"}
    assert alice.http.post("bank-accounts", account).status == 201
    assert accounts.find([CLEARING])
