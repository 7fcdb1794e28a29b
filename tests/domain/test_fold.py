"""Lessons that add up to a session, agree, complete or contradict each other."""

import itertools
from datetime import date, datetime, time, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.calendar import to_utc
from aphub.domain.entries import Action, Entry, Fact, Half, SessionEntry
from aphub.domain.fold import RecipientContext, fold, fold_day, fold_fact, half_of, halves_of
from aphub.domain.halves import SchoolHours
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.placements import ArrangedBy, Lesson, Nature, Purpose, Registration
from aphub.domain.readings import DEPARTED, SECOND_CHECK, Reading

TUESDAY = date(2026, 3, 3)
HOURS = SchoolHours(time(9), time(12), time(13), time(15, 30))
CONTEXT = RecipientContext(ArrangedBy.SCHOOL, Registration.HOME, Purpose.HOME_SCHOOL)
PRESENT = Fact(Outcome.PRESENT)
LATE = Fact(Outcome.LATE, minutes=12)
LEFT_EARLY = Fact(Outcome.LEFT_EARLY)
LEFT_SITE = Fact(Outcome.LEFT_SITE)
ILL = Fact(Outcome.ABSENT, ReasonKind.ILL)
MEDICAL = Fact(Outcome.ABSENT, ReasonKind.MEDICAL)
MISSING = Fact(Outcome.ABSENT, ReasonKind.UNKNOWN)
UNAUTHORISED = Fact(Outcome.ABSENT, ReasonKind.UNAUTHORISED)
CANCELLED = Fact(Outcome.CANCELLED)
NOT_TAKEN = Fact(Outcome.NOT_YET_TAKEN)
NOT_READ = Fact(Outcome.NOT_READ)
NOT_EXPECTED = Fact(Outcome.NOT_EXPECTED)
UNEXPECTED = Fact(Outcome.ARRIVED_UNEXPECTED)
ONLINE = Fact(Outcome.ONLINE)
NO_LINK = Fact(Outcome.COULD_NOT_JOIN)
ALONE = Fact(Outcome.WORKED_AT_HOME)
TAUGHT = Fact(Outcome.TAUGHT_AT_HOME)
AT_SCHOOL = Fact(Outcome.AT_HOME_SCHOOL)
QUESTION = "question"


def at(words: str) -> time:
    return time.fromisoformat(words)


def instant(words: str) -> datetime:
    return to_utc(TUESDAY, at(words))


def lesson(
    starts: str, ends: str, *, mode: Mode = Mode.IN_PERSON, nature: Nature = Nature.AP, day: date = TUESDAY
) -> Lesson:
    begin, end = at(starts), at(ends)
    return Lesson("PL1", day, begin, end, to_utc(day, begin), to_utc(day, end), mode, nature)


FIRST, SECOND, THIRD = lesson("09:00", "10:00"), lesson("10:00", "11:00"), lesson("11:00", "12:00")
WHOLE_DAY = lesson("09:30", "14:30")
AFTERNOON = lesson("13:00", "14:00")


def entry(
    fact: Fact, of: Lesson = FIRST, *, version: int = 1, actions: tuple[Action, ...] = (), taken: str = ""
) -> Entry:
    return Entry(
        of,
        version,
        fact,
        of.starts_at + timedelta(minutes=version),
        "register",
        actions,
        instant(taken) if taken else None,
    )


def line(entries: list[Entry], half: Half = Half.AM, context: RecipientContext = CONTEXT) -> SessionEntry:
    return fold(entries, hours=HOURS, day=TUESDAY, half=half, context=context)


