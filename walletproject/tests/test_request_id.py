from uuid import UUID

import pytest

from users.context import request_id


@pytest.mark.parametrize("given", ["a", "order-7:retry_2.b", "x" * 128, "01980000-0000-7000-8000-000000000001"])
def test_an_id_that_the_client_sent_comes_back(api, given):
    assert api.get("/open", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", " ", "x" * 129, "a b", "a\tb", "ä", "a\n", "<script>", "a,b", "'; drop table"])
def test_an_id_that_could_do_harm_is_replaced(api, given):
    made = api.get("/open", headers={"X-Request-ID": given})["X-Request-ID"]
    assert made != given
    assert UUID(made).version == 7


def test_each_request_has_its_own(api):
    assert api.get("/open")["X-Request-ID"] != api.get("/open")["X-Request-ID"]


@pytest.mark.parametrize(
    "path", ["/open", "/empty", "/nothing", "/raises/defect", "/plain/defect", "/health", "/admin/"]
)
def test_every_answer_has_one(api, path, db):
    assert api.get(path, headers={"X-Request-ID": "mine"})["X-Request-ID"] == "mine"


def test_a_problem_names_it(api):
    assert api.get("/nothing", headers={"X-Request-ID": "mine"}).json()["request_id"] == "mine"


def test_nothing_of_it_stays_behind(api):
    api.get("/open", headers={"X-Request-ID": "mine"})
    assert request_id.get() == ""
