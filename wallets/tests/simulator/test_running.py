"""The command, a file that outlives a kill, the control API, and the lines of docs/simulator.md."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wallets.simulator.magic import MAGIC
from wallets.simulator.server import Simulator
from wallets.tests.simulator.conftest import Customer, Inbox, transfer, until, wdr, web

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "simulator.md").read_text()


@contextmanager
def command(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, on a free port; killed in the end."""
    line = [sys.executable, "manage.py", "simulate_providers", "--port", "0", *options]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        yield process, first.partition("=")[2].strip().removesuffix("/paystack")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_file_outlives_a_kill(tmp_path: Path, inbox: Inbox):
    state = ("--state", str(tmp_path / "state"), "--settle-seconds", "1000", "--webhooks", inbox.url)
    with command(*state) as (process, url):
        fincra = Customer(f"{url}/fincra", "fincra")
        web.post(f"{url}/_control/faults", json={"kind": "error", "reference": wdr(9), "when": "before", "times": 2})
        assert fincra.order(wdr(9)).status_code == 503
        assert fincra.order(wdr(1)).status_code == 200
        web.post(f"{url}/_control/clock", json={"advance": 500})
        process.send_signal(signal.SIGKILL)
        process.wait()
    with command(*state) as (_, url):
        fincra = Customer(f"{url}/fincra", "fincra")
        assert fincra.order(wdr(1)).json()["errorType"] == "DUPLICATE_CUSTOMER_REFERENCE"
        assert (fincra.word(wdr(1)), fincra.available()) == ("processing", 10_000_000 - 150)
        assert [fincra.order(wdr(9)).status_code for _ in range(2)] == [503, 200]
        web.post(f"{url}/_control/clock", json={"advance": 500})
        until(lambda: fincra.word(wdr(1)) == "success")
        assert web.get(f"{url}/_control/books", params={"reference": wdr(1)}).json()["transfers"][0]["times_paid"] == 1
        inbox.wait(1)


def test_a_second_simulator_is_refused_the_file(tmp_path: Path):
    state = ("--state", str(tmp_path / "state"))
    with command(*state) as (_, url):
        assert url
        line = [sys.executable, "manage.py", "simulate_providers", "--port", "0", *state]
        second = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (second.returncode, "can't start" in second.stderr) == (1, True)


def test_the_command_stops_when_it_is_told(tmp_path: Path):
    with command() as (process, url):
        assert web.get(f"{url}/_control/books").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_faults_are_commanded_listed_and_healed_over_http(sim: Simulator, customer: Customer):
    made = web.post(f"{sim.url}/_control/faults", json={"kind": "error", "times": 5, "reference": "wdr_"})
    assert (made.status_code, made.json()["left"]) == (201, 5)
    assert customer.order(wdr(1)).status_code == 503
    assert [one["left"] for one in web.get(f"{sim.url}/_control/faults").json()] == [4]
    assert web.delete(f"{sim.url}/_control/faults/{made.json()['id']}").json() == []
    assert customer.order(wdr(2)).status_code == 200


@pytest.mark.parametrize(
    "body",
    ["{", '{"kind": "nothing"}', '{"kind": "error", "x": 1}', '{"provider": "fincra"}', '{"kind": "error", "times": 0}',
     '{"kind": "wrong_amount", "amount": "0"}', '{"kind": "error", "status": 200}'],
)  # fmt: skip
def test_a_fault_that_there_is_not_is_refused(sim: Simulator, body: str):
    assert web.post(f"{sim.url}/_control/faults", content=body).status_code == 400


def test_a_transfer_is_settled_failed_and_reversed_on_command(sim: Simulator, customer: Customer):
    sim.fault("stuck")
    for number, action in ((1, "settle"), (2, "fail")):
        customer.order(wdr(number))
        assert web.post(f"{sim.url}/_control/transfers/{wdr(number)}/{action}").status_code == 200
    assert web.post(f"{sim.url}/_control/transfers/{wdr(1)}/reverse", json={"word": "returned"}).status_code == 200
    assert [customer.word(wdr(1)), customer.word(wdr(2))] == ["returned", "failed"]
    assert transfer(sim, wdr(1))["times_returned"] == 1


def test_what_can_not_become_of_a_transfer_is_refused(sim: Simulator, customer: Customer):
    customer.order(wdr(1))
    assert web.post(f"{sim.url}/_control/transfers/{wdr(1)}/reverse").status_code == 409
    assert web.post(f"{sim.url}/_control/transfers/{wdr(2)}/settle").status_code == 404


def test_checkouts_are_finished_on_command(sim: Simulator, customer: Customer):
    customer.check_out("dep-1", 100)
    customer.check_out("dep-2", 100)
    paid = web.post(f"{sim.url}/_control/checkouts/dep-1/pay", json={"amount": "40"})
    failed = web.post(f"{sim.url}/_control/checkouts/dep-2/fail")
    assert (paid.json()["state"], failed.json()["state"]) == ("success", "failed")
    assert customer.deposit("dep-1").json()["data"]["amount"] == (4000 if customer.provider == "paystack" else 40)
    assert web.post(f"{sim.url}/_control/checkouts/dep-3/pay").status_code == 404


def test_balances_are_funded_and_emptied_on_command(sim: Simulator, customer: Customer):
    funding = {"provider": customer.provider, "currency": "NGN", "amount": "-9999900"}
    assert web.post(f"{sim.url}/_control/accounts", json=funding).status_code == 200
    assert customer.available() == 100
    assert customer.order(wdr(1), amount=100).status_code == 400
    assert sim.books()["balanced"]


def test_more_than_there_is_can_not_be_taken_away(sim: Simulator):
    funding = {"provider": "fincra", "currency": "NGN", "amount": "-10000001"}
    assert web.post(f"{sim.url}/_control/accounts", json=funding).status_code == 400


def test_settings_change_while_it_runs(sim: Simulator, customer: Customer):
    assert web.post(f"{sim.url}/_control/settings", json={"settle_seconds": 1}).json()["settle_seconds"] == 1
    customer.order(wdr(1))
    sim.advance(1)
    assert customer.word(wdr(1)) == "success"


def test_a_payouts_price_changes_while_it_runs(sim: Simulator, customer: Customer):
    before = customer.available()
    told = web.post(f"{sim.url}/_control/settings", json={"fees": {customer.provider: "12.5"}, "returns_fees": False})
    assert (told.json()["fees"][customer.provider], told.json()["returns_fees"]) == ("12.5", False)
    customer.order(wdr(1), amount=100)
    assert customer.available() == before - 112.5
    for wrong in ({"fees": {customer.provider: "-1"}}, {"fees": {"nobody": "1"}}):
        assert web.post(f"{sim.url}/_control/settings", json=wrong).status_code == 400


def test_the_page_lists_every_account_number_that_stands_for_a_fault():
    assert set(re.findall(r"^\| `(\d{10})`", PAGE, flags=re.MULTILINE)) == set(MAGIC) | {"9999999999"}


def test_the_lines_of_the_page_work_as_printed(sim: Simulator, tmp_path: Path):
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    script = 'set -e\ncurl() { command curl --fail-with-body --silent --show-error --max-time 10 "$@"; echo; }\n'
    script += "\n".join(blocks).replace("http://127.0.0.1:8900", sim.url)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(blocks) >= 5
