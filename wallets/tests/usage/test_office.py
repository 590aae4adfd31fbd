"""Usage in the back office: what its pages tell, and what becomes of each button that is pressed."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from msgspec.structs import replace

from backoffice.cells import moment
from backoffice.charts import HEIGHT, Stack, stacks
from users.models import User
from wallets.admin.usage import drawing
from wallets.admin.usage.accounts import estimated
from wallets.admin.usage.forms import PriceForm
from wallets.admin.usage.shown import grouped, span
from wallets.models import (
    AutomaticTopUp,
    Meter,
    Proposal,
    QuarantinedEvent,
    UsageAccount,
    UsageRecalculation,
    UsageSettlement,
    UsageThreshold,
)
from wallets.tests.usage.conftest import TESTER, read, tiers
from wallets.tests.usage.test_consuming import ANN, FIRST, SECOND, Received, claim, event, take
from wallets.usage import automatic, thresholds
from wallets.usage.automatic import Plan


@pytest.fixture
def client(metering):
    """A superuser's browser."""
    user = User.objects.create_superuser("boss@example.com", "a long password")
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def quarantined(metering, purse):
    """Why an event wasn't taken, and the event."""

    def keep(**how):
        metering.take(replace(metering.event(purse, 4, **how), sent_by="system:test"))
        return QuarantinedEvent.objects.get()

    return keep


def press(client, model, pk, button, /, **said):
    """Press a button of a row's page, or without one of a list's, and fill its dialog in."""
    page = reverse(f"admin:wallets_{model}_changelist")
    where = f"{page}{pk}/{button}/" if pk else f"{page}{button}/"
    answer = client.post(where, {"_form_submitted": "on", "reason": "As agreed.", **said})
    assert answer.status_code == 200, answer.status_code
    return answer


def page(client, model, pk=None):
    where = reverse(f"admin:wallets_{model}_change", args=[pk]) if pk else reverse(f"admin:wallets_{model}_changelist")
    answer = client.get(where)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_late_event_is_let_in_and_counts(client, quarantined, purse):
    late = quarantined(ago=36 * 86_400)
    assert "It occurred longer ago than events are taken." in page(client, "quarantinedevent", late.pk)
    assert read(purse).unsettled == 0
    press(client, "quarantinedevent", late.pk, "let-in")
    late.refresh_from_db()
    assert (late.state, late.decided_because, read(purse).unsettled) == ("admitted", "As agreed.", 1)


def test_an_event_waits_until_there_is_a_meter_for_it(client, metering, quarantined, purse):
    unknown = quarantined(meter="disk")
    for state, unsettled in (("open", 0), ("admitted", 8)):
        press(client, "quarantinedevent", unknown.pk, "let-in")
        unknown.refresh_from_db()
        assert (unknown.state, read(purse).unsettled) == (state, unsettled)
        if state == "open":
            metering.meter("disk", "2")


def test_an_event_is_discarded_and_never_counts(client, quarantined, purse):
    unknown = quarantined(meter="nothing")
    press(client, "quarantinedevent", unknown.pk, "discard")
    unknown.refresh_from_db()
    assert (unknown.state, read(purse).unsettled) == ("discarded", 0)
    assert "/let-in/" not in page(client, "quarantinedevent", unknown.pk)


