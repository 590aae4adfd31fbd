import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.providers.redaction import plain, redacted

ACCOUNT = "0690000031"


@pytest.mark.parametrize(
    "name",
    ["account_number", "accountNumber", "senderAccountNumber", "payerAccountNumber", "account_no", "walletNumber",
     "bvn", "iban",
     "nuban", "phone_number", "phoneNumber", "phone"],
)  # fmt: skip
@pytest.mark.parametrize("number", [ACCOUNT, int("1" + ACCOUNT)])
def test_of_an_account_number_the_last_four_digits_are_kept(name, number):
    assert redacted({"data": [{name: number}]}) == {"data": [{name: "••••0031"}]}


@pytest.mark.parametrize(
    "name",
    ["email", "customer_email", "secret_key", "api-key", "apiKey", "Authorization", "authorization_code", "token"],
)
def test_secrets_and_addresses_arent_kept(name):
    assert redacted({name: "whatever"}) == {name: "[hidden]"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"The account {ACCOUNT} is blacklisted", "The account ••••0031 is blacklisted"),
        ("Ask amina@example.com, please", "Ask [hidden] please"),
        ("key sk_live_abc123 is wrong", "key [hidden] is wrong"),
        ("FLWSECK_TEST-abc-X is wrong", "[hidden] is wrong"),
        ("wdr_0123456789abcdef0123456789abcdef_1", "wdr_0123456789abcdef0123456789abcdef_1"),
        ("2026-01-05T10:00:01.000Z", "2026-01-05T10:00:01.000Z"),
        ("Balance 640179.275", "Balance 640179.275"),
        ("a\x00b\ud800", "a\ufffdb\ufffd"),
    ],
)
def test_texts_are_cleaned(text, kept):
    assert plain(text) == kept


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_whatever_comes_can_be_stored_as_json(value):
    stored = json.dumps(redacted(value), ensure_ascii=False)
    assert "\\u0000" not in stored
    stored.encode()


def test_it_stays_moderate():
    deep = value = {}
    for _ in range(50):
        value["next"] = value = {}
    assert len(json.dumps(redacted(deep))) < 100
    assert len(redacted(["x"] * 1000)) == 20
    assert len(redacted("x" * 100_000)) == 500


def test_fractions_become_text():
    assert redacted({"fee": Decimal("26.875"), "amount": 5}) == {"fee": "26.875", "amount": 5}
