"""What is in a file is read as people wrote it, or the file is refused in words before its first row."""

import csv
import io
import zipfile
from datetime import date, datetime, time
from typing import Any

import msoffcrypto
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from msoffcrypto.format.ooxml import OOXMLFile

from aphub.api import SourceBatch, SourceRefusedError
from aphub_inbox import Inbox, InboxSettings

HEAD = "Pupil Ref,Date,Start time,Mark,Mins Late,Comments"
ROW = "0041,03/03/2026,09:00,Late,12,bus"


def rows(content, name="register.csv", **settings: Any):
    box = Inbox(InboxSettings(folder="unused", **settings))
    return list(box.rows(SourceBatch(name, "", content)))


def sheet(*lines: Any, name="Register", formula=None):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        page = book.add_worksheet(name)
        for number, line in enumerate(lines):
            page.write_row(number, 0, line)
        if formula:
            page.write_formula(formula[0], formula[1], formula[2], None, formula[3])
    return out.getvalue()


def refused(content, name="register.csv", **settings: Any):
    with pytest.raises(SourceRefusedError) as caught:
        rows(content, name, **settings)
    assert caught.value.done == "Nothing of it was taken."
    assert caught.value.mend
    return caught.value.what


def test_a_row_keeps_the_sources_own_words():
    [row] = rows(f"{HEAD}\r\n{ROW}\r\n".encode())

    assert (row.number, row.pupil_ref, row.day, row.starts) == (2, "0041", "03/03/2026", "09:00")
    assert (row.mark, row.minutes, row.reason, row.problem) == ("Late", "12", "bus", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found_out(encoding, delimiter):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerows(
        [["Name", "Date", "Mark", "Reason"], ["Zoë, N.", "03/03/2026", "I", "ill; poorly, sent “home”"]]
    )
    [row] = rows(out.getvalue().encode(encoding))

    assert (row.name, row.mark, row.reason) == ("Zoë, N.", "I", "ill; poorly, sent “home”")


@pytest.mark.parametrize(
    "head",
    [
        "UPN,Surname,Forename,Date,Session,Mark,Mins Late,Comments",
        "Learner ID;Learner;Lesson date;Start time;Attendance;Minutes;Reason for absence",
        "Ref\tName\tDate\tAM/PM\tCode\tMinutes\tReason",
        "studentID,calendarStartDate,periodDisplayName,mark,attendanceComment",
        "StudentId,MarkType,Date,Session,Mark,Mins,Notes",
        "UPN,startDatetime,attendanceMark,minutesLate,recordNote",
    ],
)
def test_headings_of_common_systems_are_known(head):
    delimiter = next(sign for sign in ",;\t" if sign in head)
    line = delimiter.join("x" * (head.count(delimiter) + 1))
    [row] = rows(f"{head}\n{line}\n".encode())

    assert row.mark == row.day == "x"
    assert "x" in {row.pupil_ref, row.upn}


def test_own_headings_are_mapped_and_go_before_common_ones():
    content = b"Kid,When,Mark,Our mark\n7,3 March 2026,old,Present\n"
    [row] = rows(content, columns={"pupil_ref": "Kid", "day": "when", "mark": "Our Mark"})

    assert (row.pupil_ref, row.day, row.mark) == ("7", "3 March 2026", "Present")


def test_names_in_two_columns_are_joined():
    [row] = rows(b"Surname,Forename,Date,Mark\nExample,Sam,03/03/2026,/\n")

    assert row.name == "Sam Example"


def test_titles_and_empty_rows_above_the_headings_do_not_matter_and_rows_count_as_people_count():
    [row] = rows(f"Register of Tuesday\n\n{HEAD}\n,,,,,\n{ROW}\n".encode())

    assert row.number == 5


def test_a_month_first_export_is_said_in_the_settings():
    [row] = rows(b"Ref,Date,Mark\n1,3/13/2026 09:00,/\n", dates="month first")

    assert row.day == "2026-03-13 09:00"


def test_a_row_with_too_many_cells_keeps_its_place_and_says_so():
    odd, fine = rows(f"{HEAD}\n0041,03/03/2026,09:00,Late,12,bus, again\n{ROW}\n".encode())

    assert "comma" in odd.problem
    assert fine.problem == ""


def test_a_row_that_ends_before_its_mark_says_so():
    [row] = rows(f"{HEAD}\n0041,03/03/2026".encode())

    assert "cut off" in row.problem


def test_a_row_without_its_last_empty_cells_is_fine():
    [row] = rows(f"{HEAD}\n0041,03/03/2026,09:00,Present\n".encode())

    assert (row.mark, row.reason, row.problem) == ("Present", "", "")


def test_a_cell_that_swallowed_the_next_line_says_so():
    [row, _] = rows(f'{HEAD}\n0041,03/03/2026,09:00,"Late\n0042,03/03/2026,09:00,Late",12,\n{ROW}\n'.encode())

    assert "quotation mark" in row.problem


def test_workbooks_give_dates_times_and_whole_numbers_as_people_see_them():
    [row] = rows(
        sheet(
            ("Ref", "Date", "Start time", "Mark", "Minutes", "Recorded at"),
            (41, datetime(2026, 3, 3), time(9, 30), "L", 25.0, datetime(2026, 3, 3, 9, 41)),  # noqa: DTZ001 - a sheet's times have no zone
        ),
        "register.xlsx",
    )

    assert (row.pupil_ref, row.day, row.minutes) == ("41", "2026-03-03", "25")
    assert row.recorded_at.startswith("2026-03-03")


def test_formulas_are_what_they_came_to_and_formulas_in_text_are_text():
    content = sheet(("Ref", "Date", "Mark"), (1, date(2026, 3, 3), ""), formula=(1, 2, '="/"', "/"))
    [row] = rows(content, "register.xlsx")
    [typed] = rows(b'Ref,Date,Mark\n1,03/03/2026,"=HYPERLINK(""x"")"\n')

    assert row.mark == "/"
    assert typed.mark == '=HYPERLINK("x")'


def test_a_named_sheet_is_read_and_a_missing_one_is_refused():
    content = sheet(("Ref", "Date", "Mark"), (1, "03/03/2026", "/"), name="Week 3")

    assert len(rows(content, "r.xlsx", sheet="Week 3")) == 1
    assert "not in this file" in refused(content, "r.xlsx", sheet="Week 4")


@pytest.mark.parametrize(
    "content", [b"", b"\r\n \r\n", b"\xef\xbb\xbf", f"{HEAD}\n".encode(), f"{HEAD}\n,,,\n".encode()]
)
def test_files_of_nothing_are_refused(content):
    assert refused(content)


def test_files_that_are_not_what_their_ending_says_are_refused():
    workbook = sheet(("Ref", "Date", "Mark"), (1, "03/03/2026", "/"))

    assert "a spreadsheet is in it" in refused(workbook, "register.csv")
    assert "not a spreadsheet" in refused(f"{HEAD}\n{ROW}\n".encode(), "register.xlsx")
    assert "ending is another" in refused(b"%PDF-1.7", "register.pdf")
    assert "old Excel" in refused(b"\xd0\xcf\x11\xe0" + bytes(600), "register.xls")
    assert refused(b"\x00\x01\x02\x81\x8d" * 40, "register.csv")


def test_a_zip_that_is_no_workbook_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("photo.txt", "x")

    assert "not a spreadsheet" in refused(out.getvalue(), "register.xlsx")


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
def test_workbooks_that_were_cut_off_are_refused(keep):
    content = sheet(("Ref", "Date", "Mark"), *((n, "03/03/2026", "/") for n in range(200)))

    assert "damaged" in refused(content[: int(len(content) * keep)], "register.xlsx")


def test_a_text_file_that_ends_inside_quotes_is_refused():
    assert "cut off" in refused(f'{HEAD}\n{ROW}\n0042,03/03/2026,09:00,"Late\n{ROW}\n'.encode())


def test_a_workbook_with_a_password_is_refused():
    plain = io.BytesIO(sheet(("Ref", "Date", "Mark"), (1, "03/03/2026", "/")))
    closed = io.BytesIO()
    OOXMLFile(plain).encrypt("birch-otter-lamp-42", closed)

    assert msoffcrypto.OfficeFile(closed).is_encrypted()
    assert "password" in refused(closed.getvalue(), "register.xlsx")


def test_files_that_are_too_large_are_refused():
    many = f"{HEAD}\n{f'{ROW}{chr(10)}' * 60}".encode()

    assert "too large" in refused(many, most_rows=50)
    assert "too large" in refused(sheet(*[("Ref", "Date", "Mark")] * 60), "r.xlsx", most_rows=50)
    assert "too large" in refused(b"x" * 1_000_001, largest_mb=1)


def test_a_zip_bomb_is_refused_unread():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "x")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(3_000_000))

    assert len(out.getvalue()) < 10_000
    assert "too large" in refused(out.getvalue(), "register.xlsx", largest_unpacked_mb=1)


