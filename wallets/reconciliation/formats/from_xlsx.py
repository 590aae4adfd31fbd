"""The first sheet of an Excel workbook, streamed. What would unpack to very much is refused before it is unpacked."""

import io
import zipfile
from collections.abc import Iterator

from wallets.reconciliation.formats.columns import Row
from wallets.reconciliation.formats.lines import MOST_LINES, StatementRefused

# What a million lines need, and no more; zipfile itself reads no more of a part than the part says.
MOST_UNPACKED = 1_000_000_000
MOST_TIMES = 200
# A cell may say that it is in row 10^9: what is empty before it is told row by row.
MOST_ROWS, MOST_COLUMNS = MOST_LINES + 1_000, 200


def rows(content: bytes) -> Iterator[Row]:
    """The rows with their numbers, from 1; a formula is the text that it is written as. Raises StatementRefused."""
    _check_size(content)
    # A tenth of the time that a process takes to start, and few ever read a workbook.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        # What a sheet says of its own size may be a lie, or missing.
        sheet.reset_dimensions()
        told = sheet.iter_rows(values_only=True, max_row=MOST_ROWS, max_col=MOST_COLUMNS)
        yield from enumerate(told, start=1)
    except StatementRefused:
        raise
    except (InvalidFileException, zipfile.BadZipFile, ValueError, KeyError, IndexError, SyntaxError, OSError) as error:
        raise StatementRefused.at(0, "", f"It can't be read as an Excel workbook ({error}); save it as one.") from error


def _check_size(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(part.file_size for part in packed.infolist())
    except zipfile.BadZipFile as error:
        raise StatementRefused.at(0, "", "It is no Excel workbook (.xlsx); save it as one.") from error
    if size > MOST_UNPACKED or size > MOST_TIMES * max(len(content), 100_000):
        raise StatementRefused.at(0, "", f"It would unpack to {size:,} bytes, which no statement needs.")
