"""What can be set is written down once for people and once for containers, and both lists are whole."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What only `make run` and its embedded servers read, and what containers have no need of.
LOCAL = {"DATABASE_POOL", "DATA_DIR", "PG_BIN", "WEB_WORKERS"}


def found(pattern: str, *files: str) -> set[str]:
    return {name for file in files for name in re.findall(pattern, (ROOT / file).read_text(), re.M)}


def test_every_setting_is_in_the_example():
    assert found(r"env\.\w+\(\s*\"([A-Z0-9_]+)\"", "walletproject/settings.py") <= found(
        r"^(?:# )?([A-Z][A-Z0-9_]+)=", ".env.example"
    )


def test_containers_are_given_every_setting_of_the_example():
    passed = found(r"^\s+([A-Z][A-Z0-9_]+):|\$\{([A-Z0-9_]+)", "compose.yaml")
    given = {name for pair in passed for name in pair}
    assert found(r"^(?:# )?([A-Z][A-Z0-9_]+)=", ".env.example") - given == LOCAL