TABLE = [
    # first lesson, second lesson, what the line says, its note
    (PRESENT, PRESENT, PRESENT, ""),
    (LATE, PRESENT, LATE, ""),
    (LATE, LATE, LATE, "10:00 arrived 12 minutes late"),
    (PRESENT, LATE, PRESENT, "10:00 arrived 12 minutes late"),
    (PRESENT, LEFT_EARLY, LEFT_EARLY, ""),
    (LEFT_EARLY, PRESENT, PRESENT, "09:00 attended, left early"),
    (LATE, LEFT_EARLY, LATE, "10:00 attended, left early"),
    (PRESENT, LEFT_SITE, LEFT_SITE, "09:00 attended"),
    (LEFT_SITE, PRESENT, LEFT_SITE, "10:00 attended"),
    (LEFT_SITE, MISSING, LEFT_SITE, "10:00 did not attend (reason not known)"),
    (UNEXPECTED, UNEXPECTED, UNEXPECTED, ""),
    (UNEXPECTED, PRESENT, PRESENT, "09:00 attended, though not expected"),
    (PRESENT, UNEXPECTED, PRESENT, "10:00 attended, though not expected"),
    (PRESENT, TAUGHT, PRESENT, "10:00 taught at home in person"),
    (PRESENT, ONLINE, PRESENT, "10:00 took part online"),
    (ONLINE, PRESENT, PRESENT, "09:00 took part online"),
    (ONLINE, LATE, LATE, "09:00 took part online"),
    (PRESENT, ALONE, PRESENT, "10:00 worked at home, not supervised in person"),
    (TAUGHT, ONLINE, TAUGHT, "10:00 took part online"),
    (ILL, ONLINE, ILL, "10:00 took part online"),
    (ONLINE, NO_LINK, ONLINE, "10:00 could not join online (technical fault)"),
    (NO_LINK, ALONE, ALONE, "09:00 could not join online (technical fault)"),
    (PRESENT, CANCELLED, QUESTION, ""),
    (CANCELLED, TAUGHT, QUESTION, ""),
    (CANCELLED, ONLINE, ONLINE, "09:00 lesson cancelled by us"),
    (LEFT_SITE, CANCELLED, LEFT_SITE, "10:00 lesson cancelled by us"),
    (CANCELLED, MISSING, MISSING, "09:00 lesson cancelled by us"),
    (CANCELLED, LATE, QUESTION, ""),
    (CANCELLED, CANCELLED, CANCELLED, ""),
    (NOT_TAKEN, MISSING, MISSING, "09:00 register not yet taken"),
    (NOT_TAKEN, NOT_TAKEN, NOT_TAKEN, ""),
    (NOT_TAKEN, CANCELLED, NOT_TAKEN, "10:00 lesson cancelled by us"),
    (NOT_READ, NOT_TAKEN, NOT_READ, "10:00 register not yet taken"),
    (PRESENT, NOT_TAKEN, QUESTION, ""),
    (NOT_READ, PRESENT, QUESTION, ""),
    (NOT_TAKEN, LATE, QUESTION, ""),
    (ONLINE, NOT_TAKEN, QUESTION, ""),
    (ILL, NOT_TAKEN, ILL, "10:00 register not yet taken"),
    (LEFT_SITE, NOT_TAKEN, LEFT_SITE, "10:00 register not yet taken"),
    (PRESENT, NOT_EXPECTED, PRESENT, ""),
    (CANCELLED, NOT_EXPECTED, CANCELLED, ""),
    (NOT_EXPECTED, NOT_EXPECTED, NOT_EXPECTED, ""),
    (AT_SCHOOL, AT_SCHOOL, AT_SCHOOL, ""),
    (ILL, ILL, ILL, ""),
    (ILL, MISSING, ILL, ""),
    (MISSING, ILL, ILL, ""),
    (MISSING, UNAUTHORISED, UNAUTHORISED, ""),
    (ILL, MEDICAL, QUESTION, ""),
    (ILL, UNAUTHORISED, QUESTION, ""),
    (PRESENT, MISSING, QUESTION, ""),
    (MISSING, PRESENT, QUESTION, ""),
    (ILL, LATE, QUESTION, ""),
    (MISSING, LEFT_SITE, QUESTION, ""),
    (TAUGHT, MISSING, QUESTION, ""),
    (AT_SCHOOL, PRESENT, QUESTION, ""),
    (MISSING, AT_SCHOOL, QUESTION, ""),
]


