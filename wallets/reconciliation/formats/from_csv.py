"""A table as text: its encoding and delimiter are found by looking, unless the mapping says them."""

import csv
import io
from collections.abc import Iterator

from wallets.reconciliation.formats.columns import Row
from wallets.reconciliation.formats.lines import StatementRefused

MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
DELIMITERS = ",;\t|"


def rows(content: bytes, *, encoding: str = "", delimiter: str = "") -> Iterator[Row]:
    """The rows with the numbers of their lines, from 1. Raises StatementRefused."""
    text = decoded(content, encoding)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text), strict=True)
    try:
        yield from ((reader.line_num, row) for row in reader)
    except csv.Error as error:
        says = f"The row can't be read ({error}); is the delimiter right, and each quote closed?"
        raise StatementRefused.at(reader.line_num, "", says) from error


def decoded(content: bytes, encoding: str = "") -> str:
    """The text: in the encoding that is said, by its mark, else UTF-8 where it is that, else Windows-1252."""
    marked = next((name for mark, name in MARKS.items() if content.startswith(mark)), "")
    for name in [encoding] if encoding else [marked] if marked else ["utf-8", "cp1252"]:
        try:
            return content.decode(name)
        except LookupError:
            raise StatementRefused.at(0, "", f"There is no encoding {name}; try utf-8, utf-16 or cp1252.") from None
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
    raise StatementRefused.at(line, "", "Its letters can't be read; say its encoding in the mapping.")


def _delimiter(text: str) -> str:
    """The delimiter that the busiest of the first lines has most of."""
    sample = text[:20_000].splitlines()[:100]
    return max(DELIMITERS, key=lambda found: max((line.count(found) for line in sample), default=0))