UNREADABLE = {
    "no text": (b"\xff\xfe<b>\x00{", r"\xff\xfe&lt;b&gt;\x00{"),
    "text of any language": (
        "za\u017c\u00f3\u0142\u0107 \u6f22\u5b57".encode(),
        "za\u017c\u00f3\u0142\u0107 \u6f22\u5b57",
    ),
    "huge": (b'{"quantity": "' + b"9" * 1_000_000, "The first 4,000 of 1,000,014 bytes."),
    "nothing": (b"", "Input data was truncated"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_message_that_is_no_event_is_shown_as_it_came_and_can_only_be_discarded(client, what):
    sent, shown = UNREADABLE[what]
    take(ANN, claim(ANN), Received(7, sent))
    kept = QuarantinedEvent.objects.get()
    found = page(client, "quarantinedevent", kept.pk)
    assert shown in found and len(found) < 200_000
    assert "kafka:usage" in found and "0/7" in found
    assert "/discard/" in found and "/let-in/" not in found
    assert "0/7" in page(client, "quarantinedevent")
    press(client, "quarantinedevent", kept.pk, "discard")
    kept.refresh_from_db()
    assert kept.state == "discarded"


def test_the_page_of_streams_tells_how_far_each_partition_is(client, metering, purse, clock):
    for text in ("Nothing was read from Kafka yet.", "CLICKHOUSE_URL"):
        assert text in streams(client)
    holds, now = claim(ANN, FIRST, SECOND, high=5), moment(timezone.now())
    take(ANN, holds, event(purse, 0), event(purse, 1))
    found = streams(client)
    assert rows(found)[:2] == [
        ["usage", "0", "group", "2", "5", "3", "ann", now, now, "Behind"],
        ["usage", "1", "group", "0", "5", "5", "ann", now, now, "Behind"],
    ]
    take(ANN, holds, *(event(purse, number) for number in range(2, 5)))
    assert rows(streams(client))[0][-5:] == ["0", "ann", now, now, "Up to date"]
    clock.shift(61)
    assert rows(streams(client))[0][-1] == "Silent"


def rows(found):
    """What the rows of a page's tables say."""
    read = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.S) for row in re.findall(r"<tr[^>]*>(.*?)</tr>", found, re.S)]
    return [[strip_tags(cell).strip() for cell in row] for row in read if row]


def streams(client):
    answer = client.get(reverse("admin:usage_streams"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_id_that_came_before_can_only_be_discarded(client, metering, quarantined, purse):
    metering.use(purse, 5, id="e-1")
    found = page(client, "quarantinedevent", quarantined(id="e-1").pk)
    assert "/discard/" in found and "/let-in/" not in found


def test_a_meter_is_made_and_taken_out_of_use_and_back(client):
    press(client, "meter", None, "new-meter", slug="disk", name="Disk", unit="GB", aggregation="max")
    disk = Meter.objects.get(slug="disk")
    assert "so that its events are rejected" in page(client, "meter", disk.pk)
    for button, is_active in (("take-out-of-use", False), ("take-into-use", True)):
        press(client, "meter", disk.pk, button)
        disk.refresh_from_db()
        assert disk.is_active == is_active


def test_a_price_is_asked_for_and_not_announced(client):
    meter = Meter.objects.get()
    press(
        client, "meter", meter.pk, "new-price", currency="ngn", model="graduated", tiers="1,000 0.2\n0.1", allowance="5"
    )
    assert meter.prices.count() == 1
    proposal = Proposal.objects.get()
    assert proposal.content["tariff"]["tiers"] == [["1000", "0.2"], [None, "0.1"]]
    found = page(client, "proposal", proposal.pk)
    assert "NGN 0.0025 a unit" in found and "NGN 0.002 to 1,000; NGN 0.001 above, a unit" in found


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"model": "per_unit"}, "needs it"), ({"model": "graduated", "tiers": "5 1"}, "last tier"),
        ({"model": "graduated", "tiers": "five 1"}, "isn’t two numbers"),
        ({"model": "per_unit", "unit_amount": "x"}, "Write numbers"),
    ],
)  # fmt: skip
def test_a_price_that_makes_no_sense_is_told_in_its_dialog(rf, said, error):
    form = PriceForm(rf.get("/"), None, data={"_form_submitted": "on", "reason": "x", "currency": "NGN", **said})
    assert not form.is_valid()
    assert error in str(form.errors)


def test_usage_is_settled_and_watched_from_a_wallets_page(client, metering, purse):
    metering.use(purse, 2_004)
    press(client, "usageaccount", purse.pk, "settle")
    assert (UsageSettlement.objects.get().amount, UsageSettlement.objects.get().reason) == (501, "As agreed.")
    press(client, "usageaccount", purse.pk, "add-threshold", kind="current", below="-1.50")
    threshold = UsageThreshold.objects.get()
    assert threshold.below == -150
    press(client, "usageaccount", purse.pk, "remove-threshold", threshold=str(threshold.pk))
    assert not UsageThreshold.objects.exists()


