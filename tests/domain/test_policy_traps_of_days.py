"""The traps of the policies that concern times, halves of days and dated law."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from aphub.domain.agreements import Agreement, Cadence, Period
from aphub.domain.calendar import london_time, to_utc
from aphub.domain.cases import day_kind, row_of_days
from aphub.domain.codes import code_set_on
from aphub.domain.entries import Action, Entry, Fact, Half
from aphub.domain.errors import LawUnknownError
from aphub.domain.fold import RecipientContext, fold_day
from aphub.domain.halves import SchoolHours
from aphub.domain.ladders import Trigger
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.placements import ArrangedBy, Lesson, Purpose, Registration
from aphub.domain.readings import SECOND_CHECK
from aphub.domain.statistics import Threshold, Window
from aphub.domain.suggest import suggest
from aphub.domain.when import AgreementError, parse_when

DAY = date(2026, 3, 3)
HOURS = SchoolHours(time(9), time(12), time(13), time(15, 30))
CONTEXT = RecipientContext(ArrangedBy.SCHOOL, Registration.HOME, Purpose.HOME_SCHOOL)


def entry(starts: str, ends: str, fact: Fact, *actions: Action, mode: Mode = Mode.IN_PERSON) -> Entry:
    begin, end = time.fromisoformat(starts), time.fromisoformat(ends)
    lesson = Lesson("PL1", DAY, begin, end, to_utc(DAY, begin), to_utc(DAY, end), mode)
    return Entry(lesson, 1, fact, lesson.starts_at, "register", actions)


def lines(*entries: Entry) -> dict[Half, tuple[str, str, str]]:
    folded = fold_day(entries, hours=HOURS, day=DAY, context=CONTEXT)
    return {line.half: (line.fact.outcome.value, line.suggestion.code, line.disagreement) for line in folded}


def test_trap_7_deadlines_are_of_kinds_that_no_single_cron_line_expresses():
    # Relative to the start, by the clock, on a weekday; an event (day 3) and a rate are triggers, not times.
    start = to_utc(DAY, time(10))
    assert parse_when("start + 15 min").instant(DAY, start) - start == timedelta(minutes=15)
    assert london_time(parse_when("09:45").instant(DAY, start)) == time(9, 45)
    assert parse_when("Friday 15:30").instant(DAY, start).date() == date(2026, 3, 6)
    for cadence, due, pm_due in (
        (Cadence.PER_SESSION, "09:45", "13:45"),
        (Cadence.DAILY, "16:00", ""),
        (Cadence.WEEKLY, "Friday 15:30", ""),
    ):
        terms = Agreement(
            "terms",
            DAY,
            cadence,
            parse_when("start"),
            parse_when(due),
            parse_when(pm_due) if pm_due else None,
        )
        for half, wall in ((Half.AM, due), (Half.PM, pm_due or due)):
            lesson = entry("09:00" if half is Half.AM else "13:00", "15:00", Fact(Outcome.PRESENT)).lesson
            promise = terms.due_instants(Period("p", DAY, DAY + timedelta(days=7), half), [lesson]).due_by
            assert london_time(promise) == time.fromisoformat(wall.rpartition(" ")[2])
    assert {Trigger.DAYS_IN_A_ROW, Trigger.ATTENDANCE_RATE} < set(Trigger)
    assert Threshold(Decimal(90), Window.WEEK, least=6).least == 6
    with pytest.raises(AgreementError):
        parse_when("*/15 9 * * 1-5")


def test_trap_11_the_law_is_dated_and_every_suggestion_names_its_code_set():
    before, since = date(2024, 7, 1), date(2024, 9, 2)
    assert code_set_on(before).name != code_set_on(since).name
    assert "J1" in code_set_on(since)
    assert "J1" not in code_set_on(before)
    for day in (before, since, DAY):
        told = suggest(
            Fact(Outcome.PRESENT),
            arranged_by=ArrangedBy.SCHOOL,
            registration=Registration.HOME,
            purpose=Purpose.HOME_SCHOOL,
            nature=entry("09:00", "10:00", Fact(Outcome.PRESENT)).lesson.nature,
            mode=Mode.IN_PERSON,
            day=day,
        )
        assert told.code_set == code_set_on(day).name
    with pytest.raises(LawUnknownError, match="Check the date"):
        code_set_on(date(1999, 1, 1))


def test_trap_16_a_whole_day_mark_states_only_the_half_in_which_it_was_taken():
    full = Fact(Outcome.PRESENT, provider_word="Full attendance")
    assert lines(entry("09:30", "14:30", full)) == {
        Half.AM: ("present", "B", ""),
        Half.PM: ("not_checked_again", "", ""),
    }
    looked = Action(to_utc(DAY, time(13, 5)), SECOND_CHECK)
    assert lines(entry("09:30", "14:30", full, looked))[Half.PM] == ("present", "B", "")


def test_trap_19_day_three_counts_unexplained_days_due_here_and_an_ill_child_starts_anew():
    missing, ill = (Outcome.ABSENT, ReasonKind.UNKNOWN), (Outcome.ABSENT, ReasonKind.ILL)
    unauthorised = (Outcome.ABSENT, ReasonKind.UNAUTHORISED)
    cancelled = (Outcome.CANCELLED, ReasonKind.NOT_APPLICABLE)
    days = [date(2026, 3, number) for number in (2, 3, 4, 5)]

    def in_a_row(*told: tuple[Outcome, ReasonKind]) -> int:
        return len(row_of_days({day: day_kind([one]) for day, one in zip(days, told, strict=False)}))

    assert in_a_row(missing, unauthorised, missing) == 3
    assert in_a_row(missing, cancelled, missing) == 2  # a day that we cancelled was not due here
    assert in_a_row(ill, ill, ill) == 0
    assert in_a_row(missing, ill, missing) == 1


def test_trap_17_lessons_fold_into_sessions_by_a_stated_rule_and_disagreement_is_a_question():
    mentoring, tutoring = ("09:00", "10:00"), ("10:00", "11:30")
    here, missing = Fact(Outcome.PRESENT), Fact(Outcome.ABSENT, ReasonKind.UNKNOWN)
    # A joint morning of which one half was cancelled: the pupil was here for the other, so no code stands for both.
    [(_, code, question)] = lines(entry(*mentoring, here), entry(*tutoring, Fact(Outcome.CANCELLED))).values()
    assert code == ""
    assert "09:00 attended, 10:00 lesson cancelled by us" in question
    # Two lessons that disagree carry no code and a question.
    [(outcome, code, question)] = lines(entry(*mentoring, here), entry(*tutoring, missing)).values()
    assert (outcome, code) == ("absent", "")
    assert question.startswith("The lessons disagree: 09:00 attended, 10:00 did not attend")
    # Across lunch there are two lines; a twilight lesson belongs to no session and earns no code.
    assert set(lines(entry("11:00", "14:00", here))) == {Half.AM, Half.PM}
    assert lines(entry("16:30", "17:30", here)) == {Half.OUTSIDE: ("present", "", "")}
