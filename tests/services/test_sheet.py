"""Tomorrow's sheet: printed the afternoon before, typed in afterwards by its numbers."""

from datetime import date, time

import pytest

from aphub.domain.errors import AphubError
from aphub.domain.placements import TimetableSlot
from aphub.services.papers import as_text, printed
from aphub.services.sheet import make_sheet, type_in
from aphub.store import tables as t
from tests.world import build_world

JO = "Jo Weaver, office"


def test_sheet_is_typed_in_by_its_numbers_all_of_it_or_nothing(tmp_path, sqlite_url):
    world = build_world(tmp_path / "home", sqlite_url)
    try:
        world.pupil(), world.pupil(), world.pupil(suppressed=True)
        world.pupil(slots=(TimetableSlot(2, time(9, 30), time(11), place="Riverside"),))
        world.owe()
        tomorrow = date(2026, 3, 4)
        sheet = make_sheet(world.desk, tomorrow)
        assert sheet.lines == 4
        page = as_text(sheet.paper).decode()
        assert "Sam Example001 (P0001)" in page
        assert "Example003" not in page
        assert sheet.ref in page
        # A page a place, a table a teaching group, numbers that go on, and lines to sign on.
        groups = [(table.title, [row[0] for row in table.rows]) for table in sheet.paper.tables()]
        assert groups == [("09:00 to 12:00", [1, 2, 3]), ("09:30 to 11:00", [4])]
        assert [type(part).__name__ for part in sheet.paper.parts].count("Signature") == 2
        [pdf] = printed(sheet.paper, "pdf")
        assert pdf.name.startswith("sheet-2026-03-04")
        assert "Example001" not in repr(sheet)
        world.pupil()
        world.owe()  # another lesson since it was printed: the numbers still mean the same
        world.at("09:20", tomorrow)
        with pytest.raises(AphubError, match="no line 9"):
            type_in(world.desk, sheet.ref, {1: ("present", "", ""), 9: ("present", "", "")}, JO)
        assert world.rows(t.entries) == []
        marks = {2: ("late", "10", ""), 1: ("absent", "", "ill")}
        assert type_in(world.desk, sheet.ref, marks, JO, "Pat Lane, tutor") == 2
        ill, late = world.rows(t.entries)
        assert (ill.outcome, ill.reason, late.outcome, late.minutes) == ("absent", "ill", "late", 10)
        assert ill.because == f"typed from sheet {sheet.ref}, signed by Pat Lane, tutor"
        assert ill.made_by == JO
        with pytest.raises(AphubError, match="no sheet"):
            type_in(world.desk, "ZZZZZZZZ", {1: ("present", "", "")}, JO)
    finally:
        world.hub.close()