def test_a_wallets_page_tells_what_is_left_what_it_used_and_who_watches(client, alice, metering, purse, clock):
    metering.meter("jobs", tiers(("10", "2"), (None, "1")))
    source = alice.open(name="Savings")
    automatic.set_up(alice.caller, purse.pk, Plan(source.pk, 100, 2_000), now=timezone.now())
    thresholds.add(purse.pk, kind="runway", below=24, actor=TESTER, now=timezone.now())
    metering.use(purse, 400)
    metering.settle(purse)
    metering.take(metering.event(purse, 15, meter="jobs"), metering.event(purse, 402))
    clock.shift(timedelta(minutes=3))
    found = page(client, "usageaccount", purse.pk)
    for text in ("NGN 7.74", "NGN 1.26", "Hour by hour".lower(), "Savings", "24 h", "NGN 0.02 to 10; NGN 0.01 above"):
        assert text in found, text
    assert found.count("<rect") >= 4


def test_a_recalculation_is_begun_and_stopped(client, metering, purse):
    metering.use(purse)
    press(client, "usagerecalculation", None, "count-again", wallet=str(purse.pk))
    job = UsageRecalculation.objects.get()
    assert (job.state, job.only_id) == ("running", purse.pk)
    assert "0 of 1" in page(client, "usagerecalculation")
    press(client, "usagerecalculation", job.pk, "stop")
    job.refresh_from_db()
    assert job.state == "stopped"


def test_an_automatic_top_up_is_switched_off_and_let_try_again(client, alice, metering, purse):
    automatic.set_up(alice.caller, purse.pk, Plan(alice.open().pk, 100, 2_000), now=timezone.now())
    for button, is_active in (("stop", False), ("try-again", True)):
        press(client, "automatictopup", purse.pk, button)
        assert AutomaticTopUp.objects.get().is_active == is_active


def test_the_newest_usage_is_what_isnt_settled(metering, purse, clock):
    for quantity in (400, 800, 1_200):
        metering.use(purse, quantity)
        clock.shift(timedelta(hours=1))
    UsageAccount.objects.update(posted=200)
    drawn = drawing.by_hour(purse.pk, estimated(purse.pk, timezone.now()), timezone.now())
    told = [str(shape) for shape in drawn.shapes if "office-bar" in shape]
    assert sum("office-series-1" in shape for shape in told) == 2
    assert ["NGN 1.00" in told[0], "settled NGN 1.00" in told[1], "not settled yet NGN 1.00" in told[2]] == [True] * 3
    assert "not settled yet NGN 3.00" in told[3]


def test_a_stack_stands_part_upon_part_and_its_band_is_drawn():
    drawn = stacks("Title", [Stack("Monday", [100, 100, 0], (150, 400))], "NGN", ("A", "B", "C"))
    first, second, band = map(str, drawn.shapes)
    assert f'y="{HEIGHT * 0.75:.1f}" width="420.0" height="{HEIGHT / 4:.1f}"' in first
    assert f'y="{HEIGHT / 2:.1f}"' in second
    assert "between NGN 1.50 and NGN 4.00" in band
    assert stacks("Title", [Stack("Monday", [0, 0])], "NGN", ("A", "B")) is None


def test_numbers_and_spans_are_written_as_people_read_them():
    assert [grouped(text) for text in ("1234567.5", "-1000", "0")] == ["1,234,567.5", "-1,000", "0"]
    assert [span(seconds) for seconds in (None, 59, 7_200, 8 * 86_400)] == [
        "no end in sight", "59 seconds", "2 hours", "8 days",
    ]  # fmt: skip


def test_what_is_taken_and_what_is_left_make_the_whole(client, metering, purse):
    """1.25 kobo of a thousand: what is taken is rounded up where what is left is rounded down."""
    metering.use(purse, 5)
    page = client.get(reverse("admin:wallets_usageaccount_change", args=[purse.pk])).content.decode()
    told = re.search(
        r"Available in the books(.*?)Not settled yet(.*?)Current, exact(.*?)Estimated", strip_tags(page), re.S
    )
    assert [part.split()[-2:] for part in told.groups()] == [["NGN", "10.00"], ["NGN", "0.02"], ["NGN", "9.98"]]
