"""The cells of CSV files and spreadsheets as text: what cannot be read is refused before its first row."""

import csv
import io
import zipfile
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from pathlib import PurePath
from typing import Any

from aphub.api.sources import SourceRefusedError

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
SHEET_ENDINGS = (".xlsx", ".xlsm")
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DELIMITERS = ",;\t"
_SNIFFED = 16_384
_BLANK = b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"
_END = "\x1eend of the file"
_CHUNK = 1 << 20
_WHOLE_NUMBER = 1e15
_MIDNIGHT = time()
_NOTHING_TAKEN = "Nothing of it was taken."


@dataclass(frozen=True, slots=True)
class SheetLimits:
    """How much we are ready to read: a register is small, and a zip bomb is not one."""

    file_bytes: int = 20_000_000
    unpacked_bytes: int = 200_000_000
    rows: int = 200_000


def media_type(name: str) -> str:
    """Give the media type that a file's ending stands for."""
    return _WORKBOOK if name.lower().endswith(SHEET_ENDINGS) else "text/csv"


def read_cells(
    name: str,
    content: bytes,
    *,
    limits: SheetLimits = SheetLimits(),
    encoding: str = "auto",
    delimiter: str = "auto",
    sheet: str = "",
) -> Iterator[list[str]]:
    """Give the rows of a CSV file or an XLSX workbook as lists of text, empty rows included.

    Args:
        name: The file's name; its ending says what it should be.
        content: The file, whole.
        limits: What is larger is refused unread.
        encoding: `auto` tries byte order marks, UTF-8, then Windows-1252.
        delimiter: `auto` finds out which of comma, semicolon and tab it is.
        sheet: The name of a workbook's sheet; the first visible one that is not empty by default.

    Raises:
        SourceRefusedError: It is not what its ending says, damaged, protected, empty or too large.
    """
    if len(content) > limits.file_bytes:
        raise _too_large(limits)
    if not (content[:_SNIFFED].strip(_BLANK) or content.strip(_BLANK)):
        raise SourceRefusedError("There is nothing in this file.", _NOTHING_TAKEN, "Export it again.")
    ending = PurePath(name).suffix.lower()
    if ending in TEXT_ENDINGS:
        return _csv_rows(content, limits, encoding, delimiter)
    if ending in SHEET_ENDINGS:
        return _workbook_rows(content, limits, sheet)
    if ending == ".xls":
        raise SourceRefusedError("This is an old Excel file.", _NOTHING_TAKEN, "Save it as XLSX.")
    raise SourceRefusedError(
        "We read CSV and XLSX files, and this file's ending is another.",
        _NOTHING_TAKEN,
        "Export it as CSV or XLSX.",
    )


def _too_large(limits: SheetLimits) -> SourceRefusedError:
    return SourceRefusedError(
        f"This file is too large: we read up to {limits.file_bytes // 1_000_000} MB, "
        f"{limits.unpacked_bytes // 1_000_000} MB unpacked and {limits.rows} rows.",
        _NOTHING_TAKEN,
        "Export fewer days at a time.",
    )


def _csv_rows(content: bytes, limits: SheetLimits, encoding: str, delimiter: str) -> Iterator[list[str]]:
    if content.startswith((_ZIP, _OLD_OFFICE)):
        raise SourceRefusedError(
            "This file's ending says text, but a spreadsheet is in it.",
            _NOTHING_TAKEN,
            "Give it the ending .xlsx, or export it as CSV.",
        )
    encoding = _encoding_of(content) if encoding == "auto" else encoding
    if max(content.count(b"\n"), content.count(b"\r")) > limits.rows:
        raise _too_large(limits)
    try:
        start = io.TextIOWrapper(
            io.BytesIO(content[:_SNIFFED]), encoding, errors="replace", newline=""
        ).read()
        if "\0" in start:
            raise _not_text()
        if delimiter == "auto":
            delimiter = _delimiter_of(start)
        if b'"' in content or max(map(len, io.BytesIO(content))) > csv.field_size_limit():
            lines = io.TextIOWrapper(io.BytesIO(content), encoding, newline="")
            last = deque(csv.reader(chain(lines, [_END]), delimiter=delimiter), maxlen=1)
            if last[0] != [_END]:
                raise SourceRefusedError(
                    "This file ends inside a quoted cell, so it may be cut off.",
                    _NOTHING_TAKEN,
                    "Export it again, or look for a quotation mark that is not closed.",
                )
    except (UnicodeError, LookupError) as exc:
        raise _not_text() from exc
    except csv.Error as exc:
        raise SourceRefusedError(
            "This file has a cell that is too long to be one.",
            _NOTHING_TAKEN,
            "Look for a quotation mark that is not closed.",
        ) from exc
    return csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding, newline=""), delimiter=delimiter)