class TestTheTable:
    @pytest.mark.parametrize(("first", "second", "expected", "note"), TABLE)
    def test_two_lessons_of_one_morning(
        self, first: Fact, second: Fact, expected: Fact | str, note: str
    ) -> None:
        folded = fold_fact([Reading(FIRST, first), Reading(SECOND, second)])
        if isinstance(expected, str):
            both = {first.outcome, second.outcome}
            unknown = both & {Outcome.NOT_YET_TAKEN, Outcome.NOT_READ}
            partly = Outcome.CANCELLED in both
            what = (
                "Not all of it took place"
                if partly
                else "Not all of it is known"
                if unknown
                else "The lessons disagree"
            )
            assert folded.disagreement.startswith(f"{what}: 09:00 ")
            assert (folded.fact.outcome is Outcome.CANCELLED) is partly
            assert (folded.fact.outcome in unknown) is bool(unknown)
            return
        said = folded.fact
        assert folded.disagreement == ""
        assert (said.outcome, said.reason, said.minutes) == (
            expected.outcome,
            expected.reason,
            expected.minutes,
        )
        assert said.note == note

    def test_a_question_shows_the_gravest_of_its_facts(self) -> None:
        assert fold_fact([Reading(FIRST, PRESENT), Reading(SECOND, MISSING)]).fact.outcome is Outcome.ABSENT
        assert (
            fold_fact([Reading(FIRST, MISSING), Reading(SECOND, LEFT_SITE)]).fact.outcome is Outcome.LEFT_SITE
        )
        unexplained = fold_fact([Reading(FIRST, ILL), Reading(SECOND, UNAUTHORISED)])
        assert unexplained.fact.reason is ReasonKind.UNAUTHORISED

    def test_a_known_reason_covers_only_lessons_of_the_same_kind(self) -> None:
        online = lesson("10:00", "11:00", mode=Mode.ONLINE)
        mentoring = lesson("10:00", "11:00", nature=Nature.MENTORING)
        assert fold_fact([Reading(FIRST, ILL), Reading(online, MISSING)]).disagreement
        assert fold_fact([Reading(FIRST, ILL), Reading(mentoring, MISSING)]).disagreement

    def test_missing_one_online_lesson_and_joining_another_is_a_question(self) -> None:
        one, two = lesson("09:00", "10:00", mode=Mode.ONLINE), lesson("10:00", "11:00", mode=Mode.ONLINE)
        assert fold_fact([Reading(one, MISSING), Reading(two, ONLINE)]).disagreement
        assert fold_fact([Reading(FIRST, MISSING), Reading(two, ONLINE)]).disagreement == ""

    def test_the_words_of_all_lessons_are_kept_once(self) -> None:
        first = Fact(Outcome.PRESENT, note="settled well", provider_word="Full")
        second = Fact(Outcome.PRESENT, note="settled well", provider_word="Full")
        third = Fact(Outcome.LATE, minutes=5, provider_word="Late")
        fact = fold_fact([Reading(THIRD, third), Reading(SECOND, second), Reading(FIRST, first)]).fact
        assert fact.note == "settled well; 11:00 arrived 5 minutes late"
        assert fact.provider_word == "Full / Late"

    @pytest.mark.parametrize("outcomes", list(itertools.product(Outcome, repeat=2)))
    def test_is_total(self, outcomes: tuple[Outcome, Outcome]) -> None:
        facts = [
            Fact(outcome, ReasonKind.UNKNOWN if outcome is Outcome.ABSENT else ReasonKind.NOT_APPLICABLE)
            for outcome in outcomes
        ]
        folded = fold_fact([Reading(FIRST, facts[0]), Reading(SECOND, facts[1])])
        assert folded.fact.outcome in {*outcomes, Outcome.PRESENT}
        if outcomes[0] is outcomes[1]:
            assert (folded.fact.outcome, folded.disagreement) == (outcomes[0], "")


class TestHalves:
    @pytest.mark.parametrize(
        ("starts", "ends", "halves"),
        [
            ("09:00", "12:00", (Half.AM,)),
            ("13:00", "15:30", (Half.PM,)),
            ("11:00", "14:00", (Half.AM, Half.PM)),
            ("08:00", "09:00", ()),
            ("12:00", "13:00", ()),
            ("15:30", "17:00", ()),
            ("16:00", "17:00", ()),
            ("09:30", "13:10", (Half.AM,)),
            ("11:50", "15:00", (Half.PM,)),
            ("15:00", "17:00", (Half.PM,)),
            ("11:45", "13:15", (Half.AM, Half.PM)),
        ],
    )
    def test_of_a_lesson(self, starts: str, ends: str, halves: tuple[Half, ...]) -> None:
        assert halves_of(lesson(starts, ends), HOURS) == halves
        assert half_of(lesson(starts, ends), HOURS) == (halves[0] if halves else None)

    def test_hours_out_of_order_are_refused(self) -> None:
        with pytest.raises(ValueError, match="not in order"):
            SchoolHours(time(9), time(8), time(13), time(15))


