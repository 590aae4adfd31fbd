"""The providers' own sandboxes, for who has keys to them: what docs/providers.md calls unknown is seen here.

Off without keys. TRY_PAYSTACK=1, TRY_FLUTTERWAVE=1 and TRY_FINCRA=1 take those that the product takes itself
(PAYSTACK_SECRET_KEY and so on); only test keys are used.
"""

import os
from uuid import uuid4

import pytest

from wallets.providers.enabled import enabled
from wallets.providers.port import PaymentProvider, PayoutOrder, RemoteStatus, SubmitOutcome
from wallets.providers.registry import Registry

# Accounts of the sandboxes, which receive whatever is sent: bank, number, holder.
ACCOUNTS = {
    "paystack": ("057", "0000000000", "Zenith Test"),
    "flutterwave": ("044", "0690000031", "Forrest Green"),
    "fincra": ("058", "2345678901", "Test Holder"),
}
TRIED = [slug for slug in ACCOUNTS if os.environ.get(f"TRY_{slug.upper()}")]


@pytest.fixture(params=sorted(ACCOUNTS))
def bank(request: pytest.FixtureRequest) -> PaymentProvider:
    if request.param not in TRIED:
        pytest.skip(f"TRY_{request.param.upper()} isn't set")
    found = Registry(enabled({**os.environ, "PROVIDERS": request.param}, production=False)).get(request.param)
    assert found.mode == "test", "only a sandbox is tried"
    return found


def order(bank: PaymentProvider) -> PayoutOrder:
    code, number, holder = ACCOUNTS[bank.slug]
    recipient = bank.ensure_recipient(code, number, holder, "NGN")
    reference = bank.payout_reference(uuid4(), 1)
    return PayoutOrder(reference, 10_000, "NGN", code, number, holder, "A test", recipient)


def test_it_names_its_banks(bank):
    codes = {found.code for found in bank.list_banks("NG", "NGN")}
    assert ACCOUNTS[bank.slug][0] in codes


def test_it_tells_what_we_hold(bank):
    assert {reading.currency for reading in bank.fetch_balances("NGN")} == {"NGN"}


def test_it_knows_nothing_of_an_order_that_was_never_given(bank):
    assert bank.query_payout(bank.payout_reference(uuid4(), 1), "").status == RemoteStatus.NOT_FOUND


def test_it_takes_an_order_once(bank):
    given = order(bank)
    first, second = bank.submit_payout(given), bank.submit_payout(given)
    assert first.outcome in (SubmitOutcome.ACCEPTED, SubmitOutcome.ACTION_REQUIRED), first
    assert second.outcome == SubmitOutcome.ALREADY_EXISTS, second
    state = bank.query_payout(given.reference, first.provider_id)
    assert state.status not in (RemoteStatus.NOT_FOUND, RemoteStatus.UNKNOWN), state
    assert (state.amount, state.currency) == (given.amount, given.currency)
