"""The back office in a real browser: staff find a payment, and the page asks nothing of anybody else's server."""

import pytest


def test_staff_find_a_payment_from_the_wallet_to_its_entries(stranger):
    office = stranger
    office.log_in()
    assert "Owed to customers" in office.page.inner_text("body")

    office.follow("#nav-sidebar-apps a[href='/admin/wallets/wallet/']")
    office.page.fill("#searchbar", "njeri@example.com")
    office.page.keyboard.press("Enter")
    office.page.wait_for_url("**q=njeri*")
    office.follow("#result_list tbody th a")
    assert "Recent transactions" in office.page.inner_text("body")

    office.follow(".office-table a[href*='/ledger/transaction/']")
    body = office.page.inner_text("body")
    assert all(title in body for title in ("Debit", "Credit", "Total"))

    office.follow(".office-table a[href*='/ledger/account/']")
    assert "Newest entries" in office.page.inner_text("body")
    assert not office.page.locator("button[name^=_save], a.deletelink, input[name=action]").count()
    assert office.went_wrong() == []


def test_filters_open_and_narrow_a_list(office):
    office.page.goto(f"{office.address}/admin/wallets/withdrawal/")
    office.page.locator("a:has-text('Filters')").first.click()
    office.page.fill("[name=created_at_from]", "2999-01-01")
    office.page.get_by_text("Apply Filters").click()
    office.page.wait_for_url("**created_at_from=2999-01-01**")
    assert office.page.locator("#result_list tbody").count() == 0
    assert office.went_wrong() == []


@pytest.mark.parametrize("model", ["topup", "unmatchedreceipt", "webhookevent", "withdrawal"])
def test_the_ids_of_providers_stay_within_the_page(office, model):
    office.page.goto(f"{office.address}/admin/wallets/{model}/")
    office.follow("#result_list tbody th a")
    assert office.page.evaluate("document.documentElement.scrollWidth") == 1280


def test_a_page_fits_a_laptop(office):
    office.page.goto(f"{office.address}/admin/wallets/wallet/")
    office.follow("#result_list tbody tr:last-child th a")
    wide = "[...document.querySelectorAll('.office-scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert office.page.evaluate(wide) == 0
    assert office.went_wrong() == []