class TestTheLine:
    def test_two_lessons_that_agree_are_one_line_with_a_code(self) -> None:
        """Trap 17, the agreeing half."""
        told = line([entry(PRESENT, SECOND), entry(PRESENT, FIRST)])
        assert (told.starts, told.ends, told.half) == (time(9), time(11), Half.AM)
        assert (told.fact.outcome, told.suggestion.code, told.disagreement) == (Outcome.PRESENT, "B", "")

    def test_two_lessons_that_disagree_are_a_question_without_a_code(self) -> None:
        """Trap 17, the contradicting half."""
        told = line([entry(PRESENT, FIRST), entry(MISSING, SECOND)])
        assert told.suggestion.code == ""
        assert told.suggestion.question == told.disagreement
        assert told.disagreement == (
            "The lessons disagree: 09:00 attended, 10:00 did not attend (reason not known)."
        )

    def test_a_twilight_lesson_earns_no_code(self) -> None:
        told = line([entry(PRESENT, lesson("16:00", "17:00"))], Half.OUTSIDE)
        assert told.suggestion.code == ""
        assert "outside the school's hours" in told.suggestion.why

    def test_the_same_facts_suggest_another_code_to_a_council(self) -> None:
        council = RecipientContext(ArrangedBy.COUNCIL, Registration.HOME, Purpose.COUNCIL)
        assert line([entry(PRESENT)], context=council).suggestion.code == "K"

    def test_only_the_newest_version_speaks(self) -> None:
        told = line([entry(LATE, version=3), entry(PRESENT, version=1), entry(MISSING, version=2)])
        assert told.fact.outcome is Outcome.LATE

    def test_actions_of_all_lessons_stand_once_in_order_of_time(self) -> None:
        call = Action(instant("09:20"), "called home", "no answer")
        text = Action(instant("09:10"), "text sent")
        told = line([entry(MISSING, FIRST, actions=(call, text)), entry(MISSING, SECOND, actions=(call,))])
        assert told.actions == (text, call)

    def test_needs_a_lesson_of_that_half_and_one_placement(self) -> None:
        with pytest.raises(ValueError, match="one placement, day and half"):
            line([entry(PRESENT)], Half.PM)

    def test_a_day_folds_into_the_lines_that_it_has(self) -> None:
        entries = [
            entry(PRESENT, FIRST),
            entry(MISSING, AFTERNOON),
            entry(PRESENT, lesson("17:00", "18:00")),
            entry(PRESENT, lesson("09:00", "10:00", day=date(2026, 3, 4))),
        ]
        lines = fold_day(entries, hours=HOURS, day=TUESDAY, context=CONTEXT)
        assert [told.half for told in lines] == [Half.AM, Half.PM, Half.OUTSIDE]
        assert [told.suggestion.code for told in lines] == ["B", "N", ""]

    @given(
        st.lists(
            st.builds(
                lambda outcome, reason, of, version, note: entry(
                    Fact(
                        outcome, reason if outcome is Outcome.ABSENT else ReasonKind.NOT_APPLICABLE, note=note
                    ),
                    of,
                    version=version,
                ),
                st.sampled_from(Outcome),
                st.sampled_from(ReasonKind),
                st.sampled_from([FIRST, SECOND, THIRD, WHOLE_DAY]),
                st.integers(1, 3),
                st.sampled_from(["", "a", "b"]),
            ),
            min_size=1,
            max_size=8,
        ),
        st.integers(),
    )
    def test_the_order_of_arrival_never_matters(self, entries: list[Entry], seed: int) -> None:
        shuffled = list(entries)
        Random(seed).shuffle(shuffled)
        told, again = (
            fold_day(some, hours=HOURS, day=TUESDAY, context=CONTEXT) for some in (entries, shuffled)
        )
        assert told == again
        assert all(not told_line.suggestion.code for told_line in told if told_line.disagreement)


