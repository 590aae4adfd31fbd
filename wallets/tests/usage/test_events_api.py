"""Usage events over HTTP: each counts once, and each is told what became of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from wallets.models import QuarantinedEvent, UsageEvent, UsageRollup
from wallets.tests.usage.conftest import read, told


def report(reporter, body, **headers):
    return reporter.post("usage/events", body, key=None, **headers)


def batch(reporter, *events):
    return reporter.post("usage/events/batch", {"events": list(events)}, key=None)


def test_an_event_is_accepted_and_counts(reporter, metering, purse):
    answer = report(reporter, told(purse))
    assert (answer.status, answer.body) == (200, {"event_id": "e-1", "source": "gateway", "status": "accepted"})
    assert str(read(purse).unsettled) == "2.500000"


def test_the_same_again_is_a_duplicate_and_counts_once(reporter, metering, purse):
    report(reporter, told(purse))
    for body in (told(purse), told(purse, quantity="10.0"), told(purse, properties={})):
        assert report(reporter, body).body["status"] == "duplicate"
    assert UsageEvent.objects.count() == 1
    assert read(purse).unsettled == 10 / 4


def test_of_a_batch_only_what_is_new_counts(metering, purse):
    old = metering.event(purse, 10, id="old")
    metering.take(old)
    new, more = metering.event(purse, 4, id="new"), metering.event(purse, 6, id="more")
    other = metering.event(purse, 100, id="more")
    assert [outcome.status for outcome in metering.take(new, old, new, more, other)] == [
        "accepted", "duplicate", "duplicate", "accepted", "conflict",
    ]  # fmt: skip
    assert read(purse).unsettled == (10 + 4 + 6) / 4
    assert sum(UsageEvent.objects.values_list("quantity", flat=True)) == 20
    assert sum(UsageRollup.objects.filter(grain=60).values_list("quantity", flat=True)) == 20


@pytest.mark.parametrize("other", [{"quantity": "11"}, {"properties": {"a": 1}}, {"meter": "else"}, {"occurred_at": 1}])
def test_other_content_under_the_id_is_a_conflict(reporter, metering, purse, other):
    if "occurred_at" in other:
        other = {"occurred_at": (timezone.now() - timedelta(seconds=1)).isoformat()}
    report(reporter, told(purse))
    answer = report(reporter, told(purse, **other))
    assert (answer.body["status"], answer.body["code"]) == ("conflict", "event_reused")
    assert read(purse).unsettled == 10 / 4


def test_an_id_belongs_to_its_source(reporter, metering, purse):
    assert report(reporter, told(purse)).body["status"] == "accepted"
    assert report(reporter, told(purse, source="other")).body["status"] == "accepted"


REJECTED = {
    "unknown_wallet": {"wallet": "01900000-0000-7000-8000-000000000000"},
    "unknown_meter": {"meter": "minutes"},
    "too_old": {"occurred_at": "2026-01-01T00:00:00Z"},
    "in_future": {"occurred_at": "2026-03-11T00:00:00Z"},
}


@pytest.mark.parametrize("code", REJECTED)
def test_what_cant_be_taken_is_rejected_by_its_reason(reporter, metering, purse, code):
    answer = report(reporter, told(purse, **REJECTED[code]))
    assert (answer.status, answer.body["status"], answer.body["code"]) == (200, "rejected", code)
    assert answer.body["detail"]
    assert read(purse).usage is None


def test_what_may_yet_be_taken_lies_in_quarantine_once(reporter, metering, purse):
    for _ in range(3):
        report(reporter, told(purse, occurred_at="2026-01-01T00:00:00Z"))
    (kept,) = QuarantinedEvent.objects.all()
    assert (kept.code, kept.event_id, kept.state) == ("too_old", "e-1", "open")


def test_a_batch_tells_of_each(reporter, metering, purse):
    answer = batch(
        reporter, told(purse), told(purse), told(purse, quantity="11"), told(purse, event_id="e-2", meter="minutes"),
        told(purse, event_id="e-3", quantity="x"), {"event_id": 5}, 7,
    )  # fmt: skip
    body = answer.body
    statuses = ["accepted", "duplicate", "conflict", "rejected", "rejected", "rejected", "rejected"]
    assert [item["status"] for item in body["results"]] == statuses
    assert [item["index"] for item in body["results"]] == list(range(7))
    assert [item.get("code") for item in body["results"][2:5]] == ["event_reused", "unknown_meter", "validation_error"]
    assert body["results"][4]["errors"][0]["field"] == "quantity"
    assert (body["accepted"], body["duplicate"], body["conflict"], body["rejected"]) == (1, 1, 1, 4)


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_batch_has_one_to_a_thousand(reporter, metering, purse, count):
    answer = batch(reporter, *[told(purse, event_id=f"e-{number}") for number in range(count)])
    assert (answer.status, answer.code) == (400, "validation_error")
    assert not UsageEvent.objects.exists()


WRONG = [
    {"quantity": 10}, {"quantity": "1e3"}, {"quantity": "NaN"}, {"quantity": "٣"}, {"quantity": "1 2"},
    {"quantity": ""}, {"quantity": "10\n"}, {"quantity": "1." + "0" * 10}, {"occurred_at": "yesterday"},
    {"occurred_at": "2026-03-10T12:00:00"}, {"event_id": ""}, {"event_id": "x" * 201}, {"more": 1}, {"wallet": "x"},
    {"meter": "UPPER"}, {"meter": "calls\n"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_body_that_is_no_event_is_refused(reporter, metering, purse, wrong):
    answer = report(reporter, told(purse, **wrong))
    assert (answer.status, answer.code) == (400, "validation_error")
    assert not UsageEvent.objects.exists()


@pytest.mark.parametrize("wrong", WRONG)
def test_in_a_batch_it_is_rejected_and_the_others_are_not(reporter, metering, purse, wrong):
    others = [told(purse, event_id=f"o-{number}", quantity="2.5") for number in range(2)]
    answer = batch(reporter, others[0], told(purse, **wrong), others[1])
    assert [item["status"] for item in answer.body["results"]] == ["accepted", "rejected", "accepted"]
    assert answer.body["results"][1]["code"] == "validation_error"
    assert answer.body["results"][1]["errors"][0]["field"] == next(iter(wrong))


def cloudy(wallet, **more):
    return {
        "specversion": "1.0", "id": "e-1", "source": "gateway", "type": "calls", "subject": str(wallet.pk),
        "time": timezone.now().isoformat(), "datacontenttype": "application/json", "data": {"quantity": "10"},
    } | more  # fmt: skip


def test_a_cloudevent_is_the_same_event(reporter, metering, purse):
    answer = report(reporter, cloudy(purse), Content_Type="application/cloudevents+json")
    assert answer.body == {"event_id": "e-1", "source": "gateway", "status": "accepted"}
    assert report(reporter, told(purse)).body["status"] == "duplicate"


def test_an_envelope_is_known_under_any_media_type(reporter, metering, purse):
    assert report(reporter, cloudy(purse)).body["status"] == "accepted"
    mixed = batch(reporter, told(purse), cloudy(purse, id="e-2"))
    assert [item["status"] for item in mixed.body["results"]] == ["duplicate", "accepted"]


def test_cloudevents_come_in_batches(reporter, metering, purse):
    kind = {"Content_Type": "application/cloudevents-batch+json"}
    events = [cloudy(purse), cloudy(purse, id="e-2", traceparent="00-1"), cloudy(purse, id="e-3", specversion="2.0")]
    answer = reporter.post("usage/events/batch", events, key=None, **kind)
    assert [item["status"] for item in answer.body["results"]] == ["accepted", "accepted", "rejected"]
    assert answer.body["results"][2]["event_id"] == "e-3"


def test_binary_mode_says_the_envelope_in_headers(reporter, metering, purse):
    headers = {
        "ce_specversion": "1.0", "ce_id": "e-1", "ce_source": "gateway", "ce_type": "calls",
        "ce_subject": str(purse.pk), "ce_time": timezone.now().isoformat(),
    }  # fmt: skip
    assert report(reporter, {"quantity": "10"}, **headers).body["status"] == "accepted"
    assert report(reporter, told(purse)).body["status"] == "duplicate"


def test_people_and_services_without_the_scope_cant_report(metering, alice, shop, purse):
    for http in (alice.http, shop.http):
        for path, body in (("usage/events", told(purse)), ("usage/events/batch", {"events": [told(purse)]})):
            assert http.post(path, body).code == "permission_denied"
    assert not UsageEvent.objects.exists()
