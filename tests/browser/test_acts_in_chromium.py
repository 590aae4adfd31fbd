"""What staff do in the back office, as they do it: in a real browser, one after the other."""

import pytest

from tests.browser.conftest import Office


@pytest.fixture
def office(chromium, address):
    """A browser of which nobody knows anything yet."""
    window = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    window.set_default_timeout(15_000)
    office = Office(window.new_page(), address)
    office.watch()
    yield office
    window.close()


def test_one_asks_for_a_rule_and_another_approves_it(office):
    office.log_in("accountant@example.com")
    office.page.goto(f"{office.address}/admin/wallets/feerule/add/")
    office.page.fill("[name=currency]", "USD")
    office.page.fill("[name=flat]", "50")
    office.page.fill("[name=reason]", "What their bank takes.")
    office.follow("button[name=_save]")
    proposal = office.page.url
    assert "USD 0.50" in office.page.inner_text("body")
    assert not office.page.get_by_role("link", name="Approve").count(), "they asked for it"

    office.log_in("approver@example.com")
    office.page.goto(proposal)
    office.press("Approve", reason="I have seen the invoice.")
    office.page.get_by_text("Approved, and done.").wait_for()
    office.page.goto(f"{office.address}/admin/wallets/feerule/")
    assert "USD through any provider" in office.page.inner_text("#result_list")
    assert office.went_wrong() == []