def test_headings_that_are_not_there_are_asked_for_without_repeating_what_is():
    with pytest.raises(SourceRefusedError) as caught:
        rows(b"Sam,Example,Present\nMax,Example,Late\n")

    assert "Sam" not in str(caught.value)
    assert "columns" in caught.value.mend


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_whatever_stands_in_a_file_it_is_read_or_refused(content):
    head = f"{HEAD}\n{ROW}\n".encode()
    for whole, name in (
        (content, "a.csv"),
        (head + content, "b.csv"),
        (content, "c.xlsx"),
        (b"PK\3\4" + content, "d.xlsx"),
    ):
        try:
            found = rows(whole, name)
        except SourceRefusedError:
            continue
        numbers = [row.number for row in found]
        assert numbers == sorted(set(numbers))


CELL = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)


@given(st.lists(st.lists(CELL, min_size=6, max_size=6), min_size=1, max_size=20), st.sampled_from(",;\t"))
def test_no_row_with_anything_in_it_is_lost(cells, delimiter):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(HEAD.split(","))
    writer.writerows(cells)
    filled = [line for line in cells if any(cell.strip() for cell in line)]
    if not filled:
        return
    found = rows(out.getvalue().encode(), delimiter=delimiter)

    assert [
        [row.pupil_ref, row.day, row.starts, row.mark, row.minutes, row.reason] for row in found
    ] == filled
