"""The OpenAPI document: it names what the contract promises, and whatever it allows is answered as it says."""

import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection
from hypothesis import HealthCheck
from hypothesis import strategies as st
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from users import sessions
from users.callers import System
from wallets.models import ReconciledAccount
from wallets.reconciliation.importing import Upload, import_statement
from wallets.reconciliation.run import reconcile
from wallets.tests.conftest import PASSWORD, SCOPES, Http, Person, Shop, join, service

# Sections 2 to 8 of the contract.
CONTRACT = {
    "/auth/register": "POST",
    "/auth/token": "POST",
    "/auth/token/refresh": "POST",
    "/auth/logout": "POST",
    "/me": "GET PATCH",
    "/wallets": "GET POST",
    "/wallets/{id}": "GET PATCH",
    "/wallets/{id}/close": "POST",
    "/wallets/{id}/members": "GET POST",
    "/wallets/{id}/members/{user_id}": "DELETE",
    "/wallets/{id}/balance": "GET",
    "/wallets/{id}/transactions": "GET",
    "/wallets/{id}/statement": "GET",
    "/wallets/{id}/deposits": "POST",
    "/wallets/{id}/withdrawals": "POST",
    "/wallets/{id}/top-ups": "POST",
    "/top-ups": "GET",
    "/top-ups/{id}": "GET",
    "/webhooks/{provider}": "POST",
    "/wallets/{id}/sync-balance": "POST",
    "/wallets/{id}/balance-snapshots": "GET",
    "/wallets/{id}/balance-snapshots/latest": "GET",
    "/wallets/{id}/balance-snapshots/series": "GET",
    "/transfers": "POST",
    "/transfers/batch": "POST",
    "/transfers/{id}": "GET",
    "/withdrawals": "GET",
    "/withdrawals/{id}": "GET",
    "/withdrawals/{id}/cancel": "POST",
    "/bank-accounts": "GET POST",
    "/bank-accounts/{id}": "GET DELETE",
    "/banks": "GET",
    "/reconciliations": "GET",
    "/reconciliations/{id}": "GET",
    "/reconciliations/{id}/breaks": "GET",
    "/usage/events": "POST",
    "/usage/events/batch": "POST",
    "/usage/reservations/{id}": "GET",
    "/usage/reservations/{id}/capture": "POST",
    "/usage/reservations/{id}/release": "POST",
    "/wallets/{id}/balance/current": "GET",
    "/wallets/{id}/balance/estimated": "GET",
    "/wallets/{id}/balance/estimated/accuracy": "GET",
    "/wallets/balances/estimated": "POST",
    "/wallets/{id}/check": "POST",
    "/wallets/{id}/usage": "GET",
    "/wallets/{id}/usage/policy": "GET PATCH",
    "/wallets/{id}/usage/settle": "POST",
    "/wallets/{id}/usage/settlements": "GET",
    "/wallets/{id}/usage/alerts": "GET",
    "/wallets/{id}/usage/thresholds": "GET POST",
    "/wallets/{id}/usage/thresholds/{threshold_id}": "DELETE",
    "/wallets/{id}/usage/automatic-top-up": "GET PUT DELETE",
    "/meters": "GET POST",
    "/meters/{slug}": "GET PATCH",
    "/meters/{slug}/prices": "GET POST",
    "/meters/{slug}/prices/{id}": "DELETE",
    "/meters/{slug}/prices/{id}/end": "POST",
}
OPERATIONS = [(method, f"/api/v1{path}") for path, methods in CONTRACT.items() for method in methods.split()]
EXAMPLES, MANY_EXAMPLES = 6, 200
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
MOSTLY = st.sampled_from((True, True, True, False))
# What a path may hold unescaped (RFC 3986).
PATH_SAFE = "/-._~!$&'()*+,;=:@"

Environ = dict[str, Any]
Caller = Callable[[Environ, bytes], Environ]


def test_the_document_names_every_path_and_method_of_the_contract_and_no_others(client):
    document = client.get("/api/schema").json()
    assert document["openapi"].startswith("3.1")
    named = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert named == set(OPERATIONS)


def test_the_documents_page_refers_to_nothing_outside_this_machine(client):
    page = client.get("/api/docs").content.decode()
    places = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert len(places) >= 3
    for place in places:
        assert place.startswith("/"), place
        assert not place.startswith("//"), place
        assert client.get(place).status_code == 200, place
    assert not re.findall(r"https?://(?!testserver/)", page)


@pytest.fixture(scope="module")
def owner(committed_once: None) -> Person:
    return join("alice@example.com", "Alice")


@pytest.fixture(scope="module")
def shop(committed_once: None) -> Shop:
    return service("shop", (*SCOPES, "balances:sync", "usage:write", "reports:read"))


@pytest.fixture
def quiet(owner: Person, shop: Shop, db: None, settings: Any) -> None:
    """Nobody is limited, no worker is rung, and the test's transaction may rest while new cases are thought of."""
    settings.RATELIMIT_ENABLE = settings.CELERY_ENABLED = False
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


@pytest.fixture
def alice(quiet: None, owner: Person) -> Person:
    """The owner, logged in just now."""
    token = sessions.log_in(email=owner.user.email, password=PASSWORD, now=datetime.now(UTC)).access
    return Person(owner.user, Http(token))


