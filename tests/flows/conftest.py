"""A server on a port of its own, and those who call it: with a token, or with a signature."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.core.management import call_command
from django.test.testcases import LiveServerThread, _StaticFilesHandler

from users.tests.signing import Signer

PASSWORD = "correct horse battery"


class Caller:
    """Someone who calls the API. An answer that wasn't asked for by its status fails the test."""

    def __init__(self, site: str, signer: Signer | None = None) -> None:
        # The server's thread for a connection, and its way to the database, end with the answer.
        self.http = httpx.Client(base_url=f"{site}/api/v1", timeout=10, headers={"Connection": "close"})
        self.signer = signer

    def get(self, path: str, status: int = 200) -> Any:
        return self._call("GET", path, None, status)

    def post(self, path: str, body: dict[str, Any], status: int = 201, key: str = "") -> Any:
        """With a fresh key, unless it is told one."""
        return self._call("POST", path, body, status, key or uuid4().hex)

    def log_in(self, email: str) -> dict[str, str]:
        """Calls with this account's token from now on; returns the pair."""
        pair = self.post("auth/token", {"email": email, "password": PASSWORD}, 200)
        self.http.headers["Authorization"] = f"Bearer {pair['access']}"
        return pair

    def balance(self, wallet: str) -> tuple[int, int, int, int]:
        """Balance, pending, held and available."""
        told = self.get(f"wallets/{wallet}/balance")
        return told["balance"], told["pending"], told["held"], told["available"]

    def _call(self, method: str, path: str, body: Any, status: int, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        request = self.http.build_request(method, path, json=body, headers=headers)
        if self.signer:
            signed = self.signer.sign(method, request.url.raw_path.decode(), body=request.content, headers=headers)
            request.headers.update(signed.headers)
        answer = self.http.send(request)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@pytest.fixture
def site(committed: None, settings: Any) -> Iterator[str]:
    """Where the product listens. Nobody rings for its workers: a test runs the sweep when it wants to."""
    settings.CELERY_ENABLED = False
    server = LiveServerThread("127.0.0.1", _StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()


@pytest.fixture
def newcomer(site: str) -> Any:
    """Registers a person, logs them in, and gives the caller that they are from then on."""

    def join(email: str, name: str) -> Caller:
        person = Caller(site)
        person.post("auth/register", {"email": email, "password": PASSWORD, "full_name": name})
        person.log_in(email)
        return person

    return join


@pytest.fixture
def shop(site: str) -> Caller:
    """A marketplace's own server: a client made by the command, which signs each of its requests."""
    printed = StringIO()
    scopes = [word for scope in ("wallets:read", "wallets:write", "deposits:write") for word in ("--scope", scope)]
    call_command("create_api_client", "shop", *scopes, stdout=printed)
    made = json.loads(printed.getvalue())
    return Caller(site, Signer(made["key_id"], made["secret"]))
