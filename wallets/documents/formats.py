"""The files that a document can be had as, and how long each of them may be."""

from collections.abc import Callable
from typing import IO

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse

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
