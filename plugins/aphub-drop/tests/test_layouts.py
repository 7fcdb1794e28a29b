"""Layouts: exact or not at all, nothing cut, nothing lost in silence, and TEST where it is one."""

import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aphub.api import Kind, Report, aphub_csv
from aphub.domain.entries import Fact, Half, Suggestion
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.testing import (
    invented_pupil,
    sample_message,
    sample_outbound,
    sample_report,
)
from aphub_drop import DropAdapter, DropRoute
from aphub_drop.cells import dangerous
from aphub_drop.layout import FIELDS, Layout, shipped
from aphub_drop.writing import NotExpressibleError

DANGEROUS = [
    "=1+1", "=cmd|' /C calc'!A0", "+44", "-2+3", "@SUM(A1)", "\t=1", " =1", "\u200b=1", "\ufeff@x", "\uff1d1", "a\rb",
    "a\nb", "a\0b", "-",
]  # fmt: skip
COLUMNS = (
    {"name": "Ref", "field": "school_pupil_ref"},
    {"name": "Name", "field": "pupil_name"},
    {"name": "Date", "field": "date", "format": "%d/%m/%Y"},
    {"name": "Half", "field": "session"},
    {"name": "Code", "field": "suggested_code"},
    {"name": "Said", "field": "comment"},
)


def route(layout="aphub-1", **settings: object):
    custom = {"custom": settings.pop("custom")} if "custom" in settings else {}
    return DropRoute(folder="hill", layout="custom" if custom else layout, **custom, **settings)


def custom(columns=COLUMNS, **settings: object):
    return {"columns": columns} | settings


def report_of(
    outcome, code="", *, reason=ReasonKind.NOT_APPLICABLE, minutes=None, half=Half.AM, **changes: object
) -> Report:
    made = sample_report(invented_pupil(1))
    session = replace(
        made.sessions[0], fact=Fact(outcome, reason, minutes), suggestion=Suggestion(code, "why"), half=half
    )
    return made._replace(sessions=(session,), **changes)


def file_of(reports, where, **changes: object):
    outbound = sample_outbound(sample_message(reports, **changes))
    return DropAdapter.compose(outbound, where)[-1].content


def cells_of(content, encoding="utf-8", delimiter=","):
    return list(csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter))


def test_the_hubs_own_layout_is_the_machine_copy_byte_for_byte():
    for kind in (Kind.ROUTINE, Kind.TEST):
        outbound = sample_outbound(sample_message(kind=kind))
        [document] = DropAdapter.compose(outbound, route())
        assert document.content == aphub_csv(list(outbound.rows))


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_test_says_so_in_every_row_with_the_code_to_be_read_back(name):
    outbound = sample_outbound(sample_message(kind=Kind.TEST))
    [document] = DropAdapter.compose(outbound, route(name))
    text = document.content.decode()
    rows = text.split("</SessionAttendance>")[:-1] if name == "sims7-xml" else text.splitlines()[1:]
    assert len(rows) == 3
    for row in rows:
        assert "TEST" in row
        assert "482913" in row
    assert document.name.startswith("TEST-")


def test_no_layout_can_hold_a_date_of_birth():
    assert not {field for field in FIELDS if "birth" in field or "dob" in field}


@pytest.mark.parametrize(
    ("layout", "report", "why"),
    [
        ("week", report_of(Outcome.LATE, "B", minutes=12), "minutes late"),
        ("week", report_of(Outcome.LEFT_EARLY, "B", minutes=30), "beside the code"),
        ("week", report_of(Outcome.LEFT_SITE), "beside the code"),
        ("week", report_of(Outcome.NOT_YET_TAKEN), "beside the code"),
        ("week", report_of(Outcome.ABSENT, "D", reason=ReasonKind.ILL), "beside the code"),
        ("week", report_of(Outcome.PRESENT, "B", half=Half.OUTSIDE), "outside the school week"),
        ("week", sample_report(invented_pupil(1), 1), "what we have done"),
        ("week", report_of(Outcome.PRESENT, "B", school_pupil_ref=""), "StudentId"),
        ("xporter", report_of(Outcome.LEFT_SITE), "nothing to put into the column Mark"),
        ("xporter", report_of(Outcome.PRESENT, "B", half=Half.OUTSIDE), "no word for 'OUT'"),
        ("g4s", report_of(Outcome.ONLINE), "nothing to put into the column Mark"),
        ("sims7-xml", report_of(Outcome.ABSENT, "Y1", reason=ReasonKind.TRANSPORT_FAILED), "never cut"),
    ],
)
def test_what_has_no_place_is_said_and_goes_another_way(layout, report, why):
    assert why in route(layout).cannot_carry(report)
    with pytest.raises(NotExpressibleError):
        file_of([report], route(layout))


