"""Adapters are pure, so these tests need no database; what is on the other side is a real server on a real socket."""

from collections.abc import Iterator
from typing import Any

import pytest

from wallets.providers.fincra.adapter import FincraProvider
from wallets.providers.flutterwave.adapter import FlutterwaveProvider
from wallets.providers.paystack.adapter import PaystackProvider
from wallets.providers.port import PaymentProvider
from wallets.tests.providers.server import Server

OPTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "paystack": (PaystackProvider, {"secret_key": "sk_test_example", "webhook_secrets": ["sk_test_example"]}),
    "flutterwave": (FlutterwaveProvider, {"secret_key": "FLWSECK_TEST-example", "webhook_secrets": ["hash"]}),
    "fincra": (
        FincraProvider,
        {
            "secret_key": "fincra-example",
            "public_key": "pk-example",
            "business_id": "64f1c2a4b7d9e30012ab4567",
            "webhook_secrets": ["fincra_whsec_example"],
        },
    ),
}


def make(slug: str, base_url: str) -> PaymentProvider:
    """The adapter of a provider, which it shall find at an address."""
    adapter, options = OPTIONS[slug]
    return adapter(slug=slug, mode="test", base_url=base_url, **options)


@pytest.fixture(autouse=True)
def database() -> None:
    """None: in place of the one that every other test of the product has."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running
