"""What needs two people in usage: a price that is announced, taken back or ended, and a month that is set right."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from users.models import User
from users.permissions import PermissionDenied
from users.validation import ValidationError
from wallets.models import MeterPrice, Proposal, UsageDifference, UsageMonth
from wallets.opening import InvalidState
from wallets.proposals import decide
from wallets.proposals.ask import ask
from wallets.proposals.prices import NewPrice, PriceEnd, Tariffs
from wallets.proposals.usage_repairs import UsageRepair
from wallets.tests.conftest import books_are_clean
from wallets.tests.usage.conftest import TESTER, read
from wallets.usage import recalculation

CHEAPER = Tariffs("per_unit", "0.2")


@pytest.fixture
def office(metering):
    """Ada asks and Amara decides."""
    people = []
    for name, verb in (("ada", "ask"), ("amara", "decide")):
        user = User.objects.create_user(f"{name}@example.com", "a long password", is_staff=True)
        kinds = [f"{verb}_{kind}" for kind in ("price", "price_end", "usage_repair")]
        user.user_permissions.set(Permission.objects.filter(codename__in=kinds))
        people.append(user)
    return people


def asked(ada, deed):
    return ask(deed, actor=ada, reason="As agreed.", now=timezone.now())


def approve(amara, proposal):
    proposal = Proposal.objects.get(pk=proposal.pk)
    decide.approve(proposal.pk, actor=amara, seen=decide.digest(proposal), reason="Yes.", now=timezone.now())


def agree(office, deed):
    ada, amara = office
    approve(amara, asked(ada, deed))


def versions(**which):
    return list(MeterPrice.objects.filter(meter__slug="calls", **which).order_by("starts_at"))


def test_a_price_holds_when_a_second_person_approves_it(office, metering, purse, clock):
    ada, amara = office
    proposal = asked(ada, NewPrice("calls", "NGN", CHEAPER))
    assert "0.2 each" in proposal.says
    assert len(versions()) == 1
    with pytest.raises(PermissionDenied):
        approve(ada, proposal)
    approve(amara, proposal)
    _, price = versions()
    assert price.created_by == f"staff:{amara.pk}"
    clock.move_to(price.starts_at)
    metering.use(purse, 10)
    assert read(purse).unsettled == 2


def test_a_wallets_own_graduated_price_is_announced_and_ended(office, purse, clock):
    tiers = Tariffs("graduated", tiers=(("100", "0.3"), (None, "0.1")), allowance="10")
    agree(office, NewPrice("calls", "NGN", tiers, wallet=purse.pk))
    (own,) = versions(wallet=purse)
    assert (own.allowance, own.tiers[0]) == (10, {"up_to": "100", "unit_amount": "0.3"})
    clock.shift(timedelta(hours=1))
    agree(office, PriceEnd(own.pk))
    assert versions(wallet=purse)[0].ends_at > timezone.now()


def test_a_price_that_isnt_in_effect_yet_is_taken_back(office):
    agree(office, NewPrice("calls", "NGN", CHEAPER, starts_at=timezone.now() + timedelta(days=9)))
    agree(office, PriceEnd(versions()[1].pk))
    (price,) = versions()
    assert price.ends_at is None


@pytest.mark.parametrize(
    "tariff", [Tariffs("per_unit"), Tariffs("package", "1"), Tariffs("graduated", tiers=(("5", "1"),))]
)
def test_a_tariff_that_makes_no_sense_cant_be_asked_for(office, tariff):
    with pytest.raises(ValidationError):
        asked(office[0], NewPrice("calls", "NGN", tariff))
    assert not Proposal.objects.exists()


def test_an_approval_holds_for_the_version_that_it_was_to_follow(office, metering):
    ada, amara = office
    proposal = asked(ada, NewPrice("calls", "NGN", CHEAPER))
    metering.price("calls", "0.9")
    with pytest.raises(InvalidState):
        approve(amara, proposal)
    assert [price.tiers[0]["unit_amount"] for price in versions()] == ["0.25", "0.9"]


def test_a_month_is_set_right_by_two_people_and_a_posting(office, metering, purse):
    metering.use(purse, 400)
    metering.settle(purse)
    UsageMonth.objects.update(quantity=200, amount=50)
    job = recalculation.begin(by=TESTER, now=timezone.now())
    while recalculation.step(job, now=timezone.now()):
        pass
    found = UsageDifference.objects.get()
    agree(office, UsageRepair(found.pk))
    found.refresh_from_db()
    assert (found.state, UsageMonth.objects.get().amount) == ("repaired", Decimal(100))
    assert books_are_clean()
    with pytest.raises(InvalidState):
        asked(office[0], UsageRepair(found.pk))
