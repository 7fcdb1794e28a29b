"""The protected spreadsheet: a workbook of text cells that opens only with the school's own password."""

import io
from datetime import UTC

import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile

from aphub.api import COLUMNS, Message, Row

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WIDEST_COLUMN = 40


def protected_workbook(message: Message, rows: tuple[Row, ...], password: str) -> bytes:
    """Write the rows as XLSX and encrypt it with AES-256 (MS-OFFCRYPTO 2.3.4.10, agile encryption).

    Excel and LibreOffice open it with nothing to install. Salts are random: two calls give different bytes.
    """
    return locked_workbook(_workbook(message, rows), password)


def locked_workbook(content: bytes, password: str) -> bytes:
    """Lock any workbook so."""
    if not password:
        message_text = "a protected workbook needs a password"
        raise ValueError(message_text)
    protected = io.BytesIO()
    OOXMLFile(io.BytesIO(content)).encrypt(password, protected)
    return protected.getvalue()


def _workbook(message: Message, rows: tuple[Row, ...]) -> bytes:
    """Write every cell as text, so that no zero is eaten and no formula runs."""
    plain = io.BytesIO()
    # in_memory: without it the library writes pupils' data to temporary files.
    workbook = xlsxwriter.Workbook(plain, {"in_memory": True})
    workbook.set_properties(
        {"title": message.reference, "created": message.made_at.astimezone(UTC).replace(tzinfo=None)}
    )
    text = workbook.add_format({"num_format": "@"})
    heading = workbook.add_format({"num_format": "@", "bold": True})
    sheet = workbook.add_worksheet("attendance")
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(COLUMNS):
        sheet.write_string(0, place, column, heading)
        widest = max((len(row[column]) for row in rows), default=0)
        sheet.set_column(place, place, min(max(widest, len(column)) + 2, _WIDEST_COLUMN))
    for line, row in enumerate(rows, 1):
        for place, column in enumerate(COLUMNS):
            sheet.write_string(line, place, row[column], text)
    workbook.close()
    return plain.getvalue()
