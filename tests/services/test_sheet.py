"""Tomorrow's sheet: printed the afternoon before, typed in afterwards by its numbers."""

from datetime import date

import pytest

from aphub.domain.errors import AphubError
from aphub.services.sheet import make_sheet, type_in
from aphub.store import tables as t
from tests.world import build_world

JO = "Jo Weaver, office"


def test_sheet_is_typed_in_by_its_numbers_all_of_it_or_nothing(tmp_path, sqlite_url):
    world = build_world(tmp_path / "home", sqlite_url)
    try:
        world.pupil(), world.pupil(), world.pupil(suppressed=True)
        world.owe()
        tomorrow = date(2026, 3, 4)
        sheet = make_sheet(world.desk, tomorrow)
        assert sheet.lines == 3
        assert "Sam Example001 (P0001)" in sheet.html
        assert "Example003" not in sheet.html
        assert sheet.ref in sheet.html
        assert "Example001" not in repr(sheet)
        world.pupil()
        world.owe()  # another lesson since it was printed: the numbers still mean the same
        world.at("09:20", tomorrow)
        with pytest.raises(AphubError, match="no line 9"):
            type_in(world.desk, sheet.ref, {1: ("present", "", ""), 9: ("present", "", "")}, JO)
        assert world.rows(t.entries) == []
        assert type_in(world.desk, sheet.ref, {2: ("late", "10", ""), 1: ("absent", "", "ill")}, JO) == 2
        ill, late = world.rows(t.entries)
        assert (ill.outcome, ill.reason, late.outcome, late.minutes) == ("absent", "ill", "late", 10)
        assert ill.because == f"typed from sheet {sheet.ref}"
        with pytest.raises(AphubError, match="no sheet"):
            type_in(world.desk, "ZZZZZZZZ", {1: ("present", "", "")}, JO)
    finally:
        world.hub.close()
