"""What every answer has in common, and what the API does without."""

import gzip

import pytest
from django.test import Client


def test_an_answer_is_compressed_when_asked_for(api):
    response = api.get("/open", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.content) == api.get("/open").content


def test_a_problem_is_compressed_too(api):
    response = api.get("/raises/many", headers={"Accept-Encoding": "gzip"})
    assert b'"code":"validation_error"' in gzip.decompress(response.content)


def test_the_api_sets_no_cookie_and_needs_no_csrf_token(api):
    response = api.post("/login", b"{}", content_type="application/json")
    assert response.status_code == 200
    assert not response.cookies


def test_the_api_asks_the_database_nothing_of_its_own(api, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert api.get("/empty").status_code == 204


def test_the_admin_has_its_session_and_csrf(stranger, db):
    page = stranger.get("/admin/login/")
    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "csrftoken" in page.cookies


def test_the_admin_refuses_a_form_without_its_csrf_token(db):
    page = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert page.status_code == 403
    assert page["Content-Type"].startswith("text/html")


def test_every_page_of_the_admin_is_guarded_and_nothing_else():
    """The admin's own views guard themselves; a page that somebody adds doesn't, and relies on the middleware."""
    careful = Client(enforce_csrf_checks=True)
    assert careful.post("/admin/plain").status_code == 403
    assert careful.post("/only-post").status_code == 200


@pytest.mark.parametrize("path", ["/admin/nothing/", "/admin/auth/group/"])
def test_the_admin_answers_in_html(stranger, db, path):
    response = stranger.get(path, follow=True)
    assert response["Content-Type"].startswith("text/html")
