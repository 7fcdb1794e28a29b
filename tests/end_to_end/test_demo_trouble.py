"""One played day: what went wrong, and what became of it."""

import csv
import io
from collections import defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import and_, select

from aphub.api import COLUMNS
from aphub.demo.day import at
from aphub.demo.pupils import pupil
from aphub.hub import Hub
from aphub.store import tables as t
from tests.end_to_end.played_day import (
    Played,
    marks_in,
)

pytestmark = pytest.mark.slow


# What waits for a person


def questions_of(hub: Hub, slug: str) -> dict[str, int]:
    desk = hub.desk(slug)
    with hub.store.reading() as connection:
        rows = connection.execute(
            select(t.questions.c.kind).where(
                t.questions.c.provider_id == desk.provider_id, t.questions.c.answered_at.is_(None)
            )
        ).all()
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[row.kind] += 1
    return found


def test_a_retired_code_became_a_question_and_suggests_nothing(hub: Hub, played: Played):
    assert questions_of(hub, "sentre")["retired"] == 1
    mornings = [row for _, row in played.rows_of("00421") if row["session"] == "AM"]
    assert mornings
    assert {row["suggested_code"] for row in mornings} == {""}


def test_an_unmapped_word_and_a_missing_reason_became_questions(hub: Hub):
    kinds = questions_of(hub, "ypm")
    assert kinds["unmapped"] == 1
    assert kinds["needs_reason"] == 1


def test_a_pupil_who_is_not_placed_became_a_question(hub: Hub):
    assert sum(questions_of(hub, "sentre").values()) == 2


def test_the_same_file_twice_is_refused_by_name(played: Played):
    refused = [path.name for path in (played.home / "inbox" / "sentre" / "refused").iterdir()]
    assert any("AM register 03-03 (1)" in name for name in refused)


def test_every_other_register_was_taken_and_is_kept_sealed(played: Played):
    done = [path.name for path in (played.home / "inbox").glob("*/done/*")]
    assert sum(name.endswith(".sealed") for name in done) == 16
    assert sum(name.endswith(".report.txt") for name in done) == 16
    waiting = [path for path in (played.home / "inbox").glob("*/*") if path.is_file()]
    assert waiting == []


def test_missing_pupils_at_risk_become_phone_tasks(hub: Hub):
    desk = hub.desk("ypm")
    with hub.store.reading() as connection:
        acts = connection.execute(select(t.steps.c.act).where(t.steps.c.provider_id == desk.provider_id))
        kinds = list(acts.scalars())
    assert kinds.count("phone_home") + kinds.count("phone_emergency_contacts") >= 2


# Time


def test_urgent_news_left_within_fifteen_minutes(hub: Hub):
    with hub.store.reading() as connection:
        rows = connection.execute(
            select(t.dispatches).where(t.dispatches.c.urgent, t.dispatches.c.state != "cancelled")
        ).all()
    assert rows
    for row in rows:
        assert row.handed_over_at is not None, row.reference
        assert row.handed_over_at - row.prepared_at <= timedelta(minutes=15), row.reference


def test_a_cancelled_lesson_was_told_within_fifteen_minutes_of_the_news(played: Played, hub: Hub):
    first = min(
        (mail for mail in played.mails_to("brook-academy")), key=lambda mail: mail.message["Date"].datetime
    )
    assert "cancelled" in first.text
    with hub.store.reading() as connection:
        row = connection.execute(
            select(t.dispatches).where(t.dispatches.c.reference == first.reference)
        ).one()
    assert row.handed_over_at <= at("08:50") + timedelta(minutes=15)


def test_a_busy_mail_server_was_tried_again(hub: Hub):
    with hub.store.reading() as connection:
        rows = connection.execute(
            select(t.attempts.c.dispatch_id, t.attempts.c.outcome)
            .join(
                t.dispatches,
                and_(
                    t.dispatches.c.provider_id == t.attempts.c.provider_id,
                    t.dispatches.c.dispatch_id == t.attempts.c.dispatch_id,
                ),
            )
            .where(t.dispatches.c.adapter == "email", t.dispatches.c.handed_over_at.is_not(None))
        ).all()
    assert "transient" in {row.outcome for row in rows}


def test_email_took_over_while_the_secure_folders_were_down_and_says_so(hub: Hub, played: Played):
    with hub.store.reading() as connection:
        rows = connection.execute(
            select(t.dispatches).where(
                t.dispatches.c.replaces_id.is_not(None), t.dispatches.c.adapter == "email"
            )
        ).all()
    assert {row.organisation for row in rows} >= {"harbour-college", "fenside-academy", "northshire"}
    assert all(row.handed_over_at is not None for row in rows)
    arrived = {mail.reference for mail in played.day_mails}
    assert {row.reference for row in rows} <= arrived


# Corrections


def test_a_late_correction_says_what_changed_in_the_same_thread(played: Played):
    corrections = [mail for mail in played.mails_to("hill-school") if "correction" in mail.subject]
    assert corrections
    for mail in corrections:
        assert "Changed:" in mail.text
        earlier = str(mail.message["References"]).split()
        assert earlier
        assert set(earlier) <= {str(one.message["Message-ID"]) for one in played.mails}
    assert "arrived 40 minutes late" in "".join(mail.text for mail in corrections)


# Far sides


def test_the_drop_holds_machine_copies_with_the_right_columns(played: Played):
    files = [content for name, content in played.drop_files().items() if name.endswith(".csv")]
    assert files
    for content in files:
        rows = list(csv.reader(io.StringIO(content.decode())))
        assert tuple(rows[0]) == COLUMNS
        assert all(row[0] == "aphub-1" for row in rows[1:])


def test_no_half_written_file_is_left_in_the_drop(played: Played):
    assert not [name for name in played.drop_files() if name.endswith((".part", ".tmp"))]


def test_registers_hold_the_marks_that_we_wrote(played: Played):
    meadow = marks_in(played, "meadow-high")
    for ref in ("00416", "00417"):
        assert meadow[pupil(ref).upn, "AM"] == ("B", "write-back")
        assert meadow[pupil(ref).upn, "PM"] == ("B", "write-back")
    station = marks_in(played, "station-road-school")
    assert station[pupil("7112").upn, "AM"] == ("B", "write-back")


def test_a_mark_that_the_school_made_is_left_as_it_is(played: Played):
    assert marks_in(played, "meadow-high")[pupil("00419").upn, "AM"] == ("I", "school office")


def test_a_code_that_was_not_signed_for_is_not_written_but_mailed(played: Played):
    assert (pupil("00418").upn, "AM") not in marks_in(played, "meadow-high")
    assert {where for where, _ in played.rows_of("00418")} == {"meadow-high"}


def test_written_marks_were_read_back_and_count_as_accepted(hub: Hub):
    with hub.store.reading() as connection:
        rows = connection.execute(select(t.dispatches).where(t.dispatches.c.adapter == "wonde")).all()
    assert {row.rung for row in rows if row.state == "accepted"} == {"accepted"}
    assert any(row.state == "accepted" for row in rows)
