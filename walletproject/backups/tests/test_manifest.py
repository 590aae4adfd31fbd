"""A backup that isn't what its manifest says is refused, wherever the damage is."""

import io
import json
import tarfile
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from walletproject.backups import manifest
from walletproject.backups.failures import BackupError
from walletproject.backups.manifest import FILES, MANIFEST, WAL, check, first_segment

LABEL = b"START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\n"
BEGUN = "2026-11-24 02:00:00 GMT"
CONTENTS = {"backup_label": LABEL, "base/1": b"rows" * 1000, "empty": b""}


def packed(path, contents):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.fixture
def backup(tmp_path):
    """A small one, as pg_basebackup would write it."""
    packed(tmp_path / FILES, CONTENTS)
    packed(tmp_path / WAL, {"000000010000000000000002": bytes(5000)})
    files = [
        {"Path": name, "Size": len(content), "Last-Modified": BEGUN, "Checksum": sha256(content).hexdigest()}
        for name, content in CONTENTS.items()
    ]
    ranges = [{"Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120"}]
    said = json.dumps({"Files": files, "WAL-Ranges": ranges})[:-1] + ",\n"
    (tmp_path / MANIFEST).write_text(f'{said}"Manifest-Checksum": "{sha256(said.encode()).hexdigest()}"}}\n')
    return tmp_path


def test_a_whole_one_is_as_its_manifest_says(backup):
    told = []
    found = check(backup, lambda done, whole: told.append((done, whole)))
    assert (found.size, found.wal_position) == (len(LABEL) + 4000, "0/2000120")
    assert found.begun_at == datetime(2026, 11, 24, 2, tzinfo=UTC)
    assert told[-1] == (found.size, found.size)
    assert first_segment(backup) == "000000010000000000000002"


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda backup: packed(backup / FILES, CONTENTS | {"base/1": b"more" * 1000}), "base/1 isn't what"),
        (lambda backup: packed(backup / FILES, {"backup_label": LABEL}), "2 files are missing, such as base/1"),
        (lambda backup: flip(backup / FILES), "is damaged"),
        (lambda backup: cut(backup / FILES), "is damaged"),
        (lambda backup: (backup / FILES).unlink(), "is damaged"),
        (lambda backup: flip(backup / WAL), "is damaged"),
        (lambda backup: cut(backup / WAL), "is damaged"),
        (lambda backup: cut(backup / MANIFEST), "is no backup, or a damaged one"),
        (lambda backup: (backup / MANIFEST).unlink(), "is no backup, or a damaged one"),
    ],
)
def test_a_damaged_one_is_refused(backup, damage, said):
    damage(backup)
    with pytest.raises(BackupError, match=said):
        check(backup)


def test_a_manifest_that_was_changed_is_refused(backup):
    text = (backup / MANIFEST).read_text()
    (backup / MANIFEST).write_text(text.replace("0/2000120", "0/2000130"))
    with pytest.raises(BackupError, match="was changed"):
        manifest.read(backup)
