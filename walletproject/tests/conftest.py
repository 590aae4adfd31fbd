"""A small API of our own: what is proved here holds for every view, so it needs none of the product's."""

import pytest
from django.test import Client
from django.urls import clear_url_caches


@pytest.fixture(autouse=True)
def small_api(settings):
    settings.ROOT_URLCONF = "walletproject.tests.urls"
    settings.RATELIMIT_ENABLE = False
    clear_url_caches()
    yield
    clear_url_caches()


@pytest.fixture
def api():
    return Client(raise_request_exception=False, headers={"X-Caller": "person"})


@pytest.fixture
def stranger():
    return Client(raise_request_exception=False)
