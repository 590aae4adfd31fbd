"""The demo data: made once, and completed where making it was interrupted."""

import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from ledger import verify
from users.models import User
from walletproject import demo, demo_usage
from wallets.models import (
    AutomaticTopUpAttempt,
    QuarantinedEvent,
    Transfer,
    UsageAccount,
    UsageAlert,
    UsageDifference,
    Wallet,
)

NOW = datetime(2026, 1, 20, tzinfo=UTC)


def test_the_demo_is_seeded_once_and_says_how_to_log_in(db, capsys):
    for _ in range(2):
        call_command("seed_demo")
        shown = json.loads(capsys.readouterr().out)
    assert [person["email"] for person in shown["people"]] == [email for email, _ in demo.PEOPLE]
    assert len(transfers()) == len(demo.TRANSFERS) + 2
    assert verify.clean()


def test_an_interrupted_seeding_is_completed(db, monkeypatch):
    monkeypatch.setattr(demo, "withdraw", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        demo.seed(now=NOW)
    monkeypatch.undo()
    assert not demo.is_seeded()
    demo.seed(now=NOW)
    assert demo.is_seeded()
    assert (User.objects.count(), Wallet.objects.count()) == (9, 7)
    assert len(transfers()) == len(demo.TRANSFERS) + 2


def transfers():
    """Those that people made: the rest topped up a wallet by itself, and two filled the wallets that use."""
    return Transfer.objects.exclude(description="Automatic top-up")


def test_the_demos_usage_has_what_its_pages_show(db):
    demo.seed(now=NOW)
    assert set(AutomaticTopUpAttempt.objects.values_list("outcome", flat=True)) == {"completed"}
    assert UsageAlert.objects.filter(closed_at=None, kind="current").exists()
    assert QuarantinedEvent.objects.count() == 5
    assert UsageDifference.objects.count() == 1
    shop, agency = (UsageAccount.objects.get(wallet__name=each.name) for each in (demo_usage.SHOP, demo_usage.AGENCY))
    assert min(shop.rated - shop.posted, agency.rated - agency.posted) > 0, "some is not settled yet"


def _interrupt(*_args, **_kwargs):
    raise KeyboardInterrupt


def test_production_gets_no_well_known_passwords(db, settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        call_command("seed_demo")
    assert not User.objects.exists()
