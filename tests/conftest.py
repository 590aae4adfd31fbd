"""What tests across the apps share: the demo's data, as the back office shows them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from walletproject import demo
from wallets import backups
from wallets.models import ApprovalRule, FeeRule, PayoutPause, ProviderCircuit, Wallet, WithdrawalLimit


@pytest.fixture(scope="module")
def demo_once(committed_once) -> None:
    """The demo's people, wallets and movements, written once for all tests of a module."""
    now = datetime.now(UTC)
    demo.seed(now=now)
    FeeRule.objects.create(currency="NGN", flat=5_000)
    WithdrawalLimit.objects.create(currency="NGN", scope="user", window="day", amount=10**9)
    ApprovalRule.objects.create(currency="NGN", kind="amount", threshold=10**8)
    PayoutPause.objects.create(provider="paystack", reason="A test.", paused_by="system:tests", paused_at=now)
    ProviderCircuit.objects.create(provider="sandbox", failures=1, reason="No answer.", updated_at=now)
    backup = backups.begin(Path("/srv/backups"), version="18.4", now=now)
    backups.succeed(backup, Path("/srv/backups/one"), size=1, wal_position="0/1", now=now)
    Wallet.objects.filter(pk=Wallet.objects.latest("id").pk).update(name="<b>Mine</b>")


@pytest.fixture
def demo_data(demo_once, db, settings) -> None:
    """The same for a test: what that writes is rolled back, and staff may look as often as they like."""
    settings.RATELIMIT_ENABLE = False