def _not_text() -> SourceRefusedError:
    return SourceRefusedError(
        "This file's ending says text, but it is not text that we can read.",
        _NOTHING_TAKEN,
        "Export it again as CSV.",
    )


def _encoding_of(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decodes(content, "utf-16")
    if content.startswith(b"\xef\xbb\xbf"):
        return _decodes(content, "utf-8-sig")
    if content.isascii():
        return "utf-8"
    try:
        return _decodes(content, "utf-8")
    except SourceRefusedError:
        # What Excel on Windows writes when it is asked for CSV.
        return _decodes(content, "cp1252")


def _decodes(content: bytes, encoding: str) -> str:
    """Give the encoding if the whole content is in it."""
    text = io.TextIOWrapper(io.BytesIO(content), encoding, newline="")
    try:
        while text.read(_CHUNK):
            pass
    except UnicodeError as exc:
        raise _not_text() from exc
    return encoding


def _delimiter_of(text: str) -> str:
    """Find the delimiter that splits the most lines into the same, largest number of cells."""
    lines = text.splitlines(keepends=True)[:50]

    def score(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1)
        if not widths:
            return 0, 0
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        return count, width

    return max(_DELIMITERS, key=score)


def _workbook_rows(content: bytes, limits: SheetLimits, sheet: str) -> Iterator[list[str]]:
    if content.startswith(_OLD_OFFICE):
        if _ENCRYPTED in content:
            raise SourceRefusedError(
                "This file is protected with a password.", _NOTHING_TAKEN, "Save it without a password."
            )
        raise SourceRefusedError("This is an old Excel file.", _NOTHING_TAKEN, "Save it as XLSX.")
    if not content.startswith(_ZIP):
        raise SourceRefusedError(
            "This file's ending says XLSX, but it is not a spreadsheet.", _NOTHING_TAKEN, "Export it again."
        )
    _check_archive(content, limits)
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - not needed for CSV

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        found = _sheet_of(book, sheet)
    except (CalamineError, OSError, ValueError) as exc:
        raise _damaged() from exc
    if found.height > limits.rows:
        raise _too_large(limits)
    return _sheet_rows(found)


def _check_archive(content: bytes, limits: SheetLimits) -> None:
    """Unpack it once, counting, so that neither damage nor a bomb is met in the middle of the rows."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if size <= limits.unpacked_bytes:
                size = _unpacked_bytes(archive, limits.unpacked_bytes)
    except Exception as exc:  # zipfile raises many kinds for damage, and all mean the same to people
        raise _damaged() from exc
    if not any(part.filename.startswith("xl/workbook") for part in parts):
        raise SourceRefusedError(
            "This file's ending says XLSX, but it is not a spreadsheet.", _NOTHING_TAKEN, "Export it again."
        )
    if size > limits.unpacked_bytes:
        raise _too_large(limits)


def _unpacked_bytes(archive: zipfile.ZipFile, most: int) -> int:
    """Count what really comes out of an archive, and stop when it is too much: its own figures may lie."""
    size = 0
    for part in archive.infolist():
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    return size
    return size


def _damaged() -> SourceRefusedError:
    return SourceRefusedError("This file is damaged or cut off.", _NOTHING_TAKEN, "Export or copy it again.")


def _sheet_of(book: Any, wanted: str) -> Any:
    if wanted:
        if wanted not in book.sheet_names:
            raise SourceRefusedError(
                "The sheet that your settings name is not in this file.",
                _NOTHING_TAKEN,
                "Check the key 'sheet' of this feed.",
            )
        return book.get_sheet_by_name(wanted)
    from python_calamine import SheetVisibleEnum  # noqa: PLC0415 - only for workbooks

    for shown in book.sheets_metadata:
        if shown.visible is SheetVisibleEnum.Visible:
            sheet = book.get_sheet_by_name(shown.name)
            if sheet.height:
                return sheet
    raise SourceRefusedError("There is nothing in this file.", _NOTHING_TAKEN, "Export it again.")


def _sheet_rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [_text(value) for value in row]


def _text(value: object) -> str:
    """Write one cell as people see it; a formula's cell holds what it came to."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        whole = isinstance(value, int) or (value.is_integer() and abs(value) < _WHOLE_NUMBER)
        return str(int(value)) if whole else repr(value)
    if isinstance(value, datetime):
        if value.time() == _MIDNIGHT:
            return value.date().isoformat()
        return value.isoformat(sep=" ", timespec="seconds" if value.second else "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds" if value.second else "minutes")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return "" if value is None else str(value)