@pytest.fixture(scope="module")
def known(owner: Person, shop: Shop) -> dict[str, Any]:
    """What leads somewhere, by the name of the field or parameter that it fits, or by the path of its kind."""
    purse, other = owner.open(), owner.open()
    shop.fund(purse, 1_000_000)
    number = {"bank_code": "058", "account_number": "0123456789", "currency": "NGN"}
    account = owner.http.post("bank-accounts", number).body["id"]
    transfer = {"source": str(purse.id), "destination": str(other.id), "amount": 5}
    withdrawal = {"amount": 5, "bank_account": account}
    shop.http.post("meters", {"slug": "calls", "name": "Calls", "unit": "call", "aggregation": "sum"}, key=None)
    price = {"currency": "NGN", "model": "per_unit", "unit_amount": "0.25"}
    reserve = {"amount": 5, "reserve": True}
    return number | transfer | withdrawal | {
        "slug": "calls", "meter": "calls", "/meters": shop.http.post("meters/calls/prices", price, key=None).body["id"],
        "/usage": shop.http.post(f"wallets/{purse.id}/check", reserve).body["reservation"]["id"],
        "/wallets": str(purse.id), "wallet": str(purse.id), "/bank-accounts": account, "provider": "sandbox",
        "/top-ups": owner.http.post(f"wallets/{purse.id}/top-ups", {"amount": 500}).body["id"],
        "/transfers": owner.http.post("transfers", transfer).body["id"],
        "/reconciliations": reconciled(),
        "/withdrawals": owner.http.post(f"wallets/{purse.id}/withdrawals", withdrawal).body["id"],
        "user_id": str(owner.user.id), "user": "alice@example.com", "owner": "alice@example.com",
        "email": "alice@example.com", "password": PASSWORD,
    }  # fmt: skip


def reconciled() -> str:
    """A run over the sandbox's naira, whose only line nobody knows: its id."""
    content = b"date,amount,reference,description,external_id\n2026-03-01,5,unknown-01,A gift,id-1\n"
    now = datetime(2026, 3, 2, tzinfo=UTC)
    import_statement(Upload("sandbox", "NGN", "a.csv", content, "csv"), by=System("test"), now=now)
    return str(reconcile(ReconciledAccount.objects.get(), by=System("test"), now=now).pk)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_person_gets_what_the_document_says(method, path, alice, known):
    hammer(method, path, known, bearer(alice), EXAMPLES)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_service_gets_what_the_document_says(method, path, quiet, shop, known):
    hammer(method, path, known, signing(shop), EXAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_everybody_gets_what_the_document_says_for_long(method, path, alice, shop, known):
    for caller in (bearer(alice), signing(shop), stranger):
        hammer(method, path, known, caller, MANY_EXAMPLES)


class Door:
    """The product as a WSGI application whose every request comes from one caller."""

    def __init__(self) -> None:
        self.product = get_wsgi_application()
        self.caller: Caller = stranger

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        for name in ("HTTP_AUTHORIZATION", "HTTP_SIGNATURE", "HTTP_SIGNATURE_INPUT", "HTTP_CONTENT_DIGEST"):
            environ.pop(name, None)
        environ |= {"wsgi.input": io.BytesIO(body), "HTTP_ACCEPT_ENCODING": "identity"} | self.caller(environ, body)
        return self.product(environ, start_response)


def stranger(environ: Environ, body: bytes) -> Environ:
    """Nobody we know."""
    return {}


def bearer(person: Person) -> Caller:
    """A person with a token."""
    return lambda environ, body: {"HTTP_AUTHORIZATION": f"Bearer {person.http.token}"}


def signing(shop: Shop) -> Caller:
    """A service that signs what it sends, as it sends it."""

    def sign(environ: Environ, body: bytes) -> Environ:
        path = quote(environ["PATH_INFO"].encode("latin-1"), safe=PATH_SAFE)
        query = environ.get("QUERY_STRING", "")
        key = environ.get("HTTP_IDEMPOTENCY_KEY")
        headers = {} if key is None else {"Idempotency-Key": key}
        target = f"{path}?{query}" if query else path
        return dict(shop.http.signer.sign(environ["REQUEST_METHOD"], target, body=body, headers=headers).extra)

    return sign


@cache
def front() -> tuple[Door, BaseSchema]:
    """The door, and the document that was read through it."""
    door = Door()
    return door, schemathesis.openapi.from_wsgi("/api/schema", door)


def hammer(method: str, path: str, known: dict[str, Any], caller: Caller, examples: int) -> None:
    """Send what the document allows and what it forbids, and hold every answer to the document."""
    with transaction_left_open(), the_door(caller) as schema:
        operation = schema[path][method]

        # The suite's slice is the same each time; the long run finds new cases each time.
        @hypothesis.settings(
            max_examples=examples, derandomize=examples == EXAMPLES, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @hypothesis.given(data=st.data())
        def answers_as_it_says(data: st.DataObject) -> None:
            case = data.draw(operation.as_strategy(data.draw(st.sampled_from(GenerationMode))))
            lead_somewhere(case, known, lambda: data.draw(MOSTLY))
            case.validate_response(case.call(), checks=CHECKS)

        answers_as_it_says()


@contextmanager
def the_door(caller: Caller) -> Iterator[BaseSchema]:
    """The document, whose requests come from this caller."""
    door, schema = front()
    door.caller = caller
    try:
        yield schema
    finally:
        door.caller = stranger


@contextmanager
def transaction_left_open() -> Iterator[None]:
    """Requests don't end the test's own connection, as Django's test client sees to it for its requests."""
    signals = request_started, request_finished
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def lead_somewhere(case: Case, known: dict[str, Any], flip: Callable[[], bool]) -> None:
    """Put ids and names that exist where random ones would only ever be unknown, most of the time."""
    kind = "/" + case.path.split("/")[3]

    def settle(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: known[name] if name in known and flip() else settle(item) for name, item in value.items()}
        return [settle(item) for item in value] if isinstance(value, list) else value

    case.body, case.query = settle(case.body), settle(case.query)
    if "id" in case.path_parameters and flip():
        case.path_parameters["id"] = known[kind]
    if flip():
        case.headers["Idempotency-Key"] = uuid4().hex
