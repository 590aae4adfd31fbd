"""GET /metrics: who may read it, what it counts, and that many processes count as one."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from wallets import backups, metrics
from wallets.metrics import files, queues
from wallets.models import Withdrawal
from wallets.tests.conftest import *  # noqa: F403

ROOT = Path(__file__).resolve().parent.parent
COUNT = (
    "import sys; from wallets import metrics; metrics.problem('not_found'); metrics.webhook_came('paystack', 'stored')"
)
STAY = COUNT + "; print('counted', flush=True); sys.stdin.read()"


def scrape(**headers):
    answer = Client(raise_request_exception=False).get("/metrics", **headers)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def told(text, name, **labels):
    """The value of a sample, 0 where there is none."""
    wanted = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    found = re.search(rf"^{name}{re.escape('{' + wanted + '}')} (\S+)$", text, re.M)
    return float(found[1]) if found else 0.0


@pytest.fixture
def fresh(monkeypatch):
    """Queues are measured anew by each scrape."""
    monkeypatch.setattr(queues, "FRESH", 0.0)
    monkeypatch.setattr(metrics, "_queues", queues.Queues())


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200), ("::1", {}, 200), ("10.0.0.7", {}, 403), ("", {}, 403),
        ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": "8.8.8.8"}, 403), ("127.0.0.1", {"HTTP_FORWARDED": "for=8.8.8.8"}, 403),
    ],
)  # fmt: skip
def test_without_a_token_only_this_machine_may_scrape(address, headers, status):
    answer = Client().get("/metrics", REMOTE_ADDR=address, **headers)
    assert answer.status_code == status


@pytest.mark.parametrize(("hops", "status"), [("8.8.8.8", 403), ("127.0.0.1, 8.8.8.8", 403), ("127.0.0.1", 200)])
def test_behind_a_trusted_proxy_its_word_counts(settings, hops, status):
    settings.TRUSTED_PROXIES = 1
    assert Client().get("/metrics", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=hops).status_code == status


@pytest.mark.parametrize(("given", "status"), [("Bearer let-me-in", 200), ("Bearer let-me-out", 401), ("", 401)])
def test_with_a_token_whoever_has_it_may_scrape(settings, given, status):
    settings.METRICS_TOKEN = "let-me-in"
    answer = Client().get("/metrics", REMOTE_ADDR="10.0.0.7", HTTP_AUTHORIZATION=given)
    assert answer.status_code == status


def test_money_and_refusals_are_counted_once_committed(committed, alice, bob, shop, purse, bobs):
    before = scrape()
    body = {"source": str(purse.id), "destination": str(bobs.id), "amount": 10}
    for _ in range(2):
        assert alice.http.post("transfers", body, key="k-1").status == 201
    assert alice.http.post("transfers", body | {"amount": 5_000}).code == "insufficient_funds"
    batch = {"transfers": [body, body | {"amount": 5_000}]}
    assert alice.http.post("transfers/batch", batch).body["failed"] == 1
    after = scrape()

    def grown(name, **labels):
        return told(after, name, **labels) - told(before, name, **labels)

    assert grown("wallet_postings_total", kind="transfer") == 2
    assert grown("wallet_refusals_total", code="insufficient_funds") == 2
    assert grown("wallet_http_problems_total", code="insufficient_funds") == 1


def test_what_is_undone_is_not_counted(alice, bob, purse, bobs):
    before = told(scrape(), "wallet_postings_total", kind="transfer")
    body = {"source": str(purse.id), "destination": str(bobs.id), "amount": 10}
    assert alice.http.post("transfers", body).status == 201  # the test's own transaction is rolled back
    assert told(scrape(), "wallet_postings_total", kind="transfer") == before


def test_a_queue_tells_how_many_wait_and_for_how_long(alice, purse, fresh, settings):
    settings.CELERY_ENABLED = False
    account = {"bank_code": "058", "account_number": "0123456789", "currency": "NGN"}
    body = {"amount": 5, "bank_account": alice.http.post("bank-accounts", account).body["id"]}
    for _ in range(2):
        assert alice.http.post(f"wallets/{purse.id}/withdrawals", body).status == 202
    Withdrawal.objects.update(next_at=timezone.now() - timedelta(seconds=90))
    text = scrape()
    assert told(text, "wallet_queue_depth", queue="withdrawals") == 2
    assert 89 < told(text, "wallet_queue_oldest_seconds", queue="withdrawals") < 95
    Withdrawal.objects.update(next_at=timezone.now() + timedelta(hours=1))
    assert told(scrape(), "wallet_queue_depth", queue="withdrawals") == 0


def test_every_queue_is_found_by_an_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for queue in queues.QUEUES:
            cursor.execute("EXPLAIN " + queues.WAITING.format(due=queue.due, table=queue.table, most=queues.MOST))
            assert "Index" in str(cursor.fetchall()), queue.name


def test_a_queue_that_cant_be_measured_takes_nothing_else_from_the_answer(fresh, monkeypatch):
    monkeypatch.setattr(queues, "QUEUES", (queues.Queue("gone", "no_such_table", "next_at"),))
    metrics.problem("not_found")
    text = scrape()
    assert told(text, "wallet_http_problems_total", code="not_found") >= 1
    assert "no_such_table" not in text


def test_the_ages_of_backups_are_told_and_never_is_endless(db):
    assert "wallet_backup_age_seconds +Inf" in (text := scrape()) and "wallet_backup_rehearsal_age_seconds +Inf" in text
    assert "wallet_wal_archive_behind_bytes +Inf" in text
    night = timezone.now() - timedelta(hours=9)
    backup = backups.begin(Path("/srv/backups"), version="18.4", now=night)
    backups.fail(backups.begin(Path("/srv/backups"), version="18.4", now=timezone.now()), "Full.", now=timezone.now())
    backups.succeed(backup, Path("/srv/backups/one"), size=1, wal_position="0/1", now=night)
    assert re.search(r"^wallet_backup_age_seconds 324\d\d\.", text := scrape(), re.M), text
    assert "wallet_backup_rehearsal_age_seconds +Inf" in text
    assert backups.rehearsed(Path("/srv/backups/one"), now=timezone.now())
    assert re.search(r"^wallet_backup_rehearsal_age_seconds 0\.", scrape(), re.M)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where processes of the test count."""
    monkeypatch.setattr(files, "FOLDER", str(tmp_path))
    return tmp_path


