"""Alert, routine, update, correction: what a new version is, and what it says has changed."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from aphub.domain.entries import Action, Fact, Half, SessionEntry, Suggestion
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.reports import Kind
from aphub.domain.threads import alert_lines, changes, gather_for, in_order, is_urgent_line, news_kind

CALL = Action(datetime(2026, 3, 3, 9, 20, tzinfo=UTC), "called home", "no answer")


def told(
    outcome: Outcome, reason: ReasonKind = ReasonKind.NOT_APPLICABLE, minutes: int | None = None
) -> SessionEntry:
    return SessionEntry(
        date(2026, 3, 3),
        Half.AM,
        Fact(outcome, reason, minutes),
        Suggestion("", "as we saw it"),
        time(9),
        time(11),
        Mode.IN_PERSON,
    )


PRESENT = told(Outcome.PRESENT)
MISSING = told(Outcome.ABSENT, ReasonKind.UNKNOWN)
ILL = told(Outcome.ABSENT, ReasonKind.ILL)
NOT_TAKEN = told(Outcome.NOT_YET_TAKEN)
DISAGREE = replace(MISSING, disagreement="The lessons disagree: 09:00 attended, 10:00 did not attend.")
AFTERNOON = replace(PRESENT, half=Half.PM)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (PRESENT, PRESENT, None),
        (MISSING, replace(MISSING, actions=(CALL,)), Kind.UPDATE),
        (MISSING, ILL, Kind.UPDATE),
        (NOT_TAKEN, PRESENT, Kind.UPDATE),
        (NOT_TAKEN, MISSING, Kind.UPDATE),
        (DISAGREE, PRESENT, Kind.UPDATE),
        (told(Outcome.LATE), told(Outcome.LATE, minutes=10), Kind.UPDATE),
        (ILL, replace(ILL, suggestion=Suggestion("C", "you granted leave")), Kind.UPDATE),
        (PRESENT, replace(PRESENT, ends=time(12)), None),
        (PRESENT, replace(PRESENT, fact=Fact(Outcome.PRESENT, note="settled well")), None),
        (PRESENT, MISSING, Kind.CORRECTION),
        (PRESENT, DISAGREE, Kind.CORRECTION),
        (MISSING, told(Outcome.LATE, minutes=50), Kind.CORRECTION),
        (ILL, told(Outcome.ABSENT, ReasonKind.MEDICAL), Kind.CORRECTION),
        (ILL, MISSING, Kind.CORRECTION),
        (told(Outcome.ABSENT, ReasonKind.UNAUTHORISED), ILL, Kind.CORRECTION),
        (told(Outcome.LATE, minutes=10), told(Outcome.LATE, minutes=15), Kind.CORRECTION),
        (PRESENT, replace(PRESENT, mode=Mode.ONLINE), Kind.CORRECTION),
        (PRESENT, replace(PRESENT, ends=time(10)), Kind.CORRECTION),
        (replace(MISSING, actions=(CALL,)), MISSING, Kind.CORRECTION),
    ],
)
def test_an_update_adds_and_a_correction_takes_back(
    before: SessionEntry, after: SessionEntry, kind: Kind | None
) -> None:
    assert news_kind((before,), (after,)) is kind
    assert bool(changes((before,), (after,))) is (kind is not None)


def test_the_first_report_is_the_routine_one() -> None:
    assert news_kind(None, (PRESENT,)) is Kind.ROUTINE
    assert news_kind(None, ()) is None


def test_a_line_more_is_an_update_and_a_line_less_a_correction() -> None:
    assert news_kind((PRESENT,), (PRESENT, AFTERNOON)) is Kind.UPDATE
    assert news_kind((PRESENT, AFTERNOON), (PRESENT,)) is Kind.CORRECTION


def test_one_thing_taken_back_makes_the_whole_a_correction() -> None:
    called = replace(MISSING, half=Half.PM, actions=(CALL,))
    assert news_kind((PRESENT, replace(MISSING, half=Half.PM)), (MISSING, called)) is Kind.CORRECTION


def test_changes_are_said_in_plain_words_in_order_of_the_day() -> None:
    late = replace(AFTERNOON, fact=Fact(Outcome.LATE, minutes=10))
    assert changes((AFTERNOON, MISSING), (late, replace(MISSING, actions=(CALL,)))) == [
        "Tuesday 3 March, morning: 1 more action by us",
        "Tuesday 3 March, afternoon: was 'attended', now 'arrived late (10 minutes)'",
    ]
    assert changes((MISSING,), (ILL,)) == [
        "Tuesday 3 March, morning: was 'did not attend, reason not known', now 'did not attend, ill'",
    ]


@pytest.mark.parametrize(
    ("line", "urgent"),
    [
        (PRESENT, False),
        (ILL, False),
        (MISSING, True),
        (NOT_TAKEN, True),
        (DISAGREE, True),
        (told(Outcome.LEFT_SITE), True),
        (told(Outcome.CANCELLED), True),
    ],
)
def test_doubt_about_where_a_child_is_waits_for_no_cadence(line: SessionEntry, *, urgent: bool) -> None:
    assert is_urgent_line(line) is urgent
    assert alert_lines((), (line,)) == ([line] if urgent else [])


def test_the_same_alert_is_not_sent_twice() -> None:
    assert alert_lines((MISSING,), (MISSING, AFTERNOON)) == []
    left = told(Outcome.LEFT_SITE)
    assert alert_lines((MISSING,), (left,)) == [left]


def test_corrections_gather_for_a_minute_and_urgent_ones_not_at_all() -> None:
    late, later = told(Outcome.LATE, minutes=10), told(Outcome.LATE, minutes=15)
    assert gather_for(Kind.CORRECTION, (late,), (later,)) == timedelta(seconds=60)
    assert gather_for(Kind.CORRECTION, (PRESENT,), (MISSING,)) == timedelta()
    assert gather_for(Kind.CORRECTION, (MISSING,), (PRESENT,)) == timedelta()
    assert gather_for(Kind.UPDATE, (MISSING,), (ILL,)) == timedelta()


def test_the_order_in_a_thread() -> None:
    mixed = [Kind.TEST, Kind.CORRECTION, Kind.ROUTINE, Kind.UPDATE, Kind.ALERT]
    assert in_order(mixed) == [Kind.ALERT, Kind.ROUTINE, Kind.UPDATE, Kind.CORRECTION, Kind.TEST]
