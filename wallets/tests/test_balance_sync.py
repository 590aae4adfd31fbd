"""Balance sync: what the provider says is kept once, held against our books, and moves nothing."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from ledger import sql
from users.models import AuditEvent
from wallets import metrics, tasks
from wallets.models import BalanceSnapshot, DriftAlert, ProviderAccount, Withdrawal
from wallets.providers.port import BalanceReading, Capability, ProviderUnavailable
from wallets.providers.sandbox.adapter import SandboxProvider
from wallets.providing import provider
from wallets.sandbox_bank import books as bank
from wallets.snapshots import books, reading, schedule
from wallets.snapshots.books import Books, drift
from wallets.snapshots.reading import Reading
from wallets.tests.conftest import Http, balance, books_are_clean, service
from wallets.tests.test_once import at_once


def bank_holds(amount, currency="NGN"):
    bank.set_holding(currency, amount, now=timezone.now())


@pytest.fixture
def robot(database):
    """A service that may sync and read."""
    return service("robot", ("wallets:read", "balances:sync")).http


@pytest.fixture
def purse(purse):
    """Alice's wallet with 1,000 in it, which the bank holds."""
    bank_holds(1_000)
    return purse


@pytest.fixture
def away(monkeypatch):
    def fail(*_):
        raise ProviderUnavailable("The bank is closed.")

    monkeypatch.setattr(SandboxProvider, "fetch_balances", fail)


def says(monkeypatch, *readings):
    """Let the bank tell these available amounts (or whole readings), one after the other."""
    told = list(readings)

    def fetch(self, currency):
        said = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(said, BalanceReading):
            return [said]
        return [BalanceReading(currency, Decimal(said), f"sandbox:{currency}", timezone.now())]

    monkeypatch.setattr(SandboxProvider, "fetch_balances", fetch)


def sync(http, wallet, key=None, **body):
    return http.post(f"wallets/{wallet.id}/sync-balance", body, key=key)


def test_a_first_sync_makes_a_snapshot_and_a_link(robot, purse):
    made = sync(robot, purse)
    assert made.status == 201
    assert set(made.body) == {
        "id", "wallet", "provider", "balance", "currency", "external_balance_id", "as_of", "ledger_balance", "drift",
        "metadata", "created_at",
    }  # fmt: skip
    assert (made.body["wallet"], made.body["provider"], made.body["currency"]) == (str(purse.id), "sandbox", "NGN")
    assert (made.body["balance"], made.body["ledger_balance"], made.body["drift"]) == (1_000, 1_000, 0)
    link = ProviderAccount.objects.get()
    assert (link.wallet_id, link.external_account_id) == (purse.id, "sandbox:NGN")
    assert link.next_at > timezone.now() + timedelta(minutes=10)


def test_a_balance_is_told_in_minor_units_and_kept_to_the_last_digit(robot, purse, monkeypatch):
    says(monkeypatch, "640179.279817")
    made = sync(robot, purse).body
    assert (made["balance"], made["metadata"]["available"]) == (64_017_927, "640179.279817")
    assert BalanceSnapshot.objects.get().balance == Decimal("640179.279817")


def test_what_hasnt_changed_makes_no_new_snapshot(robot, purse):
    first, again = sync(robot, purse), sync(robot, purse, key="k-1")
    assert (again.status, again.body) == (200, first.body)
    bank_holds(900)
    assert sync(robot, purse).status == 201
    assert BalanceSnapshot.objects.count() == 2


