"""The recipe of docs/closing.md, run as it stands there: with psql and sha256sum an auditor gets our seal."""

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import time_machine
from django.db import connections, transaction

from users import audit
from users.callers import System
from walletproject.local.identity import Identity
from walletproject.local.installation import binaries
from wallets import closing
from wallets.tests.conftest import *  # noqa: F403

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "closing.md"
MONDAY = datetime(2026, 10, 12, 12, tzinfo=UTC)


@pytest.fixture
def psql():
    """The folder of the embedded server's programs, psql among them."""
    return binaries(Path(), Identity.SAME)


def address():
    """Where psql finds the test's database, in the application's role."""
    words = connections["default"].get_connection_params()
    host = f"host={quote(words['host'], safe='')}&port={words.get('port', 5432)}"
    return f"postgresql://{words['user']}:{words.get('password', '')}@/{words['dbname']}?{host}"


@pytest.mark.parametrize("day", [MONDAY.date(), MONDAY.date() + timedelta(days=1)])
def test_an_auditor_makes_the_same_seal(committed, psql, alice, shop, day):
    with time_machine.travel(MONDAY, tick=False) as traveller:
        wallet = alice.open()
        shop.fund(wallet, 1_000, description="Two\nlines, \\ and ₦")
        traveller.shift(timedelta(days=1))
        shop.fund(wallet, 500)
        with transaction.atomic():
            audit.record(
                actor=System("test"), action="door.opened", kind="door", object_id="a\tb", data={"b": 1, "a": [None]},
                now=datetime.now(UTC),
            )  # fmt: skip
        traveller.shift(timedelta(days=1))
        closing.close(MONDAY.date() + timedelta(days=1), actor=System("test"), clock=lambda: datetime.now(UTC))
    (recipe,) = re.findall(r"```sh\n(day=.*?)```", DOCUMENT.read_text(), re.S)
    environment = {"PATH": f"{psql}:{os.environ['PATH']}", "DATABASE_URL": address()}
    script = re.sub(r"day=\S+", f"day={day}", recipe, count=1)
    done = subprocess.run(["bash", "-ec", script], env=environment, capture_output=True, text=True, check=False)
    by_hand, ours = done.stdout.split("\n")[:2]
    assert by_hand.removesuffix("  -") == ours and len(ours) == 64, done.stderr
