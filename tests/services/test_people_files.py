"""Files of people as offices really have them: what cannot be read surely is named, and nothing typed is lost unsaid."""

import csv
import io
from collections.abc import Callable, Sequence

import pytest
import xlsxwriter

from aphub.api import SourceRefusedError
from aphub.services import people
from tests.registers import people_file, person

_FILE = list(csv.reader(io.StringIO(people_file(person("P1")).decode("utf-8-sig"), newline="")))
HEADINGS, ROW = _FILE


def text(*rows: Sequence[str], encoding: str = "utf-8") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)


def book(*rows: Sequence[str], then: Callable[[xlsxwriter.Workbook], object] | None = None) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        sheet = made.add_worksheet("Pupils")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if then is not None:
            then(made)
    return out.getvalue()


def with_(row: Sequence[str] = ROW, **cells: str) -> list[str]:
    return [cells.get(heading, cell) for heading, cell in zip(HEADINGS, row, strict=True)]


REFUSED = {
    "a heading twice": (text([*HEADINGS, "Starts"], [*ROW, "2026-01-01"]), "Several columns .* say starts"),
    "a heading by another of its names": (text([*HEADINGS, "Forename"], [*ROW, "Al"]), "say given_name"),
    # Left out in silence, this one would share a pupil who must not be shared.
    "a slip in a heading": (text([*HEADINGS[:-1], "supressed"], ROW), "nearly suppressed"),
    "headings alone": (text(HEADINGS), "no row under the headings"),
}


def test_a_file_whose_headings_leave_a_doubt_is_refused_whole(make_world_anew):
    desk = make_world_anew().desk
    for what, (content, words) in REFUSED.items():
        with pytest.raises(SourceRefusedError, match=words) as refused:
            people.read_people(desk, "people.csv", content)
        assert refused.value.mend, what
        assert "Nothing of it was taken" in str(refused.value), what


def test_each_doubtful_cell_is_named_by_row_and_column(make_world_anew):
    def error_in_suppressed(made: xlsxwriter.Workbook) -> None:
        made.get_worksheet_by_name("Pupils").write_formula(
            1, HEADINGS.index("suppressed"), "=NA()", None, "#N/A"
        )

    letter = xlsxwriter.utility.xl_col_to_name(HEADINGS.index("suppressed"))
    files = {
        ("people.csv", text(HEADINGS, [*ROW, "more"])): (2, f"column {len(HEADINGS) + 1}"),
        ("people.csv", text([*HEADINGS, ""], [*ROW, "more"])): (2, f"column {len(HEADINGS) + 1}"),
        ("people.csv", text(HEADINGS, with_(given_name="=SUM(1)"))): (2, "given_name"),
        ("people.csv", text(HEADINGS, with_(family_name="Ro\u202esie"))): (2, "family_name"),
        ("people.csv", text(HEADINGS, with_(school_pupil_ref="#REF!"))): (2, "school_pupil_ref"),
        ("people.xlsx", book(HEADINGS, ROW, then=error_in_suppressed)): (2, f"cell {letter}2"),
    }
    desk = make_world_anew().desk
    for (name, content), where in files.items():
        found = people.read_people(desk, name, content).problems
        assert [(one.row, one.column) for one in found] == [where]
        assert found[0].mend


def test_what_is_not_read_is_said_and_stops_nothing(make_world_anew):
    def another(made: xlsxwriter.Workbook) -> None:
        made.add_worksheet("Empty")
        made.add_worksheet("Leavers").write_row(0, 0, ROW)
        hidden = made.add_worksheet("Lists")
        hidden.write_row(0, 0, ROW)
        hidden.hide()

    desk = make_world_anew().desk
    sheets = people.read_people(desk, "people.xlsx", book(HEADINGS, ROW, then=another))
    notes = people.read_people(desk, "people.csv", text([*HEADINGS, "notes"], [*ROW, "hello"]))

    assert sheets.problems == notes.problems == ()
    assert [one.words for one in sheets.warnings if one.column == "other sheet"] == [
        "The sheet 'Leavers' is not read: only the first one that is not empty."
    ]
    assert [(one.row, one.column) for one in notes.warnings] == [(1, "notes")]
    assert "hello" not in str(notes.warnings)


def test_a_file_of_windows_or_with_typographic_signs_keeps_every_letter(make_world_anew):
    desk = make_world_anew().desk
    names = with_(given_name="Zoë", family_name="O\u2019Brien-Łęcki")
    for encoding in ("utf-8-sig", "utf-16"):
        [row] = people.read_people(desk, "people.csv", text(HEADINGS, names, encoding=encoding)).rows
        assert (row.given_name, row.family_name) == ("Zoë", "O\u2019Brien-Łęcki")
    [row] = people.read_people(
        desk, "p.csv", text(HEADINGS, with_(family_name="O\u2019Brien"), encoding="cp1252")
    ).rows
    assert row.family_name == "O\u2019Brien"