def test_the_machine_copy_carries_whatever_happened():
    for outcome in Outcome:
        assert not route().cannot_carry(report_of(outcome, half=Half.OUTSIDE))


def test_an_organisation_may_do_without_a_fact_that_its_layout_has_no_place_for():
    where = route("week", may_leave_out=("minutes_late", "actions"))
    assert not where.cannot_carry(report_of(Outcome.LATE, "B", minutes=12))
    assert not where.cannot_carry(sample_report(invented_pupil(1), 1))
    assert where.cannot_carry(report_of(Outcome.LEFT_SITE))


@pytest.mark.parametrize("layout", ["week", "xporter", "g4s"])
def test_codes_of_two_characters_stay_whole(layout):
    content = file_of([report_of(Outcome.ABSENT, "Y1", reason=ReasonKind.TRANSPORT_FAILED)], route(layout))
    assert "Y1" in cells_of(content)[1]


def test_a_week_is_one_row_a_pupil_and_two_codes_for_one_half_day_are_refused():
    first, second = report_of(Outcome.PRESENT, "B"), report_of(Outcome.ABSENT, "I", reason=ReasonKind.ILL)
    afternoon = second._replace(sessions=(replace(second.sessions[0], half=Half.PM),))
    rows = cells_of(file_of([first, afternoon], route("week")))
    assert [cell for cell in rows[1] if cell in {"B", "I"}] == ["B", "I"]
    assert len(rows) == 2
    with pytest.raises(NotExpressibleError, match="two codes"):
        file_of([first, second], route("week"))


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_dangerous_cell_is_refused_by_machines_and_harmless_to_people(text):
    report = report_of(Outcome.PRESENT, "B", school_pupil_ref=text)
    for name in shipped():
        assert "formula" in route(name).cannot_carry(report), name
    with pytest.raises(NotExpressibleError):
        file_of([report], route("g4s"))
    cells = cells_of(file_of([report], route("g4s", opened_by="people")))[1]
    assert not any(map(dangerous, cells))
    assert cells[0].lstrip("'").strip() in text.replace("\r", " ").replace("\n", " ").replace("\0", " ")


@given(text=st.text(max_size=30), quoting=st.sampled_from(["minimal", "all", "none"]))
def test_a_machine_file_holds_exactly_what_was_said_or_is_not_made(text, quoting):
    where = route(custom=custom(quoting=quoting, delimiter="bar"))
    report = report_of(Outcome.PRESENT, "B", school_pupil_ref="HS1", pupil_name=text)
    try:
        content = file_of([report], where)
    except (NotExpressibleError, UnicodeError):
        assert where.cannot_carry(report) or quoting == "none"
        return
    assert cells_of(content, delimiter="|")[1][1] == text if quoting != "none" else text.encode() in content


@given(text=st.text(max_size=30))
def test_xml_holds_exactly_what_was_said_or_is_not_made(text):
    report = report_of(Outcome.PRESENT, "B", school_pupil_ref=text)
    try:
        content = file_of([report], route("sims7-xml"))
    except (NotExpressibleError, UnicodeError):
        assert route("sims7-xml").cannot_carry(report)
        return
    assert ET.fromstring(content.decode()).findtext("SessionAttendance/PersonID") == text  # noqa: S314 - our own