def test_a_known_key_gets_its_snapshot_though_the_balance_has_changed(robot, purse):
    first = sync(robot, purse, key="k-1")
    bank_holds(900)
    again = sync(robot, purse, key="k-1")
    assert (first.status, again.status, again.body) == (201, 200, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert sync(robot, purse, key="k-2").body["balance"] == 900
    assert BalanceSnapshot.objects.count() == 2


def test_a_key_whose_sync_found_no_change_is_bound_as_well(robot, purse):
    first = sync(robot, purse).body
    assert sync(robot, purse, key="k-1").status == 200
    bank_holds(900)
    assert sync(robot, purse, key="k-1").body == first


def test_a_key_may_come_in_the_body_and_needs_the_provider_only_once(robot, purse, monkeypatch):
    first = sync(robot, purse, idempotency_key="k-1")
    monkeypatch.setattr(SandboxProvider, "fetch_balances", None)
    assert sync(robot, purse, idempotency_key="k-1").body == first.body


def test_a_key_for_something_else_is_refused(robot, purse, bobs):
    sync(robot, purse, key="k-1")
    assert sync(robot, bobs, key="k-1").code == "idempotency_key_reused"
    assert sync(robot, purse, key="k-1", provider="sandbox").code == "idempotency_key_reused"
    assert sync(robot, purse, key="not a key").code == "idempotency_key_invalid"


def test_a_known_reading_gets_its_snapshot(robot, purse, monkeypatch):
    told = BalanceReading("NGN", Decimal("10"), "sandbox:NGN", timezone.now())
    says(monkeypatch, told)
    first, again = sync(robot, purse), sync(robot, purse, key="k-1")
    assert (again.status, again.body) == (200, first.body)


def test_a_reading_that_comes_late_doesnt_displace_a_newer_one(robot, purse, monkeypatch):
    now = timezone.now()
    older, newer = (BalanceReading("NGN", Decimal(n), "sandbox:NGN", now - timedelta(seconds=9 - n)) for n in (3, 8))
    says(monkeypatch, newer, older)
    first, late = sync(robot, purse), sync(robot, purse)
    assert (late.status, late.body) == (200, first.body)


@pytest.mark.parametrize("changed", ["idempotency_key", "external_balance_id", "as_of"])
def test_the_database_itself_takes_no_snapshot_twice(robot, purse, changed):
    sync(robot, purse, key="k-1")
    twin = BalanceSnapshot.objects.get()
    fields = {"idempotency_key": None, "external_balance_id": "other", "as_of": timezone.now()}
    for name, value in fields.items():
        if name != changed:
            setattr(twin, name, value)
    twin.pk = None
    twin._state.adding = True
    with pytest.raises(DatabaseError), transaction.atomic():
        twin.save(force_insert=True)


@pytest.mark.parametrize(
    "change", ["UPDATE wallets_balancesnapshot SET drift = 0", "DELETE FROM wallets_balancesnapshot"]
)
def test_a_snapshot_is_never_changed(robot, purse, change):
    sync(robot, purse)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


@pytest.mark.parametrize("keys", [[None] * 8, ["k-1"] * 8, [f"k-{number}" for number in range(8)]])
def test_syncs_at_once_store_one_snapshot(committed, robot, purse, keys):
    answers = at_once(8, lambda number: sync(Http(signer=robot.signer), purse, key=keys[number]))
    assert {answer.status for answer in answers} <= {200, 201}
    assert [answer.status for answer in answers].count(201) == 1
    assert len({answer.body["id"] for answer in answers}) == 1
    assert (BalanceSnapshot.objects.count(), ProviderAccount.objects.count()) == (1, 1)


def test_two_wallets_may_share_an_account(robot, purse, bobs):
    assert {sync(robot, wallet).status for wallet in (purse, bobs)} == {201}


def test_only_services_with_the_scope_may_sync(alice, shop, charlie, purse):
    for http in (alice.http, shop.http):
        assert sync(http, purse).code == "permission_denied"
    assert sync(Http(), purse).status == 401
    assert not BalanceSnapshot.objects.exists()


def test_what_isnt_there_cant_be_synced(robot, purse):
    class Nothing:
        id = "0199a000-0000-7000-8000-000000000000"

    assert sync(robot, Nothing).status == 404
    assert sync(robot, purse, provider="nobody").code == "validation_error"
    assert sync(robot, purse, balance=5).code == "validation_error"


def test_a_provider_that_tells_no_balances_is_refused(robot, purse, monkeypatch):
    monkeypatch.setattr(provider("sandbox"), "capabilities", frozenset({Capability.UNIQUE_REFERENCE}))
    assert sync(robot, purse).code == "validation_error"


def test_a_provider_that_is_away_stores_nothing(robot, purse, away):
    refused = sync(robot, purse, key="k-1")
    assert (refused.status, refused.code) == (503, "provider_unavailable")
    assert int(refused.headers["Retry-After"]) > 0
    assert not BalanceSnapshot.objects.exists()
    assert not ProviderAccount.objects.exists()
    assert AuditEvent.objects.filter(action="balance.sync_failed").count() == 1


def test_a_key_may_be_used_again_after_the_provider_was_away(robot, purse, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(SandboxProvider, "fetch_balances", lambda *_: [])
        assert sync(robot, purse, key="k-1").status == 503
    assert sync(robot, purse, key="k-1").status == 201


def test_a_provider_is_not_asked_more_often_than_it_may_be(robot, purse, settings):
    settings.BALANCE_READS_PER_MINUTE = 1
    *_, refused = (sync(robot, purse) for _ in range(3))  # a new minute may begin once in between
    assert (refused.status, refused.code) == (503, "provider_unavailable")


def test_every_sync_is_in_the_trail(robot, purse):
    made = sync(robot, purse).body
    sync(robot, purse)
    trail = list(AuditEvent.objects.filter(action="balance.synced").order_by("at"))
    assert [event.data["new"] for event in trail] == [True, False]
    assert {(event.object_id, event.data["snapshot"]) for event in trail} == {(str(purse.id), made["id"])}


def test_nothing_moves(robot, alice, purse):
    def moved():
        return balance(alice.http, purse), sql.rows("SELECT count(*) FROM ledger_transaction")

    before = moved()
    bank_holds(5)
    assert sync(robot, purse).body["drift"] == -995
    assert moved() == before
    assert books_are_clean()


def test_syncs_are_counted_by_how_they_end(robot, purse, monkeypatch):
    def counted():
        text = metrics.exposition().decode()
        found = re.findall(r'^wallet_balance_syncs_total\{outcome="(\w+)",provider="sandbox"\} (\S+)$', text, re.M)
        return Counter({outcome: int(float(number)) for outcome, number in found})

    before = counted()
    for key in ("k-1", "k-1", "k-2"):
        sync(robot, purse, key=key)
    says(monkeypatch, BalanceReading("USD", Decimal(1), "sandbox:USD", timezone.now()))
    assert sync(robot, purse).status == 503
    assert counted() - before == {"new": 1, "replayed": 1, "unchanged": 1, "failed": 1}


# --- Reading ------------------------------------------------------------------------------------------------------


def snapshots(http, wallet, query=""):
    return http.get(f"wallets/{wallet.id}/balance-snapshots{query}")


def test_before_the_first_there_is_no_latest(robot, purse):
    assert snapshots(robot, purse, "/latest").status == 404
    assert snapshots(robot, purse).body["results"] == []


def test_history_is_told_newest_first_to_those_who_see_the_wallet(robot, alice, charlie, purse):
    made = [sync(robot, purse).body]
    for amount in (900, 800):
        bank_holds(amount)
        made.insert(0, sync(robot, purse).body)
    assert snapshots(alice.http, purse).body["results"] == made
    assert snapshots(alice.http, purse, "/latest").body == made[0]
    page = snapshots(robot, purse, "?limit=2").body
    assert page["results"] == made[:2]
    assert robot.get(page["next"].replace("http://testserver", "")).body["results"] == made[2:]
    for query in ("", "/latest", "/series"):
        assert snapshots(charlie.http, purse, query).status == 404


def test_history_has_a_from_and_a_to(robot, purse):
    moment = sync(robot, purse).body["as_of"]
    assert len(snapshots(robot, purse, f"?from={moment}&to={moment}").body["results"]) == 1
    assert snapshots(robot, purse, "?from=2999-01-01").body["results"] == []
    assert snapshots(robot, purse, "?to=2001-01-01").body["results"] == []
    assert snapshots(robot, purse, "?from=yesterday").code == "validation_error"


def test_a_series_has_the_last_of_each_hour_or_day(robot, purse, monkeypatch):
    start = datetime(2030, 1, 1, 10, tzinfo=UTC)
    hours = {0: "1", 0.5: "2", 1.2: "3", 30: "4"}
    for hour, amount in hours.items():
        says(monkeypatch, BalanceReading("NGN", Decimal(amount), "sandbox:NGN", start + timedelta(hours=hour)))
        assert sync(robot, purse).status == 201
    query = "&from=2030-01-01&to=2030-01-05"
    hourly = snapshots(robot, purse, f"/series?granularity=hour{query}").body["points"]
    assert [(point["at"], point["balance"]) for point in hourly] == [
        ("2030-01-01T10:00:00Z", 200), ("2030-01-01T11:00:00Z", 300), ("2030-01-02T16:00:00Z", 400),
    ]  # fmt: skip
    daily = snapshots(robot, purse, f"/series?granularity=day{query}").body["points"]
    assert [(point["at"][:10], point["total"]) for point in daily] == [("2030-01-01", 300), ("2030-01-02", 400)]


def test_a_series_isnt_endless(robot, purse):
    assert snapshots(robot, purse, "/series?granularity=hour&from=2020-01-01").code == "validation_error"
    assert snapshots(robot, purse, "/series").status == 200


# --- Drift --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "found"), [(1_000, 0), (700, 0), (850, 0), (1_020, 20), (690, -10)],
)  # fmt: skip
def test_payouts_in_flight_explain_what_may_have_left(total, found):
    now = Books(1_000, 300)
    assert drift(total, now, now) == found


def test_what_moves_while_the_provider_is_asked_is_explained():
    assert drift(700, Books(1_000, 0), Books(700, 0)) == drift(1_000, Books(1_000, 0), Books(700, 0)) == 0


def withdraw(alice, purse, number, amount=400):
    account = {"bank_code": "058", "account_number": number, "currency": "NGN"}
    body = {"amount": amount, "bank_account": alice.http.post("bank-accounts", account).body["id"]}
    assert alice.http.post(f"wallets/{purse.id}/withdrawals", body).status == 202


def test_a_payout_on_its_way_is_no_drift(robot, alice, purse, monkeypatch):
    withdraw(alice, purse, "0000000004")
    assert sync(robot, purse).body["metadata"]["in_flight"] == 0
    tasks.sweep_withdrawals()
    assert Withdrawal.objects.get().status == "processing"
    for there in ("10", "6"):
        says(monkeypatch, there)
        told = sync(robot, purse).body
        assert (told["metadata"]["in_flight"], told["drift"], told["ledger_balance"]) == (400, 0, 1_000)
    says(monkeypatch, "5.99")
    assert sync(robot, purse).body["drift"] == -1


def test_a_payout_that_the_bank_refused_explains_nothing(robot, alice, purse):
    withdraw(alice, purse, "0000000001")
    tasks.sweep_withdrawals()
    assert books.read("sandbox", "NGN", now=timezone.now()).in_flight == 0


@pytest.fixture
def finance(bob, charlie, settings):
    """Bob is of the finance group; Charlie has left it."""
    settings.DRIFT_THRESHOLDS = {"NGN": 100}
    group = Group.objects.create(name="finance")
    for person in (bob, charlie):
        person.user.groups.add(group)
    charlie.user.is_active = False
    charlie.user.save()


def test_an_alert_opens_once_is_mailed_once_and_closes_well_below(robot, purse, finance):
    def drift_becomes(amount):
        bank_holds(1_000 + amount)
        assert sync(robot, purse).body["drift"] == amount
        tasks.mail_drift_alerts()
        return [alert.closed_at is None for alert in DriftAlert.objects.order_by("opened_at")], len(mail.outbox)

    assert drift_becomes(100) == ([], 0)
    assert drift_becomes(-101) == ([True], 1)
    for amount in (-300, -99, 150, 51):
        assert drift_becomes(amount) == ([True], 1)
    assert drift_becomes(50) == ([False], 1)
    assert drift_becomes(80) == ([False], 1)
    assert drift_becomes(101) == ([False, True], 2)
    letter = mail.outbox[0]
    assert letter.to == ["bob@example.com"]
    assert "-1.01" in letter.subject.replace("−", "-")
    assert "NGN 8.99" in letter.body


def test_the_same_drift_seen_from_two_wallets_is_one_alert(robot, purse, bobs, finance):
    bank_holds(500)
    for wallet in (purse, bobs):
        assert sync(robot, wallet).status == 201
    assert DriftAlert.objects.count() == 1


def test_a_mail_that_fails_is_sent_later(robot, purse, finance, monkeypatch, settings):
    settings.FINANCE_EMAILS = ["cfo@example.com"]
    bank_holds(500)
    sync(robot, purse)
    monkeypatch.setattr("wallets.finance.EmailMessage.send", lambda *_: 1 / 0)
    tasks.mail_drift_alerts()
    assert DriftAlert.objects.get().mailed_at is None
    monkeypatch.undo()
    tasks.mail_drift_alerts()
    assert [letter.to for letter in mail.outbox] == [["cfo@example.com"]]


# --- By schedule --------------------------------------------------------------------------------------------------


class Later:
    """A clock that tests set."""

    def __init__(self, **ahead) -> None:
        self.now = timezone.now() + timedelta(**ahead)

    def __call__(self) -> datetime:
        return self.now


def test_a_linked_account_is_read_when_it_is_due(robot, purse):
    sync(robot, purse)
    bank_holds(900)
    tasks.sweep_balances()
    assert BalanceSnapshot.objects.count() == 1
    ProviderAccount.objects.update(next_at=timezone.now())
    tasks.sweep_balances()
    newest = BalanceSnapshot.objects.latest("pk")
    assert (newest.created_by, newest.balance) == ("system:balances", 9)
    assert schedule.due(now=timezone.now()) == []


def test_one_worker_reads_it_at_a_time(committed, robot, purse):
    sync(robot, purse)
    link = ProviderAccount.objects.get()
    clock = Later(hours=1)
    assert sorted(at_once(4, lambda _: schedule.advance(link.pk, clock=clock))) == [False] * 3 + [True]


def test_it_waits_ever_longer_for_a_provider_that_is_away(robot, purse, away, settings):
    ProviderAccount.objects.create(
        wallet=purse, provider="sandbox", currency="NGN", external_account_id="sandbox:NGN",
        next_at=timezone.now(), created_at=timezone.now(),
    )  # fmt: skip
    pauses = []
    for _ in range(3):
        link = ProviderAccount.objects.get()
        clock = Later()
        clock.now = link.next_at
        assert schedule.advance(link.pk, clock=clock)
        pauses.append((ProviderAccount.objects.get().next_at - clock.now).total_seconds() / 60)
    assert 13 < pauses[0] < 17 < 26 < pauses[1] < 34 < 53 < pauses[2] < 67
    assert ProviderAccount.objects.get().failures == 3
    assert not BalanceSnapshot.objects.exists()


def test_a_provider_asked_too_often_is_no_failure(robot, purse, settings):
    sync(robot, purse)
    settings.BALANCE_READS_PER_MINUTE = 1
    link, clock = ProviderAccount.objects.get(), Later(hours=1)
    reading.read(provider("sandbox"), "NGN", None, now=clock.now)
    schedule.advance(link.pk, clock=clock)
    link.refresh_from_db()
    assert (link.failures, link.next_at < clock.now + timedelta(minutes=2)) == (0, True)


def test_a_schedule_of_nought_is_none(robot, purse, settings):
    sync(robot, purse)
    settings.BALANCE_SYNC_MINUTES = 0
    assert schedule.due(now=timezone.now() + timedelta(days=9)) == []


def test_a_reading_has_one_name():
    read = Reading("a", "NGN", Decimal(1), Decimal(1), datetime(2030, 1, 1, tzinfo=UTC), {})
    assert read.identity("p", 1) == read.identity("p", 1) != read.identity("p", 2)
