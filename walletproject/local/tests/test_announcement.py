import io

from rich.console import Console

from walletproject.local.announcement import announce

DEMO = {
    "people": [{"email": "alice@example.com", "password": "it's-alice"}],
    "staff": {"email": "staff@example.com", "password": "staff-secret"},
    "transfer": {"source": "one", "destination": "two", "amount": 500},
}


def announced(demo):
    console = Console(file=io.StringIO(), width=40)
    announce(console, "http://127.0.0.1:8000", demo, "/data/log")
    return console.file.getvalue()


def test_the_lines_to_try_are_whole_however_narrow_the_terminal():
    lines = [line for line in announced(DEMO).splitlines() if "curl" in line]
    assert len(lines) == 3
    assert lines[0].startswith("TOKEN=$(curl -s http://127.0.0.1:8000/api/v1/auth/token") and lines[0].endswith(")")
    assert "'\"'\"'" in lines[0]
    assert '"amount": 500' in lines[2] and "Idempotency-Key: " in lines[2]


def test_without_demo_data_only_the_addresses_are_told():
    text = announced(None)
    assert "http://127.0.0.1:8000/admin/" in text
    assert "curl" not in text