class TestAWholeDayMark:
    """Trap 16: it states only the half day in which it was taken."""

    def halves(self, fact: Fact, *actions: Action, taken: str = "") -> tuple[SessionEntry, SessionEntry]:
        one = entry(fact, WHOLE_DAY, actions=actions, taken=taken)
        return line([one], Half.AM), line([one], Half.PM)

    def test_taken_in_the_morning_leaves_the_afternoon_open(self) -> None:
        am, pm = self.halves(PRESENT, taken="09:45")
        assert (am.fact.outcome, am.suggestion.code) == (Outcome.PRESENT, "B")
        assert (pm.fact.outcome, pm.suggestion.code) == (Outcome.NOT_CHECKED_AGAIN, "")
        assert (am.starts, am.ends, pm.starts, pm.ends) == (time(9, 30), time(12), time(13), time(14, 30))

    def test_without_a_time_it_was_taken_at_the_beginning(self) -> None:
        am, pm = self.halves(PRESENT)
        assert (am.fact.outcome, pm.fact.outcome) == (Outcome.PRESENT, Outcome.NOT_CHECKED_AGAIN)

    def test_taken_in_the_afternoon_leaves_the_morning_open(self) -> None:
        am, pm = self.halves(PRESENT, taken="13:05")
        assert (am.fact.outcome, pm.fact.outcome) == (Outcome.NOT_CHECKED_AGAIN, Outcome.PRESENT)

    @pytest.mark.parametrize("kind", [SECOND_CHECK, DEPARTED])
    def test_a_second_check_or_a_departure_in_the_afternoon_states_it(self, kind: str) -> None:
        am, pm = self.halves(LATE, Action(instant("13:10"), kind), taken="09:45")
        # The lateness was the morning's.
        assert (am.fact.outcome, pm.fact.outcome, pm.fact.minutes) == (Outcome.LATE, Outcome.PRESENT, None)

    def test_a_register_closed_when_the_lesson_was_over_states_both(self) -> None:
        am, pm = self.halves(PRESENT, taken="14:35")
        assert (am.suggestion.code, pm.suggestion.code) == ("B", "B")

    def test_an_unexplained_absence_is_read_for_its_half_and_an_illness_for_the_day(self) -> None:
        am, pm = self.halves(MISSING, taken="09:45")
        assert (am.suggestion.code, pm.fact.outcome) == ("N", Outcome.NOT_CHECKED_AGAIN)
        am, pm = self.halves(ILL, taken="09:45")
        assert (am.suggestion.code, pm.suggestion.code) == ("I", "I")

    def test_cancelled_is_no_reading_of_a_room(self) -> None:
        am, pm = self.halves(CANCELLED, taken="08:00")
        assert am.fact.outcome is pm.fact.outcome is Outcome.CANCELLED

    def test_leaving_early_is_told_for_the_half_in_which_it_happened(self) -> None:
        am, pm = self.halves(LEFT_EARLY, Action(instant("14:00"), DEPARTED))
        assert (am.fact.outcome, pm.fact.outcome) == (Outcome.PRESENT, Outcome.LEFT_EARLY)
        am, pm = self.halves(LEFT_EARLY, Action(instant("11:00"), DEPARTED))
        assert (am.fact.outcome, pm.fact.outcome) == (Outcome.LEFT_EARLY, Outcome.NOT_CHECKED_AGAIN)
        am, pm = self.halves(LEFT_EARLY)
        assert (am.fact.outcome, pm.fact.outcome) == (Outcome.LEFT_EARLY, Outcome.NOT_CHECKED_AGAIN)

    def test_a_child_who_left_the_site_in_the_morning_is_not_back_by_itself(self) -> None:
        am, pm = self.halves(LEFT_SITE, taken="11:00")
        assert am.fact.outcome is pm.fact.outcome is Outcome.LEFT_SITE

    def test_arriving_in_the_afternoon_was_a_morning_missed(self) -> None:
        am, pm = self.halves(Fact(Outcome.LATE, minutes=220), taken="13:10")
        assert (am.fact.outcome, am.fact.reason, am.suggestion.code) == (
            Outcome.ABSENT,
            ReasonKind.UNKNOWN,
            "N",
        )
        assert (pm.fact.outcome, pm.fact.minutes) == (Outcome.LATE, 10)
