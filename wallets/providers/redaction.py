"""What is kept of a provider's words: no keys, no addresses, of account numbers the last four digits.

Its result is fit for a JSON column: numbers with a fraction become text, and what PostgreSQL can't store is replaced.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

HIDDEN = "[hidden]"
# Names of members, in small letters without anything between them.
ACCOUNT = re.compile(r"(account|wallet)(number|no)$|nuban|iban|bvn|phone|card|^pan$|msisdn")
SECRET = re.compile(r"secret|token|apikey|authorization|password|signature|accesscode|mail$")
EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
KEY = re.compile(r"\b(?:sk|pk)_(?:live|test)_\w+|\bFLW(?:SECK|PUBK)\S+", re.IGNORECASE)
# Not the digits inside of a reference or an id, which have letters or hyphens beside them.
DIGITS = re.compile(r"(?<![\w.-])\d{6,}(?![\w-]|\.\d)")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

LONGEST_TEXT, LONGEST_LIST, DEEPEST = 500, 20, 6


def redacted(value: Any) -> Any:
    """A copy of a JSON value without what mustn't be kept, cut to a moderate size."""
    return _redacted(value, DEEPEST)


def plain(text: str) -> str:
    """A text without keys, addresses and account numbers, as it may be stored and shown."""
    text = EMAIL.sub(HIDDEN, KEY.sub(HIDDEN, storable(text[:LONGEST_TEXT])))
    return DIGITS.sub(lambda found: last_four(found[0]), text)


def storable(text: str) -> str:
    """A text without NUL and halves of surrogate pairs, which PostgreSQL doesn't take."""
    return UNSTORABLE.sub("\ufffd", text)


def last_four(number: str) -> str:
    """An account number as it may be shown; a short one not at all."""
    return f"••••{number[-4:]}" if len(number) > 5 else HIDDEN


def _redacted(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        return {plain(name): _member(name, inner, depth - 1) for name, inner in value.items()} if depth else "…"
    if isinstance(value, list):
        return [_redacted(inner, depth - 1) for inner in value[:LONGEST_LIST]] if depth else "…"
    if isinstance(value, str):
        return plain(value)
    return str(value) if isinstance(value, Decimal) else value


def _member(name: str, value: Any, depth: int) -> Any:
    name = re.sub(r"[^a-z]", "", name.lower())
    if value is None or isinstance(value, bool):
        return value
    if SECRET.search(name):
        return HIDDEN
    is_number = ACCOUNT.search(name) and not isinstance(value, Mapping | list)
    return last_four(storable(str(value))) if is_number else _redacted(value, depth)
