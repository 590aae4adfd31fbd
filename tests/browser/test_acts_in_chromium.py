"""What staff do in the back office, as they do it: in a real browser, one after the other."""

from datetime import UTC, datetime

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


def test_a_statement_is_uploaded_reconciled_and_a_break_of_it_posted_by_two(office):
    said = f"date,amount,reference,description,external_id\n{datetime.now(UTC).date()},-12.50,,Card fee,B-1\n".encode()
    office.log_in("accountant@example.com")
    office.page.goto(f"{office.address}/admin/wallets/statement/upload/")
    office.page.set_input_files("[name=file]", {"name": "usd.csv", "mimeType": "text/csv", "buffer": said})
    office.page.select_option("[name=account]", "sandbox:USD")
    office.follow("button:has-text('Import it')")
    assert "Imported: 1 line, 1 of them new." in office.page.inner_text("body")

    office.press("Reconcile now")
    office.page.wait_for_url("**/reconciliation/**")
    assert "1 break opened." in office.page.inner_text("body")
    office.follow("a:has-text('Missing here')")
    office.follow("#result_list tr:has-text('Card fee') th a")
    found = office.page.url
    office.open("Resolve")
    office.press("Post what it lacks", reason="Their fee for the card.")
    office.page.wait_for_url("**/proposal/**")
    proposal = office.page.url

    office.log_in("approver@example.com")
    office.page.goto(proposal)
    office.press("Approve", reason="I have seen the bill.")
    office.page.get_by_text("Approved, and done.").wait_for()
    office.page.goto(found)
    body = office.page.inner_text("body")
    assert "Resolved by a posting" in body and "Their fee for the card." in body
    assert office.went_wrong() == []


def test_what_is_ticked_is_summed_and_matched_by_hand(office):
    office.log_in("operator@example.com")
    office.page.goto(f"{office.address}/admin/wallets/break/?q=ORD-1005")
    office.follow("#result_list tbody th a")
    office.open("Resolve")
    office.follow("a:has-text('Match by hand')")
    assert office.page.locator("[x-text='money(ours - theirs)']").inner_text() == "NGN 0.00"
    office.page.locator("[name=items]:not(:checked)").first.check()
    assert office.page.locator("[x-text='money(ours - theirs)']").inner_text() != "NGN 0.00"
    office.page.locator("[name=items]:checked").last.uncheck()
    office.page.fill("[name=reason]", "They were closed for a week.")
    office.follow("button:text-is('Match')")
    body = office.page.inner_text("body")
    assert "Matched." in body and "They were closed for a week." in body
    assert office.went_wrong() == []
