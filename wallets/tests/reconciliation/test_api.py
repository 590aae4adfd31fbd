"""Reconciliations over HTTP: for services with the scope, and for nobody else."""

from uuid import uuid4

import pytest

from wallets.reconciliation import resolving
from wallets.tests.conftest import service
from wallets.tests.reconciliation.conftest import FINA, NOW, Row


@pytest.fixture
def auditor(database):
    return service("auditor", ("reports:read",)).http


@pytest.fixture
def run(desk):
    desk.book((1, -400, "ref-0001"), (2, 900, "ref-0002"))
    rows = [Row(1, -410, "ref-0001", fee=10), Row(3, -50, description="Charge"), Row(4, 900, "ref-0002")]
    desk.state(rows, opening=0, closing=440)
    return desk.reconcile()


def test_a_run_tells_what_it_matched_and_what_explains_the_balances(auditor, run):
    body = auditor.get(f"reconciliations/{run.pk}").body
    assert body | {"rules": [], "created_at": ""} == {
        "id": str(run.pk), "provider": "paystack", "currency": "NGN", "since": None, "until": "2026-03-05", "lines": 3,
        "items": 2, "matched_lines": 2, "matched_items": 2, "rules": [],
        "breaks": [{"kind": "missing_here", "count": 1, "theirs": -50, "ours": 0}], "opened": 1, "resolved": 0,
        "ledger_balance": 500, "statement_balance": 440, "open_here": 0, "open_there": -50, "in_transit": 0,
        "accepted": 10, "unexplained": 0, "created_at": "",
    }  # fmt: skip
    assert body["rules"] == [
        {"rule": "Reference and amount", "matches": 1, "lines": 1, "items": 1, "difference": 0},
        {"rule": "Reference, less the stated fee", "matches": 1, "lines": 1, "items": 1, "difference": 10},
    ]


def test_runs_are_listed_newest_first_by_provider_and_currency(auditor, desk, run):
    later = desk.reconcile()
    found = auditor.get("reconciliations?limit=1").body
    assert [each["id"] for each in found["results"]] == [str(later.pk)] and found["next"]
    assert len(auditor.get("reconciliations?provider=paystack&currency=NGN").body["results"]) == 2
    assert auditor.get("reconciliations?provider=fincra").body["results"] == []


def test_the_breaks_of_a_run_as_they_stand_now(auditor, desk, run):
    (found,) = desk.open()
    path = f"reconciliations/{run.pk}/breaks"
    (shown,) = auditor.get(f"{path}?kind=missing_here&state=open").body["results"]
    assert (shown["id"], shown["theirs"], shown["ours"], shown["first_on"]) == (str(found.pk), -50, 0, "2026-03-04")
    resolving.accept(found.pk, actor=FINA, reason="Known.", now=NOW)
    assert auditor.get(f"{path}?state=open").body["results"] == []
    (shown,) = auditor.get(path).body["results"]
    assert (shown["state"], shown["resolution"], shown["reason"]) == ("resolved", "note", "Known.")


def test_a_later_break_isnt_an_earlier_runs(auditor, desk, run):
    desk.state([Row(5, 77, "ref-0077")])
    later = desk.reconcile(now=NOW.replace(hour=13))
    assert len(auditor.get(f"reconciliations/{run.pk}/breaks").body["results"]) == 1
    assert len(auditor.get(f"reconciliations/{later.pk}/breaks").body["results"]) == 2


@pytest.mark.parametrize("path", ["reconciliations", "reconciliations/{id}", "reconciliations/{id}/breaks"])
def test_only_services_with_the_scope_read_them(path, run, alice, sade):
    path = path.format(id=run.pk)
    for http in (alice.http, sade.http, service("till", ("wallets:read",)).http):
        assert (http.get(path).status, http.get(path).code) == (403, "permission_denied")


@pytest.mark.parametrize("path", ["reconciliations/{id}", "reconciliations/{id}/breaks"])
def test_a_run_that_isnt_there_isnt_found(path, auditor):
    assert auditor.get(path.format(id=uuid4())).code == "not_found"


@pytest.mark.parametrize("query", ["kind=nonsense", "state=maybe", "colour=red", "limit=0", "cursor=x"])
def test_what_doesnt_fit_is_refused(query, auditor, run):
    assert auditor.get(f"reconciliations/{run.pk}/breaks?{query}").code == "validation_error"
