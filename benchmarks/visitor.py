"""A worker of the benchmark: a person of the staff who visits lists, pages and reports over old books.

Tells as JSON how many milliseconds each took, visit by visit.
"""

import json
import re
import sys
from collections.abc import Iterator
from datetime import timedelta

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from benchmarks import books  # noqa: E402
from benchmarks.measure import timed  # noqa: E402
from ledger.accounts import find  # noqa: E402
from ledger.history import Filter, bounds, page  # noqa: E402
from users.models import User  # noqa: E402

VISITS = 21


def main() -> None:
    """Log in, and visit everything."""
    settings.ALLOWED_HOSTS = ["testserver"]
    staff = Client()
    staff.force_login(User.objects.create_superuser(email="visitor@example.com"))
    sys.stdout.write(json.dumps({what: took(staff, path) for what, path in pages(staff)}))


def took(staff: Client, path: str) -> list[float]:
    """The milliseconds of each of some visits; of one before them nothing is told."""
    visit(staff, path)
    return [1_000 * timed(lambda: visit(staff, path)) for _ in range(VISITS)]


def pages(staff: Client) -> Iterator[tuple[str, str]]:
    """What there is to look at, and where."""
    long = find(["w0"])["w0"].id
    low, high = bounds(long, None, None)
    newest = page(long, Filter(), limit=1, low=low, high=high, offset=0)[0].transaction
    transactions = reverse("admin:ledger_transaction_changelist")
    today = books.now().date()
    day, yesterday = today - timedelta(days=3), today - timedelta(days=1)
    yield "first page of the back office", reverse("admin:index")
    yield "list of transactions", transactions
    yield "… its next page", transactions + _next(visit(staff, transactions))
    yield "… of one day", f"{transactions}?posted_at_from={day}&posted_at_to={day}"
    yield "… found by reference", f"{transactions}?q=aged:77"
    yield "page of a transaction", reverse("admin:ledger_transaction_change", args=[newest])
    yield "page of an account with a quarter of the entries", reverse("admin:ledger_account_change", args=[long])
    yield "list of accounts", reverse("admin:ledger_account_changelist")
    yield "the one box", reverse("admin:search", query={"s": "aged:77"})
    yield "trial balance of yesterday", _report("trial-balance", until=yesterday)
    yield "income statement of a month", _report("income-statement", since=today - timedelta(days=30), until=yesterday)


def visit(staff: Client, url: str) -> str:
    """The page that is there. Raises RuntimeError where there is none."""
    answer = staff.get(url)
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answers {answer.status_code}")
    return answer.content.decode()


def _report(slug: str, **said: object) -> str:
    return reverse("admin:report", args=[slug], query=said)


def _next(listed: str) -> str:
    """The way to the page behind a list's first one."""
    found = re.search(r'href="(\?[^"]*after=[^"]*)"', listed)
    if found is None:
        raise RuntimeError("the list has no next page")
    return found[1].replace("&amp;", "&")


if __name__ == "__main__":
    main()
