"""What staff do in the back office, as they do it: in a real browser, one after the other."""

import csv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

import openpyxl
import pytest
from django.db import connections
from django_otp.oath import TOTP
from pypdf import PdfReader

from ledger.closing import first_open_day
from tests.browser.conftest import Office
from users.models import Authenticator, User
from walletproject import demo
from wallets.models import ApprovalRule, Wallet, Withdrawal
from wallets.reports.registry import REPORTS

TODAY = datetime.now(UTC).date()


def aside(look: Callable[[], Any]) -> Any:
    """What the database says; not in this thread, where the browser's event loop runs."""

    def looked() -> Any:
        try:
            return look()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(looked).result()


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


def code(steps: int) -> str:
    """What the auditor's authenticator shows, so many steps of half a minute from now."""
    totp = TOTP(aside(lambda: Authenticator.objects.get(user__email="auditor@example.com").key))
    totp.time = time() + 30 * steps
    return f"{totp.token():06}"


def test_staff_set_up_a_second_factor_and_log_in_with_it(office, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    page = office.page
    office.fill_in_password("auditor@example.com")
    page.locator(".office-code svg").wait_for()
    page.fill("[name=code]", code(0))
    office.follow("button:has-text('Set up')")
    assert page.locator(".office-recovery li").count() == 10
    office.follow("a:has-text('I have kept them')")
    assert "Owed to customers" in page.inner_text("body")

    office.fill_in_password("auditor@example.com")
    page.fill("[name=code]", "000000")
    office.follow("button:has-text('Log in')")
    assert "Wait for the next one" in page.inner_text("body")
    aside(lambda: Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None))
    page.fill("[name=code]", code(1))
    office.follow("button:has-text('Log in')")
    assert page.url == f"{office.address}/admin/"
    assert office.went_wrong() == []


def test_one_box_finds_a_payment_and_its_page_explains_it(office):
    office.log_in("operator@example.com")
    page = office.page
    found = aside(lambda: Withdrawal.objects.filter(status="completed").first() or Withdrawal.objects.first())
    page.keyboard.press("Control+k")
    page.locator("input[name=s]").first.press_sequentially(str(found.pk))
    page.locator(f"a[href*='/wallets/withdrawal/{found.pk}']").first.click()
    page.wait_for_url(f"**/wallets/withdrawal/{found.pk}/change/")
    assert "Asked for" in page.inner_text(".office-timeline")
    assert office.went_wrong() == []


def withdrawal_of_the_approver() -> str:
    """Amara, who approves withdrawals, asks for one of her own."""
    amara = User.objects.get(email="approver@example.com")
    now = datetime.now(UTC)
    ApprovalRule.objects.create(currency="NGN", kind="amount", threshold=1_000)
    wallet = demo.open_wallet(amara, "NGN", "Main", now)
    source = Wallet.objects.get(owner__email="amina@example.com", currency="NGN")
    demo.send(source.owner, source, wallet, 50_000, "For Amara", now)
    demo.withdraw(amara, wallet, "0123456789", 20_000, now)
    return str(Withdrawal.objects.get(wallet=wallet).pk)


def test_whoever_asked_for_a_withdrawal_is_refused_and_a_second_person_approves_it(office):
    url = f"{office.address}/admin/wallets/withdrawal/{aside(withdrawal_of_the_approver)}/change/"
    office.log_in("approver@example.com")
    office.page.goto(url)
    office.press("Approve", reason="It is mine.")
    assert "somebody else must approve it" in office.page.inner_text("body")

    office.log_in()
    office.page.goto(url)
    assert "awaiting approval" in office.page.inner_text("body").lower()
    office.press("Approve", reason="She is known here.")
    assert "pending" in office.page.inner_text("body").lower()
    assert office.went_wrong() == []


def test_one_posts_a_journal_and_another_approves_it(office):
    page = office.page
    office.log_in("accountant@example.com")
    page.goto(f"{office.address}/admin/wallets/proposal/journal/")
    for line, (account, side) in enumerate((("expenses:goodwill:NGN", "debit"), ("equity:capital:NGN", "credit"))):
        page.fill(f"[name=form-{line}-account]", account)
        page.fill(f"[name=form-{line}-{side}]", "1,234.56")
    page.fill("[name=description]", "Christmas party")
    page.fill("[name=reason]", "Invoice 77.")
    office.follow("button:has-text('Ask for it')")
    proposal = page.url
    assert page.inner_text("body").count("NGN 1,234.56") >= 2

    office.log_in("approver@example.com")
    page.goto(proposal)
    office.press("Approve", reason="Seen.")
    page.get_by_text("Approved, and done.").wait_for()
    page.goto(f"{office.address}/admin/ledger/transaction/")
    assert "Christmas party" in page.inner_text("#result_list")
    assert office.went_wrong() == []


def test_the_accountant_closes_a_day(office):
    yesterday = TODAY - timedelta(days=2)
    office.log_in("accountant@example.com")
    office.page.goto(f"{office.address}/admin/ledger/seal/")
    office.press("Close days", through=str(yesterday))
    assert f"The days before {yesterday + timedelta(days=1)} are closed" in office.page.inner_text("body")
    assert aside(first_open_day) == yesterday + timedelta(days=1)
    assert office.went_wrong() == []


def read(path: Path) -> str:
    """The words of a file, with the reader of its kind."""
    match path.suffix:
        case ".csv":
            with path.open(newline="") as file:
                return " ".join(cell for row in csv.reader(file) for cell in row)
        case ".xlsx":
            book = openpyxl.load_workbook(path)
            return " ".join(str(cell) for sheet in book for row in sheet.values for cell in row)
    return " ".join(page.extract_text() for page in PdfReader(path).pages)


def test_every_report_is_downloaded_and_read_back(office, tmp_path):
    said = {
        "since": TODAY - timedelta(days=40), "until": TODAY, "account": "assets:clearing",
        "wallet": aside(lambda: Wallet.objects.get(owner__email="amina@example.com", currency="NGN").pk),
    }  # fmt: skip
    marks = {"wallet-statement": "Salary", "general-ledger": "Salary", "seals": str(TODAY.year)}
    office.log_in("operator@example.com")
    for slug, report in REPORTS.items():
        query = "&".join(f"{name}={said[name]}" for name in report.asks)
        office.page.goto(f"{office.address}/admin/reports/{slug}/?{query}")
        for format in ("CSV", "XLSX", "PDF"):
            with office.page.expect_download() as kept:
                office.page.get_by_role("link", name=format, exact=True).click()
            path = tmp_path / kept.value.suggested_filename
            kept.value.save_as(path)
            assert path.suffix == f".{format.lower()}" and marks.get(slug, "") in read(path), slug


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
