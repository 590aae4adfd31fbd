import importlib
import pkgutil
import re
import time
from contextlib import suppress

import django.db
import pytest
from django.db import connection, transaction

import ledger
import users
import walletproject
import wallets
from walletproject.errors import DEFECTS, DETAIL, FOREIGN, STATUS, ProblemMiddleware, problem_of
from walletproject.tests.problems import assert_problem

ANSWERS = {
    "queue_full": (503, "queue_full"),
    "insufficient_funds": (422, "insufficient_funds"),
    "validation": (400, "validation_error"),
    "users_permission": (403, "permission_denied"),
    "django_404": (404, "not_found"),
    "django_403": (403, "permission_denied"),
    "bad_request": (400, "bad_request"),
    "suspicious": (400, "bad_request"),
    "too_big": (413, "body_too_large"),
    "drf_404": (404, "not_found"),
    "drf_403": (403, "permission_denied"),
    "drf_parse": (400, "malformed_json"),
    "drf_throttled": (429, "rate_limited"),
    "operational": (503, "database_unavailable"),
    "interface": (503, "database_unavailable"),
    "pool": (503, "database_unavailable"),
    "canceled": (503, "database_unavailable"),
    "lock": (503, "database_unavailable"),
    "serialization": (503, "database_unavailable"),
    "defect": (500, "internal_error"),
    "programming": (500, "internal_error"),
    "lookalike": (500, "internal_error"),
}


@pytest.mark.parametrize("place", ["/raises/", "/plain/"], ids=["in an API view", "in any other view"])
@pytest.mark.parametrize(("name", "expected"), ANSWERS.items(), ids=ANSWERS)
def test_an_error_is_answered_with_its_problem(api, place, name, expected):
    assert_problem(api.get(place + name), *expected)


def test_a_transaction_that_slept_for_too_long_finds_the_database_unavailable(committed):
    with pytest.raises(django.db.Error) as slept, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10ms'")
        time.sleep(0.1)
        cursor.execute("SELECT 1")
    assert problem_of(slept.value).code == "database_unavailable"


def test_a_statement_after_a_failed_one_is_a_defect(db):
    with pytest.raises(django.db.Error) as failed, transaction.atomic(), connection.cursor() as cursor:
        for statement in ("SAVEPOINT here", "SELECT 1/0", "SELECT 1"):
            with suppress(django.db.DataError):
                cursor.execute(statement)
    assert problem_of(failed.value) is None


def test_a_problem_carries_the_data_of_its_error_beside_its_own_members(api):
    problem = api.get("/raises/insufficient_funds").json()
    assert list(problem) == ["type", "title", "status", "code", "detail", "request_id", "available"]
    assert (problem["available"], problem["status"], problem["title"]) == (500, 422, "Insufficient funds")


def test_a_validation_error_names_its_fields(api):
    errors = api.get("/raises/validation").json()["errors"]
    assert errors == [{"field": "amount", "code": "out_of_range", "detail": "Must be at least 1."}]


@pytest.mark.parametrize("name", ["queue_full", "operational", "pool"])
def test_what_passes_says_when_to_come_back(api, name):
    assert int(api.get(f"/raises/{name}")["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api", "/api/v1/nothing", "/static/nothing.css", "/empty/", "/a\x00b"]
)
def test_an_unknown_path_is_a_problem(api, path):
    assert_problem(api.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_a_method_that_a_view_lacks_is_a_problem_and_names_those_it_has(api, method):
    response = api.generic(method, "/echo")
    assert_problem(response, 405, "method_not_allowed")
    assert "POST" in response["Allow"]


def test_a_bare_405_of_django_is_a_problem_too(api):
    response = api.get("/only-post")
    assert_problem(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/empty", "/health", "/nothing"])
def test_a_host_that_is_not_ours_is_a_problem(stranger, settings, path):
    settings.ALLOWED_HOSTS = ["wallet.example"]
    assert_problem(stranger.get(path, headers={"Host": "evil.example"}), 400, "bad_request")


def test_nobody_is_told_to_authenticate(stranger):
    response = stranger.get("/empty")
    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_forged_token_is_told_so(stranger):
    assert_problem(stranger.get("/empty", headers={"X-Caller": "forged"}), 401, "token_invalid")


def test_a_defect_is_logged_with_its_traceback(api, caplog):
    response = api.get("/raises/defect")
    assert_problem(response, 500, "internal_error")
    assert "ZeroDivisionError: secret" in caplog.text


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png", "nonsense", "application/json;q=0"])
def test_the_answer_is_json_whatever_is_asked_for(api, accept):
    assert api.get("/open", headers={"Accept": accept})["Content-Type"] == "application/json"
    assert_problem(api.get("/nothing", headers={"Accept": accept}), 404, "not_found")
    assert_problem(api.get("/raises/validation", headers={"Accept": accept}), 400, "validation_error")


def test_a_document_that_a_view_made_of_its_own_refusal_is_kept(api):
    response = api.get("/own-refusal")
    assert response["Content-Type"] == "application/problem+json"
    assert response.json() == {"code": "insufficient_funds", "stored": True}


def test_options_names_the_methods(api):
    response = api.options("/echo")
    assert response.status_code == 200
    assert response.json() == {"methods": ["POST", "OPTIONS"]}
    assert response["Allow"] == "POST, OPTIONS"


def test_head_is_get_without_its_body(api):
    response = api.head("/open")
    assert (response.status_code, response.content) == (200, b"")


def test_an_answer_without_content_has_none(api):
    response = api.get("/empty")
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response


def test_every_foreign_error_has_words_of_ours():
    assert set(FOREIGN.values()) <= set(DETAIL) & set(STATUS)


def modules():
    """Every module of the product but its tests, migrations and commands."""
    for app in (users, ledger, wallets, walletproject):
        for found in pkgutil.walk_packages(app.__path__, f"{app.__name__}."):
            if not re.search(r"\.(tests|migrations|management|local|urls)\b", found.name):
                yield importlib.import_module(found.name)


def test_every_error_of_the_product_has_a_status():
    """An error class with a code and a title is meant for the wire."""
    classes = {kind for module in modules() for kind in vars(module).values() if isinstance(kind, type)}
    errors = [
        kind for kind in classes if issubclass(kind, Exception) and hasattr(kind, "code") and hasattr(kind, "title")
    ]
    assert [error for error in errors if error.code not in DEFECTS.union(STATUS)] == []
    assert DEFECTS.isdisjoint(STATUS)
    assert len(errors) > 5


def test_nul_in_a_query_reaches_no_view(api):
    assert_problem(api.get("/open?name=a%00b"), 400, "validation_error")


def test_a_defect_has_no_problem():
    assert problem_of(KeyError("secret")) is None


def test_success_passes_untouched(rf):
    from django.http import HttpResponse

    response = HttpResponse("fine")
    assert ProblemMiddleware(lambda request: response)(rf.get("/")) is response
