"""Registers as SENtre and YPM export them: headers, dates, words and slips of the pen as they come."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

import xlsxwriter

from aphub.demo.invented import Invented
from aphub.demo.pupils import pupil
from aphub.demo.pupils_of_two import SENTRE, YPM

DAY = date(2026, 3, 3)
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"

_SYSTEM_HEADER = (
    "UPN",
    "Pupil Ref",
    "Surname",
    "Forename",
    "Date",
    "Session",
    "Mark",
    "Mins Late",
    "Comments",
)
_SHEET_HEADER = ("Ref", "Name", "Date", "AM/PM", "Code", "Minutes", "Reason")
PLAIN_HEADER = (
    "Learner ID",
    "Learner",
    "Lesson date",
    "Start time",
    "Attendance",
    "Minutes",
    "Reason for absence",
)

Marks = dict[str, tuple[str, ...]]

SENTRE_MORNING: Marks = {
    "00411": ("/",),
    "00412": ("N", "", "no answer"),
    "00413": ("/",),
    "00414": ("I", "", "ill"),
    "00415": ("I", "", "unwell"),
    "00416": ("/",),
    "00417": ("L", "25"),
    "00418": ("W",),
    "00419": ("/",),
    "00420": ("/",),
    "00421": ("H", "", "family holiday"),
    "00422": ("/",),
    "00423": ("M", "", "dentist"),
    "00424": ("/",),
    "00425": ("/",),
    "00426": ("L", "12"),
    "00427": ("/",),
    "00428": ("E", "", "suspended by school"),
    "00429": ("/",),
    "00430": ("L", "15"),
}
_ILL = ("I", "", "ill")
_HERE = ("00411", "00413", "00416", "00417", "00421", "00422", "00424", "00425", "00426", "00427", "00430")
SENTRE_AFTERNOON: Marks = {**dict.fromkeys(_HERE, ("\\",)), "00412": _ILL, "00414": _ILL}
SENTRE_LATER: Marks = {
    "00412": ("I", "", "ill"),
    "00415": ("L", "40", ""),
}
YPM_MORNING: Marks = {
    "7101": ("Here all lesson",),
    "7102": ("Came in late", "20"),
    "7103": ("Not in", "", "no contact"),
    "7104": ("Walked out",),
    "7105": ("Logged in",),
    "7106": ("Home visit",),
    "7107": ("Home visit",),
    "7108": ("Here all lesson",),
    "7109": ("Not in", "", "poorly"),
    "7110": ("Not in", "", "no answer"),
    "7111": ("Here all lesson",),
    "7112": ("HERE ALL  LESSON",),
    "7115": ("In, sort of",),
    "7116": ("Authorised absence",),
    "7117": ("Here all lesson",),
    "7118": ("Came in late", "10"),
    "7119": ("Here all lesson",),
}
YPM_AFTERNOON: Marks = {
    "7101": ("Here all lesson",),
    "7108": ("Came in late", "10"),
    "7111": ("Here all lesson",),
}


def sentre_morning() -> bytes:
    """Give the morning's register: CSV with a byte order mark, days first, one pupil too many."""
    rows = [
        (
            one.upn,
            one.ref,
            one.family_name,
            one.given_name,
            DAY.strftime("%d/%m/%Y"),
            "AM",
            *three(SENTRE_MORNING[one.ref]),
        )
        for one in SENTRE
    ]
    # A pupil who was never placed here by anybody.
    rows.append(("", "00999", "Nobody", "Known", DAY.strftime("%d/%m/%Y"), "AM", "/", "", ""))
    return BOM.encode() + csv_file(_SYSTEM_HEADER, rows)


def sentre_afternoon() -> bytes:
    """Give the afternoon's register: a spreadsheet that ate the zeros of the references and made dates of dates."""
    rows = [(int(ref), pupil(ref).name, DAY, "PM", *three(marks)) for ref, marks in SENTRE_AFTERNOON.items()]
    return _xlsx(_SHEET_HEADER, rows, title="SENtre, afternoon register")


def sentre_correction() -> bytes:
    """Give the morning's two late corrections: one reason found, one mark that was wrong."""
    rows = [
        (
            pupil(ref).upn,
            ref,
            pupil(ref).family_name,
            pupil(ref).given_name,
            DAY.strftime("%d/%m/%Y"),
            "AM",
            *three(marks),
        )
        for ref, marks in SENTRE_LATER.items()
    ]
    return csv_file(_SYSTEM_HEADER, rows)


def ypm_cancelled() -> bytes:
    """Give the note that a tutor is ill: a CSV with semicolons, dates as in a letter."""
    one = pupil("7114")
    row = (one.ref, one.name, _long(DAY), "9.30am", "Tutor off", "", "")
    return csv_file(PLAIN_HEADER, [row], delimiter=";")


def ypm_morning() -> bytes:
    """Give the morning's register: a spreadsheet of words and clock times."""
    return _xlsx(PLAIN_HEADER, [_ypm(one, YPM_MORNING) for one in YPM if one.ref in YPM_MORNING])


def ypm_afternoon() -> bytes:
    """Give the afternoon's register, which comes too late: CSV in Windows' own encoding, ISO dates."""
    rows = [
        (ref, pupil(ref).name, DAY.isoformat(), "13:15", *three(marks))
        for ref, marks in YPM_AFTERNOON.items()
    ]
    return csv_file(PLAIN_HEADER, rows, encoding="cp1252")


def _ypm(one: Invented, marks: Marks) -> tuple[object, ...]:
    return (int(one.ref), one.name, _long(DAY), "09:30", *three(marks[one.ref]))


def _long(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def three(marks: Sequence[str]) -> tuple[str, str, str]:
    """Give mark, minutes and reason, empty where nothing was written."""
    mark, minutes, reason = (*marks, "", "")[:3]
    return mark, minutes, reason


def csv_file(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> bytes:
    """Write a register as CSV."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def _xlsx(header: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Register")
        days = book.add_format({"num_format": "dd/mm/yyyy"})
        first = 0
        if title:
            sheet.write_string(0, 0, title)
            first = 2
        sheet.write_row(first, 0, header)
        for number, row in enumerate(rows, first + 1):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, days)
                else:
                    sheet.write(number, column, value)
    return out.getvalue()
