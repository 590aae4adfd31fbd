"""The files that a document can be had as, and how long each of them may be."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from uuid_utils.compat import uuid7

from users.validation import ValidationError
from wallets.documents import as_csv, as_pdf, as_xlsx
from wallets.documents.document import Document

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": XLSX, "pdf": "application/pdf"}
# Lines that each kind of file can hold, and we can make while somebody waits; CSV is streamed without end.
MOST_LINES = {"pdf": 20_000, "xlsx": 100_000}
WRITERS: dict[str, Callable[[Document], IO[bytes]]] = {"xlsx": as_xlsx.write, "pdf": as_pdf.write}


def check_fits(format: str, lines: int) -> None:
    """Raise ValidationError where a file of this format would be too long."""
    most = MOST_LINES.get(format)
    if most is not None and lines > most:
        others = "csv or xlsx" if format == "pdf" else "csv"
        detail = f"There are {lines} lines and a {format} takes {most}; use {others}, or a shorter period."
        raise ValidationError.on("format", "too_long", detail)


def write(document: Document, format: str, path: Path, *, checked: Callable[[], object] = lambda: None) -> int:
    """Make the file beside its place and move it there, whole or not at all; returns its size.

    It is `checked` before it is moved: what that raises keeps it from there.
    """
    part = path.with_name(f"{path.name}.{uuid7()}.part")
    try:
        with part.open("wb") as file:
            if format == "csv":
                file.writelines(piece.encode() for piece in as_csv.stream(document))
            else:
                shutil.copyfileobj(WRITERS[format](document), file)
            file.flush()
            os.fsync(file.fileno())
        checked()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path.stat().st_size


def answer(document: Document, format: str) -> HttpResponseBase:
    """The document as a file for a browser to keep."""
    response: HttpResponseBase
    if format == "csv":
        response = StreamingHttpResponse(as_csv.stream(document), content_type=TYPES[format])
    else:
        response = FileResponse(WRITERS[format](document), content_type=TYPES[format])
    response["Content-Disposition"] = f'attachment; filename="{document.stem}.{format}"'
    response["Cache-Control"] = "private, no-store"
    return response