def test_formats_encoding_quotes_and_words_are_as_ordered():
    columns = (
        *COLUMNS[:2],
        {"name": "Date", "field": "date", "format": "%d/%m/%Y"},
        {"name": "Half", "field": "session", "words": {"AM": "1", "PM": "2"}},
        {"name": "From", "field": "lesson_start", "format": "%H.%M"},
        {"name": "Made", "field": "made_at", "format": "%d.%m.%y %H:%M"},
        {"name": "Kind", "value": "AP"},
        {"name": "Code", "field": "suggested_code"},
    )
    where = route(
        custom=custom(
            columns,
            encoding="windows-1252",
            delimiter="semicolon",
            quoting="all",
            header=False,
            line_end="lf",
            ending="txt",
        )
    )
    outbound = sample_outbound(sample_message([report_of(Outcome.PRESENT, "B", pupil_name="Zoë O'Neill")]))
    [document] = DropAdapter.compose(outbound, where)
    assert document.name.endswith(".txt")
    assert document.media_type == "text/csv; charset=windows-1252; header=absent"
    assert document.content.decode("cp1252") == (
        '"HS00001";"Zoë O\'Neill";"03/03/2026";"1";"09.30";"03.03.26 09:43";"AP";"B"\n'
    )
    polish = report_of(Outcome.PRESENT, "B", pupil_name="Łucja")
    assert "windows-1252" in where.cannot_carry(polish)
    with pytest.raises(NotExpressibleError) as refused:
        file_of([polish], where)
    assert "ucja" not in repr(refused.value)


def test_a_mark_of_their_own_code_table_without_a_word_is_not_sent():
    columns = (*COLUMNS[:4], {"name": "Code", "field": "suggested_code", "words": {"B": "AP"}})
    where = route(custom=custom(columns))
    assert cells_of(file_of([report_of(Outcome.PRESENT, "B")], where))[1][-1] == "AP"
    assert "no word for 'N'" in where.cannot_carry(report_of(Outcome.ABSENT, "N", reason=ReasonKind.UNKNOWN))


def test_a_comment_that_is_too_long_is_not_cut():
    columns = (*COLUMNS[:5], {"name": "Said", "field": "comment", "longest": 20})
    assert "takes 20 characters" in route(custom=custom(columns)).cannot_carry(
        sample_report(invented_pupil(1), 1)
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"columns": [{"name": "A", "field": "date_of_birth"}]}, "There is no 'date_of_birth'"),
        ({"columns": [*COLUMNS, COLUMNS[0]]}, "Two columns are called Ref"),
        ({"columns": COLUMNS[1:]}, "which pupil"),
        ({"columns": COLUMNS[:4]}, "what happened"),
        ({"columns": [COLUMNS[0], COLUMNS[4]]}, "needs date and session"),
        ({"columns": COLUMNS, "rows": "week"}, "needs week_starts"),
        ({"columns": COLUMNS, "form": "xml"}, "XML element"),
        ({"columns": [*COLUMNS[:4], {"name": "C", "field": "suggested_code", "longest": 1}]}, "never cut"),
        ({"columns": [*COLUMNS, {"name": "=A", "value": "x"}]}, "formula"),
        ({"columns": [*COLUMNS, {"name": "A", "value": "@x"}]}, "formula"),
        ({"columns": [*COLUMNS, {"name": "A", "value": "x", "field": "upn"}]}, "not both"),
        ({"columns": [*COLUMNS, {"name": "A", "field": "upn", "format": "%d"}]}, "belongs to a date"),
        ({"columns": [*COLUMNS, {"name": "A", "field": "made_at", "format": "{x}"}]}, "belongs to a date"),
        ({"columns": COLUMNS, "encoding": "utf-16"}, "utf-8"),
        ({"columns": []}, "at least 1"),
    ],
)
def test_a_custom_layout_that_cannot_work_is_named_when_it_is_applied(changed, words):
    with pytest.raises(ValidationError, match=words):
        Layout.model_validate(changed)


@pytest.mark.parametrize(
    "settings",
    [
        {"layout": "long"},
        {"layout": "custom"},
        {"custom": {"columns": COLUMNS}},
        {"layout": "sims7-xml", "opened_by": "people"},
        {"may_leave_out": ("outcome",)},
    ],
)
def test_route_settings_that_do_not_fit_together_are_refused(settings):
    with pytest.raises(ValidationError):
        DropRoute(folder="hill", **settings)