def counting(folder, code):
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ) | {"PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    if code == STAY:
        assert process.stdout.readline() == b"counted\n"
    return process


def test_processes_count_together_and_the_dead_still_count(folder):
    living = [counting(folder, STAY) for _ in range(2)]
    assert told(scrape(), "wallet_http_problems_total", code="not_found") == 2
    living[0].kill()
    living[0].communicate()
    for _ in range(3):
        counting(folder, COUNT).communicate()
    for _ in range(2):
        text = scrape()
        assert told(text, "wallet_http_problems_total", code="not_found") == 5
        assert told(text, "wallet_webhooks_total", provider="paystack", verdict="stored") == 5
    assert len(list(folder.glob("counter_*.db"))) == 2, "one that lives, and one for all the dead"
    living[1].communicate()


def test_a_fork_counts_in_files_of_its_own(folder):
    fork = "import os; from wallets import metrics; metrics.problem('not_found'); child = os.fork();"
    fork += "metrics.problem('not_found'); child and os.waitpid(child, 0)"
    counting(folder, fork).communicate()
    assert told(scrape(), "wallet_http_problems_total", code="not_found") == 3


def test_of_a_gauge_the_latest_value_is_told(folder):
    for state in ("open", "closed", "half_open"):
        counting(
            folder, f"from wallets import metrics; metrics.circuit_became('paystack', '', '{state}')"
        ).communicate()
        assert told(scrape(), "wallet_provider_circuit", provider="paystack", currency="") == metrics.CIRCUIT[state]
