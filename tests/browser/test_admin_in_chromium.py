"""The back office in a real browser: staff find a payment, and the page asks nothing of anybody else's server."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from walletproject import demo

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium, as .ci/run does"
)


class Quiet(WSGIRequestHandler):
    """Answers without a line in the log for each request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(committed, settings) -> Iterator[str]:
    """A server with the demo's data, and its address. The data is made before the browser's event loop runs."""
    settings.RATELIMIT_ENABLE = False
    demo.seed(now=datetime.now(UTC))
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Office:
    """A browser's page, and what went wrong in it."""

    page: object
    address: str
    troubles: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda said: said.type == "error" and self.troubles.append(said.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", self._note_stranger)
        self.page.on("response", lambda got: got.status >= 400 and self.troubles.append(f"{got.status} {got.url}"))

    def _note_stranger(self, request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.troubles.append(f"asked another host: {request.url}")

    def log_in(self, email: str = demo.STAFF) -> None:
        self.page.context.clear_cookies()
        self.page.goto(f"{self.address}/admin/login/?next=/admin/")
        self.page.fill("[name=username]", email)
        self.page.fill("[name=password]", demo.PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.address}/admin/")
        self.page.wait_for_load_state("networkidle")

    def press(self, title: str, **fields: str) -> None:
        """A button of the page, and what its dialog asks for."""
        self.page.locator(f"a:has-text('{title}')").first.click()
        dialog = self.page.locator("#dialog")
        for name, value in fields.items():
            dialog.locator(f"[name={name}]").fill(value)
        dialog.get_by_role("button", name=title).click()
        self.page.wait_for_load_state("networkidle")

    def follow(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state("networkidle")


@pytest.fixture(params=["light", "dark"])
def office(request, address) -> Iterator[Office]:
    """Chromium, logged out, in both colours."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=request.param)
        page.set_default_timeout(15_000)
        office = Office(page, address)
        office.watch()
        yield office
        browser.close()


def test_staff_find_a_payment_from_the_wallet_to_its_entries(office):
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
    assert office.troubles == []


def test_filters_open_and_narrow_a_list(office):
    office.log_in()
    office.page.goto(f"{office.address}/admin/wallets/withdrawal/")
    office.page.locator("a:has-text('Filters')").first.click()
    office.page.fill("[name=created_at_from]", "2999-01-01")
    office.page.get_by_text("Apply Filters").click()
    office.page.wait_for_url("**created_at_from=2999-01-01**")
    assert office.page.locator("#result_list tbody").count() == 0
    assert office.troubles == []


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
    assert office.troubles == []


@pytest.mark.parametrize("model", ["topup", "unmatchedreceipt", "webhookevent", "withdrawal"])
def test_the_ids_of_providers_stay_within_the_page(office, model):
    office.log_in()
    office.page.goto(f"{office.address}/admin/wallets/{model}/")
    office.follow("#result_list tbody th a")
    assert office.page.evaluate("document.documentElement.scrollWidth") == 1280


def test_a_page_fits_a_laptop(office):
    office.log_in()
    office.page.goto(f"{office.address}/admin/wallets/wallet/")
    office.follow("#result_list tbody tr:last-child th a")
    office.page.wait_for_load_state("networkidle")
    wide = "[...document.querySelectorAll('.office-scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    assert office.page.evaluate(wide) == 0
    assert office.troubles == []
