"""A real browser before a server with the demo's data, and what goes wrong in it."""

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
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser these tests can't be run."""
    missing = pytest.mark.skip(reason=f"no Chromium at {CHROMIUM}: apt-get install chromium, as .ci/run does")
    for item in items:
        if item.path.parent == HERE and not CHROMIUM.exists():
            item.add_marker(missing)


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

    def log_in(self, email: str = demo.STAFF) -> None:
        self.fill_in_password(email)
        self.page.wait_for_url(f"{self.address}/admin/")

    def fill_in_password(self, email: str) -> None:
        self.page.context.clear_cookies()
        self.page.goto(f"{self.address}/admin/login/?next=/admin/")
        self.page.fill("[name=username]", email)
        self.page.fill("[name=password]", demo.PASSWORD)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def press(self, title: str, **fields: str) -> None:
        """A button of the page, and what its dialog asks for."""
        self.page.locator(f"a:has-text('{title}')").first.click()
        dialog = self.page.locator("#dialog")
        for name, value in fields.items():
            dialog.locator(f"[name={name}]").fill(value)
        with self.page.expect_navigation():
            dialog.get_by_role("button", name=title).click()

    def open(self, title: str) -> None:
        """A menu of the page's buttons."""
        self.page.locator(f"a:not([href]):has-text('{title}'):visible").first.click()

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
