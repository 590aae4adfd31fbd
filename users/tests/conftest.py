from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from rest_framework.test import APIClient

from users import clients, registration, signatures
from users.callers import System
from users.models import User
from users.tests.signing import Signer

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """One of the cast, with the password that only they know."""

    user: User
    password: str = PASSWORD


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest) -> None:
    """Every test has a database: one that is rolled back, or for threads one that is wiped."""
    request.getfixturevalue("committed" if "committed" in request.fixturenames else "db")


@pytest.fixture(autouse=True)
def own_urls(settings) -> None:
    """The app by itself, without the products that are built on it."""
    settings.ROOT_URLCONF = "users.tests.urls"


@pytest.fixture(autouse=True)
def cold() -> None:
    """No test finds a secret that another has left in memory."""
    signatures._secret_of.cache_clear()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def alice(now) -> Person:
    return Person(registration.register(email="Alice@Example.com", password=PASSWORD, full_name="Alice", now=now))


@pytest.fixture
def anyone() -> APIClient:
    return APIClient()


@pytest.fixture
def shop(now) -> Signer:
    """A service client that may read wallets."""
    made = clients.create_api_client(name="shop", scopes=["wallets:read"], actor=System("test"), now=now)
    return Signer(key_id=made.key_id, secret=made.secret)
