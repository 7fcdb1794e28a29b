"""One played day: every adapter at work, and what people did beside the hub."""

import csv
import io
import re
import subprocess
from datetime import timedelta

import pytest
from sqlalchemy import select

from aphub.demo.day import TUESDAY, at
from aphub.demo.pupils import everyone, pupil
from aphub.hub import Hub
from aphub.plugins import load
from aphub.services.case_views import cases_on
from aphub.store import tables as t
from tests.end_to_end.played_day import (
    Played,
    marks_in,
)

pytestmark = pytest.mark.slow


def dispatches(hub: Hub, **wanted: object) -> list:
    with hub.store.reading() as connection:
        rows = connection.execute(select(t.dispatches)).all()
    return [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]


# Every adapter


def test_every_adapter_that_is_installed_handed_something_over_on_time(hub: Hub):
    in_time = {
        row.adapter
        for row in dispatches(hub)
        if row.handed_over_at is not None and row.handed_over_at <= row.due_by
    }
    assert in_time == set(load().adapters)


@pytest.mark.parametrize(
    ("school", "ref", "code"),
    [
        ("larch-academy", "00429", "B"),
        ("quarry-hill-school", "7117", "B"),
        ("saltern-college", "7118", "B"),
    ],
)
def test_each_schools_own_system_holds_the_mark_that_we_wrote(
    played: Played, school: str, ref: str, code: str
):
    [(where, (written, made_by))] = marks_in(played, school).items()
    assert where == (pupil(ref).upn, "AM")
    assert (written, made_by != "school office") == (code, True)


def test_marks_of_every_kind_of_register_were_read_back(hub: Hub):
    accepted = {row.adapter for row in dispatches(hub, state="accepted")}
    assert accepted == {"wonde", "xporter", "arbor", "rest"}


@pytest.fixture(scope="module")
def locked(played: Played) -> bytes:
    [path] = (played.home / "drop" / "tern-bank").glob("marks-*.p7m")
    return path.read_bytes()


def test_the_locked_folder_shows_no_pupil(played: Played, locked: bytes):
    one = pupil("00430")
    for content in (locked, *(played.home / "drop" / "tern-bank").iterdir()):
        shown = content if isinstance(content, bytes) else content.read_bytes()
        assert one.upn.encode() not in shown
        assert f"S{int(one.ref):04d}".encode() not in shown


def test_the_command_that_is_printed_opens_the_locked_file(played: Played):
    lines = played.output.splitlines()
    first = next(number for number, line in enumerate(lines) if "openssl cms" in line)
    command = f"{lines[first].strip().removesuffix(chr(92))} {lines[first + 1].strip()}"
    done = subprocess.run(command.split(), check=True, capture_output=True, text=True)
    [row] = csv.DictReader(io.StringIO(done.stdout))
    assert (row["StudentId"], row["Session"], row["Mark"]) == ("S0430", "PM", "B")


def test_a_call_that_was_repeated_counts_as_confirmed(hub: Hub):
    [row] = dispatches(hub, adapter="phone")
    assert row.state == "confirmed"
    assert row.handed_over_at == at("09:08")
    with hub.store.reading() as connection:
        call = connection.execute(select(t.calls).where(t.calls.c.subject == row.reference)).one()
    assert (call.result, call.made_by) == ("answered", "Dee Farrow, duty lead")


# Following up


def test_a_case_was_taken_on_and_closed_by_the_second_call(hub: Hub, played: Played):
    [case] = [one for one in cases_on(hub.desk("ypm"), TUESDAY, over=True) if one.pupil_ref == "7103"]
    assert (case.state, case.taken_by) == ("cleared", "Jo Weaver, attendance lead")
    lantern = [mail for mail in played.mails_to("lantern-school") if mail.reference.startswith("YP-")]
    assert any("voicemail" in mail.text and "ill" in mail.text for mail in lantern)


def test_who_was_told_that_a_pupil_left_was_told_that_they_are_found(played: Played):
    told = [row for where, row in played.rows_of("5202") if where == "northshire" and row["session"] == "PM"]
    assert any("found safe" in row["actions"] for row in told)


def test_the_third_day_raised_a_letter_and_a_person_let_it_go(hub: Hub, played: Played):
    [path] = (played.home / "papers").glob("letter-*.txt")
    text = path.read_text()
    assert pupil("6304").given_name in text
    assert "3 days" in text
    with hub.store.reading() as connection:
        step = connection.execute(select(t.steps).where(t.steps.c.letter != "")).one()
    assert (step.state, step.ended_by) == ("done", "Sky Barnes, family link worker")
    assert step.ended_at - step.opens_at < timedelta(hours=8)


def test_the_papers_of_the_day_lie_in_one_folder(played: Played):
    papers = {path.name.partition("-2026")[0]: path for path in (played.home / "papers").iterdir()}
    assert {"attendance", "correspondence-log", "register-audit"} <= set(papers)
    for name in ("attendance", "correspondence-log", "register-audit"):
        assert papers[name].read_bytes().startswith(b"%PDF-")
    [sheet] = (played.home / "papers").glob("sheet-*.html")
    due = [one for one in everyone() if one.ref.startswith("004") and "Tue" in one.timetable]
    assert all(one.name in sheet.read_text() for one in due)


def test_no_name_of_a_paper_tells_of_a_pupil(played: Played):
    names = {one.family_name.lower() for one in everyone()} | {one.upn.lower() for one in everyone()}
    for path in (played.home / "papers").iterdir():
        assert not names & set(re.split(r"[^a-z0-9]+", path.name.lower()))
