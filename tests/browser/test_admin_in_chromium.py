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


@pytest.fixture(scope="module")
def address(committed_once) -> Iterator[str]:
    """A server with the demo's data, and its address. The data is made before the browser's event loop runs."""
    demo.seed(now=datetime.now(UTC))
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def no_limits(settings) -> None:
    """A browser asks for many things at once."""
    settings.RATELIMIT_ENABLE = False


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

    def log_in(self) -> None:
        self.page.goto(f"{self.address}/admin/login/?next=/admin/")
        self.page.fill("[name=username]", demo.STAFF)
        self.page.fill("[name=password]", demo.PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.address}/admin/")

    def follow(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()

    def went_wrong(self) -> list[str]:
        """What has, once all is there that the page asks for, and drawn."""
        self.page.wait_for_load_state("load")
        self.page.evaluate("new Promise(requestAnimationFrame)")
        return self.troubles


@pytest.fixture(scope="module")
def chromium(address) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=["light", "dark"])
def window(request, chromium) -> Iterator[object]:
    """In both colours; what its pages have fetched, the next one needn't."""
    window = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=request.param)
    window.set_default_timeout(15_000)
    yield window
    window.close()


@pytest.fixture
def stranger(window, address) -> Iterator[Office]:
    """Nobody has logged in here."""
    window.clear_cookies()
    office = Office(window.new_page(), address)
    office.watch()
    yield office
    office.page.close()


@pytest.fixture
def office(window, address) -> Iterator[Office]:
    """Staff has logged in, now or before."""
    office = Office(window.new_page(), address)
    office.watch()
    if not window.cookies():
        office.log_in()
    yield office
    office.page.close()


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


def test_staff_write_a_rule_and_remove_it(office):
    office.page.goto(f"{office.address}/admin/wallets/feerule/add/")
    office.page.fill("[name=currency]", "NGN")
    office.page.fill("[name=flat]", "5000")
    office.follow("button[name=_save]")
    office.follow("#result_list tbody th a")
    office.follow("a[href$='/delete/']")
    office.follow("form:has(input[name=post]) [type=submit]")
    assert office.page.url == f"{office.address}/admin/wallets/feerule/"
    assert office.page.locator("#result_list tbody tr").count() == 0
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
