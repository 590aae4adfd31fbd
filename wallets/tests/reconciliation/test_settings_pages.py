"""How statements are read and matched is written in the back office, by accountants, and holds at once."""

import pytest

from users.models import AuditEvent
from wallets.models import ColumnMapping, MatchRule, Statement
from wallets.tests.reconciliation.pages import Browser, said
from wallets.tests.test_proposals import staff

MAPPING = {
    "name": "bank", "column_date": "Datum", "column_debit": "Soll", "column_credit": "Haben", "column_status": "Stand",
    "headings": "on", "skip_rows": "0", "date_formats": "%d.%m.%Y", "decimal": ",", "words": "verbucht = booked",
}  # fmt: skip
RULE = {
    "name": "Near enough", "position": "60", "kind": "pair", "currency": "ngn", "days": "5", "tolerance": "100",
    "basis_points": "0", "active": "on",
}  # fmt: skip
FILE = b"Datum;Soll;Haben;Stand\n04.03.2026;1.400,50;;Verbucht\n"


@pytest.fixture
def ada(desk):
    return Browser(staff("ada", "accountant"))


def write(browser, model, data, row=None):
    where = f"{row.pk}/change" if row else "add"
    return browser.client.post(f"/admin/wallets/{model}/{where}/", {**data, "_save": "Save"}, follow=True)


def test_a_mapping_is_written_in_fields_and_reads_the_next_file(ada):
    write(ada, "columnmapping", MAPPING)
    found = ColumnMapping.objects.get(name="bank")
    assert (found.columns["debit"], found.statuses) == ("Soll", {"verbucht": "booked"})
    assert "NGN −1,400.50" in said(ada.upload(FILE, mapping="bank"))
    assert AuditEvent.objects.filter(action="column_mapping.added", actor_id=str(ada.user.pk)).exists()


def test_a_mapping_is_changed_but_keeps_its_name(ada):
    write(ada, "columnmapping", MAPPING)
    write(ada, "columnmapping", MAPPING | {"name": "other", "words": ""}, ColumnMapping.objects.get(name="bank"))
    assert ColumnMapping.objects.get(name="bank").statuses == {}
    assert not ColumnMapping.objects.filter(name="other").exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"words": "verbucht"}, "Write one a line"),
        ({"words": "verbucht = done"}, "there are booked"),
        ({"column_date": ""}, "date"),
        ({"headings": ""}, "columns are named by their numbers"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(ada, wrong, told):
    assert told in said(write(ada, "columnmapping", MAPPING | wrong))
    assert not ColumnMapping.objects.filter(name="bank").exists()


def test_a_rule_is_written_changed_and_removed_with_its_trail(ada):
    write(ada, "matchrule", RULE)
    found = MatchRule.objects.get(name="Near enough")
    assert (found.currency, found.tolerance) == ("NGN", 100)
    write(ada, "matchrule", RULE | {"tolerance": "5"}, found)
    found.refresh_from_db()
    assert found.tolerance == 5
    ada.client.post(f"/admin/wallets/matchrule/{found.pk}/delete/", {"post": "yes"})
    assert not MatchRule.objects.filter(pk=found.pk).exists()
    trail = AuditEvent.objects.filter(object_id=str(found.pk)).order_by("at", "id").values_list("action", flat=True)
    assert list(trail) == ["matching_rule.added", "matching_rule.changed", "matching_rule.removed"]


@pytest.mark.parametrize("role", ["operator", "approver", "auditor", "viewer", "admin"])
def test_nobody_else_writes_them(desk, role):
    clerk = Browser(staff("clerk", role))
    rule = MatchRule.objects.first()
    assert rule.name in clerk.page(rule)
    for model, data in (("matchrule", RULE), ("columnmapping", MAPPING)):
        assert write(clerk, model, data).status_code == 403
    assert write(clerk, "matchrule", RULE, rule).status_code == 403
    assert clerk.client.post(f"/admin/wallets/matchrule/{rule.pk}/delete/", {"post": "yes"}).status_code == 403
    assert set(MatchRule.objects.values_list("name", flat=True)).isdisjoint({"Near enough"})
    assert not Statement.objects.exists() and MatchRule.objects.filter(pk=rule.pk).exists()
