import pytest

from walletproject.local.folder import DataFolder, Locked, first_free


def test_a_folder_serves_one_run_at_a_time_and_says_who_holds_it(tmp_path):
    held = DataFolder(tmp_path / "data")
    held.lock()
    with pytest.raises(Locked, match=r"in use by another run \(process \d+\)"):
        DataFolder(tmp_path / "data").lock()


def test_a_held_folder_has_free_siblings(tmp_path):
    held = [first_free(tmp_path / "test") for _ in range(3)]
    assert [folder.path.name for folder in held] == ["test", "test-2", "test-3"]


def test_a_secret_is_generated_once_and_only_its_owner_reads_it(tmp_path):
    first = DataFolder(tmp_path).kept("SECRET_KEY")
    assert DataFolder(tmp_path).kept("SECRET_KEY") == first
    assert len(first) >= 50
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_published_environment_replaces_the_last_one_and_stays_private(tmp_path):
    folder = DataFolder(tmp_path)
    folder.publish({"REDIS_URL": "redis://old"})
    folder.publish({"REDIS_URL": "redis://new"})
    assert (tmp_path / "environment").read_text() == "REDIS_URL='redis://new'\n"
    assert (tmp_path / "environment").stat().st_mode & 0o777 == 0o600
