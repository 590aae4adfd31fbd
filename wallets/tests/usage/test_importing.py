"""Files of usage: each line once, however often the file is read and wherever that was interrupted."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from wallets.management.commands import import_usage
from wallets.models import UsageEvent, UsageImport
from wallets.opening import InvalidState
from wallets.tests.usage.conftest import read, told
from wallets.usage import importing


def ndjson(path, wallet, count, **more):
    lines = [json.dumps(told(wallet, event_id=f"e-{number}", quantity="4", **more)) for number in range(count)]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(path, **options):
    """The command's exit code."""
    try:
        call_command("import_usage", str(path), quiet=True, **options)
    except SystemExit as end:
        return end.code
    return 0


def test_a_file_is_imported_and_a_second_time_changes_nothing(tmp_path, metering, purse):
    path = ndjson(tmp_path / "march.ndjson", purse, 5)
    assert [run(path), run(path)] == [0, 0]
    assert (UsageEvent.objects.count(), read(purse).unsettled) == (5, 5)
    assert UsageImport.objects.get().outcomes == {"accepted": 5}


def test_an_import_goes_on_where_it_was_interrupted(tmp_path, metering, purse, monkeypatch):
    monkeypatch.setattr(import_usage, "BATCH", 2)
    path, take_part, parts = ndjson(tmp_path / "march.ndjson", purse, 5), importing.take_part, []

    def dies(*args, **kwargs):
        if len(parts) == 2:
            raise KeyboardInterrupt
        parts.append(args)
        return take_part(*args, **kwargs)

    monkeypatch.setattr(importing, "take_part", dies)
    with pytest.raises(KeyboardInterrupt):
        run(path)
    monkeypatch.setattr(importing, "take_part", take_part)
    assert UsageImport.objects.get().outcomes == {"accepted": 4}
    assert run(path) == 0
    assert UsageImport.objects.get().outcomes == {"accepted": 5}


def test_csv_has_properties_in_its_further_columns(tmp_path, metering, purse):
    path = tmp_path / "march.csv"
    heading = "event_id,source,wallet,meter,quantity,occurred_at,region,note"
    rows = [f'e-{n},gw,{purse.pk},calls,4,2026-03-10T11:00:00Z,"eu, west",' for n in range(3)]
    path.write_text("\n".join([heading, *rows]))
    assert run(path) == 0
    assert {tuple(event.properties.items()) for event in UsageEvent.objects.all()} == {(("region", "eu, west"),)}


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"event_id": 1}', b"\xff\xfe", b'"x"'])
def test_a_wrong_line_is_told_and_the_others_are_taken(tmp_path, metering, purse, line, capsys):
    path = ndjson(tmp_path / "march.ndjson", purse, 2)
    path.write_bytes(line + b"\n" + path.read_bytes())
    assert run(path) == 1
    assert "before byte" in capsys.readouterr().err
    assert UsageImport.objects.get().outcomes == {"accepted": 2, "wrong": 1}


def test_what_is_too_old_is_taken_when_it_is_asked_for(tmp_path, metering, purse):
    metering.meter("old", "0.25")
    path = ndjson(tmp_path / "january.ndjson", purse, 2, occurred_at="2026-02-01T12:00:00Z")
    assert run(path) == 1
    assert not UsageEvent.objects.exists()
    path.write_text(path.read_text() + "\n")
    assert run(path, any_age=True) == 0
    assert read(purse).unsettled == 2


def test_what_isnt_there_or_lacks_a_field_is_refused(tmp_path, metering):
    path = tmp_path / "march.csv"
    for content in (None, "event_id,source\n1,2\n"):
        if content:
            path.write_text(content)
        with pytest.raises(CommandError):
            call_command("import_usage", str(path))


def test_two_imports_of_a_file_dont_both_count(tmp_path, metering, purse):
    path = ndjson(tmp_path / "march.ndjson", purse, 2)
    job, twin = (importing.open_import(path, now=timezone.now()) for _ in range(2))
    importing.take_part(job, [metering.event(purse, 4)], 0, until=10, now=timezone.now())
    with pytest.raises(InvalidState):
        importing.take_part(twin, [metering.event(purse, 4)], 0, until=10, now=timezone.now())
    assert read(purse).unsettled == 1
