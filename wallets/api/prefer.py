"""What a client would rather have (RFC 7240): preferences that aren't known, or can't be read, are passed over."""

import re

from rest_framework.request import Request

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_WORD = rf'(?:{_TOKEN}|"(?:[^"\\]|\\.)*")'
_PAIR = rf"({_TOKEN})(?:[ \t]*=[ \t]*({_WORD}|))?"
_preference = re.compile(rf"[ \t]*{_PAIR}((?:[ \t]*;[ \t]*(?:{_PAIR})?)*)[ \t]*").fullmatch
# A list's elements: commas within quotes belong to their element.
_elements = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+').findall

RESPOND_ASYNC = "respond-async"


def respond_async(request: Request) -> bool:
    """Whether an answer before the deed is welcome."""
    return preferences(request.META.get("HTTP_PREFER", "")).get(RESPOND_ASYNC) == ""


def preferences(header: str) -> dict[str, str]:
    """Each preference by its name in lower case, with its value, "" where it has none; the first of a name counts."""
    found: dict[str, str] = {}
    for element in _elements(header):
        if match := _preference(element):
            found.setdefault(match[1].lower(), _unquoted(match[2] or ""))
    return found


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word.startswith('"') else word
