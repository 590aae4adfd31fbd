"""Files that are too long to wait for: asked for once, made by whichever worker lives, kept for some days."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from users.models import AuditEvent, User
from users.permissions import PermissionDenied
from users.validation import ValidationError
from wallets.exports import forget, make
from wallets.exports.ask import ask
from wallets.models import Export
from wallets.reports.payouts import AGED
from wallets.reports.registry import REPORTS
from wallets.reports.report import Parameters

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def ada(database, settings, tmp_path):
    settings.EXPORTS_DIR = str(tmp_path / "exports")
    user = User.objects.create_user("ada@example.com", "a long password", is_staff=True)
    user.groups.set(Group.objects.filter(name="accountant"))
    return user


def asked(by, format="csv"):
    return ask(AGED, Parameters(), format, actor=by, now=NOW)


def made(export, now=NOW):
    make.make(export.pk, clock=lambda: now)
    return Export.objects.get(pk=export.pk)


def test_a_file_is_made_as_it_was_asked_for(office, ada):
    office.ask(400)
    export = made(asked(ada))
    assert (export.status, export.next_at) == ("done", None)
    rows = list(csv.reader(StringIO(make.place(export).read_text())))
    assert [str(office.found().pk), "alice@example.com"] == [row[1:3] for row in rows if len(row) == 8][1]
    assert export.size == make.place(export).stat().st_size
    assert export.lines == 4 + 1 + 1, "the sums by age, their total, and the withdrawal"
    assert AuditEvent.objects.filter(action="export.asked", actor_id=str(ada.pk)).count() == 1


@pytest.mark.parametrize("format", ["csv", "xlsx", "pdf"])
def test_every_format_is_made(office, ada, format):
    office.ask(400)
    assert made(asked(ada, format)).status == "done"
    assert [path.suffix for path in Path(make.place(Export.objects.get())).parent.iterdir()] == [f".{format}"]


def test_whoever_may_not_run_reports_has_no_files(ada):
    stranger = User.objects.create_user("eve@example.com", "a long password", is_staff=True)
    with pytest.raises(PermissionDenied):
        asked(stranger)
    with pytest.raises(ValidationError):
        asked(ada, "exe")
    assert not Export.objects.exists()


def test_it_is_made_once_however_often_it_is_rung_for(office, ada):
    export = asked(ada)
    first = made(export)
    assert made(export, NOW + timedelta(hours=1)).finished_at == first.finished_at
    assert make.due(now=NOW + timedelta(days=1)) == []


def test_what_a_dead_worker_left_is_made_by_another(ada):
    export = asked(ada)
    make._claim(export.pk, NOW)
    assert made(export).status == "running", "somebody may be at it"
    assert made(export, NOW + timedelta(minutes=2)).status == "done"


def test_a_worker_that_was_given_up_leaves_no_file(ada):
    export = asked(ada)
    slow = make._claim(export.pk, NOW)
    made(export, NOW + timedelta(minutes=3))
    before = make.place(export).read_bytes()
    with pytest.raises(make.GivenUp):
        make._write(slow, lambda: NOW)
    assert make.place(export).read_bytes() == before
    assert len(list(make.place(export).parent.iterdir())) == 1


def test_what_costs_every_worker_is_given_up(ada):
    export = asked(ada)
    for attempt in range(3):
        assert make._claim(export.pk, NOW + timedelta(minutes=3 * attempt))
    failed = made(export, NOW + timedelta(hours=1))
    assert (failed.status, failed.detail) == ("failed", "3 workers began it and none ended it.")


def test_a_report_that_fails_says_why(ada, monkeypatch):
    def broken(parameters):
        raise ValueError("The moon is in the wrong house.")

    monkeypatch.setitem(REPORTS, "aged-withdrawals", type(AGED)(AGED.slug, "x", "x", (), broken))
    failed = made(asked(ada))
    assert (failed.status, failed.detail) == ("failed", "The moon is in the wrong house.")


def test_files_are_let_go_after_some_days(ada, settings):
    settings.EXPORT_DAYS = 7
    export = made(asked(ada))
    assert forget.forget(now=NOW + timedelta(days=6)) == 0
    assert forget.forget(now=NOW + timedelta(days=8)) == 1
    assert not make.place(export).exists()
    assert Export.objects.get().status == "expired"
