"""One case a pupil and day: what raises it, what people do about it, and what schools read of that."""

from datetime import date, timedelta

import pytest

from aphub.domain.errors import AphubError
from aphub.domain.ladders import Trigger
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.reports import REASON_WORDS
from aphub.services import case_acts, case_views, waits
from aphub.store import tables as t
from tests.ladders import JO, LEFT, MISSING, absent, missing, phoned, roles
from tests.told import text_of
from tests.world import PROVIDER, TWO_A_DAY, School

ROLES = roles(leadership="Kim Hart, head") + '\n[calls]\norder = ["mother", "uncle"]\n'


@pytest.fixture
def world(make_world):
    return make_world(provider=PROVIDER + ROLES + MISSING + LEFT)


def cases(world):
    return case_views.cases_on(world.desk, over=True)


def test_eight_of_twenty_absent_are_eight_cases_and_not_sixty_tasks(world):
    pupils = [world.pupil() for _ in range(20)]
    world.owe()
    world.at("09:05")
    world.enter(pupils[8:])
    absent(world, *pupils[:8])
    waiting = [one for one in waits.waiting(world.desk) if one.kind == "case"]
    assert len(waiting) == len(cases(world)) == 8
    assert len(world.steps()) == 8  # one thing to do a case; what comes later comes later
    assert all("Phone home" in one.words and "And 1 more" in one.words for one in waiting)
    absent(world, *pupils[:8])  # the same news again
    assert len(cases(world)) == 8
    assert world.said().count("case.raised") == 8
    assert world.tasks() == []
    assert world.verify().ok


def test_steps_open_in_their_time_and_what_nobody_does_goes_to_whom_the_policy_names(world):
    missing(world)
    [line] = cases(world)
    assert (line.next_step, line.owner) == (
        "Phone home. The numbers are in your own file.",
        "the office",
    )
    assert line.due.hour == 9
    assert line.due.minute == 15
    world.at("09:15")
    assert not cases(world)[0].overdue
    world.at("09:16")
    [line] = cases(world)
    assert (line.overdue, line.also) == (True, "Kim Hart, head")
    assert [row.name for row in world.steps()] == ["call-home"]
    world.at("09:30")
    assert [row.name for row in world.steps()] == ["call-home", "tell-dsl"]
    assert world.said().count("step.overdue") == 1
    case_acts.acknowledge(world.desk, line.ref, "Kim Hart, head")
    assert cases(world)[0].taken_by == "Kim Hart, head"
    with pytest.raises(AphubError, match="acknowledged already"):
        case_acts.acknowledge(world.desk, line.ref, JO)


def test_what_was_done_stands_in_the_next_update_and_calls_keep_their_order(world):
    missing(world)
    [line] = cases(world)
    world.at("09:11")
    told = phoned(world, line.ref, "no_answer")
    assert told == "Kept: no answer. Next: uncle, from 9:11am."
    world.at("09:14")
    told = phoned(world, line.ref, "voicemail", said="secret words")
    assert "never names a pupil" in told
    assert "Everybody was tried" in told
    assert len(world.dispatches()) == 1  # schools are not told of every ring
    world.at("09:32")
    [step] = world.steps()
    case_acts.do_step(world.desk, step.ref, JO, "she will ring back")
    world.go()
    [line] = cases(world)
    assert (line.state, line.to_do, line.done) == ("cleared", 0, 2)
    text = text_of(world.sides.to("far")[-1])
    assert "9:11am phoned home, no answer" in text
    assert "9:14am phoned home, voicemail, no pupil named" in text
    assert "9:32am told our safeguarding lead" in text
    assert "secret words" not in text
    world.at("10:30").at("12:00")
    assert [kind for kind, _, _ in world.states()] == ["routine", "update"]
    assert world.said().count("call.made") == 2
    assert world.verify().ok


def test_reason_given_on_the_telephone_ends_the_chase_and_reaches_the_school(world):
    sam = missing(world, slots=TWO_A_DAY)
    [line] = cases(world)
    world.at("09:12")
    assert "The register says so now" in phoned(world, line.ref, reason=ReasonKind.ILL)
    world.go()
    [line] = cases(world)
    assert line.state == "cleared"
    assert world.steps() == world.steps("later") == []
    world.at("09:43")
    text = text_of(world.sides.to("far")[-1])
    assert REASON_WORDS[ReasonKind.ILL] in text
    assert "9:12am phoned home, answered" in text
    world.at("13:02")
    absent(world, sam, starts="13:00", reason=ReasonKind.ILL)
    assert len(cases(world)) == 1


def test_pupil_who_comes_later_is_not_chased_any_more(world):
    sam = missing(world, slots=TWO_A_DAY)
    world.at("13:01")
    world.enter(sam, starts="13:00")
    world.go()
    [line] = cases(world)
    assert (line.state, line.because) == ("cleared", "what raised it no longer holds")
    assert world.steps() == []


def test_absence_of_the_morning_carries_over_to_the_afternoon_in_one_case(world):
    sam = missing(world, slots=TWO_A_DAY)
    world.at("13:02")
    absent(world, sam, starts="13:00")
    assert len(cases(world)) == 1
    assert len(world.rows(t.steps)) == 2


def test_mark_put_right_within_the_minute_leaves_no_case_open(world):
    sam = missing(world)
    world.enter(sam)
    world.go()
    assert cases(world)[0].state == "cleared"
    absent(world, sam)
    assert cases(world)[0].state == "cleared"  # its ladder was gone through; the school is told all the same


def test_left_site_then_found_safe_is_told_by_the_same_routes(world):
    sam = world.pupil()
    world.owe()
    world.at("10:20")
    world.enter(sam, outcome=Outcome.LEFT_SITE)
    world.go()
    assert [row.name for row in world.steps()] == ["search", "call-home", "tell-head", "incident"]
    [line] = cases(world)
    names = {row.name: row.ref for row in world.steps()}
    phoned(world, names["call-home"])
    case_acts.do_step(world.desk, names["tell-head"], JO)
    world.at("10:40")
    case_acts.found_safe(world.desk, line.ref, JO, said="in the park")
    world.go()
    left = {row.name: row.words for row in world.steps()}
    assert set(left) == {"incident", "safe-call-home", "safe-tell-head"}
    assert left["safe-tell-head"] == "Tell the leadership again: the pupil is found and safe"
    text = text_of(world.sides.to("far")[-1])
    assert "10:40am found safe" in text
    assert "the pupil is found and safe" in text
    assert "look for the pupil" not in text
    assert "in the park" not in text
    with pytest.raises(AphubError, match="found at 10:40am"):
        case_acts.found_safe(world.desk, line.ref, JO)
    for row in world.steps():
        case_acts.do_step(world.desk, row.ref, JO)
    assert cases(world)[0].state == "cleared"
    assert world.verify().ok


def test_suppressed_pupil_who_left_the_site_is_never_forgotten(world):
    """Nothing is sent of such a pupil, so the case must not hang on a message."""
    sam = world.pupil(suppressed=True)
    world.owe()
    world.at("10:20")
    world.enter(sam, outcome=Outcome.LEFT_SITE)
    world.go()
    assert world.dispatches() == []
    [line] = cases(world)
    assert "left our site" in line.about
    assert world.steps(act="phone_home")
    view = case_views.case_view(world.desk, line.ref, JO)
    assert view.pupil == case_views.DO_NOT_SHARE
    assert "Example" not in str([step.script for step in view.steps])


def test_school_whose_first_way_writes_its_register_still_has_its_pupils_followed_up(make_world):
    ways = (("mis", "told-register", "mis"), ("email", "told", "far"))
    world = make_world(schools=[School(channels=ways)], provider=PROVIDER + ROLES + MISSING)
    missing(world)
    assert world.steps(act="phone_home")
    assert [channel for _, channel, _ in world.states()] == ["email"]


def test_without_ladders_of_its_own_a_provider_still_phones_about_a_child_who_left_or_is_at_risk(make_world):
    world = make_world()
    sam, alex, robin = world.pupil(), world.pupil(risk=True), world.pupil()
    world.owe()
    world.at("09:02")
    absent(world, sam, alex)
    world.enter(robin, outcome=Outcome.LEFT_SITE)
    world.go()
    assert {row.ladder for row in world.steps()} == {"standard-missing", "standard-left"}
    assert len(cases(world)) == 2


def test_who_phones_home_first_stands_in_the_agreement(make_world):
    terms = {"daily": 'cadence = "daily"\ndue = "09:45"\nfirst_caller = "school"'}
    world = make_world(agreements=terms, provider=PROVIDER + ROLES + MISSING)
    missing(world)
    assert world.steps()[0].words == "Ask the school, which phones home first. Phone home."


def test_two_watchers_raise_a_case_once_and_an_idle_look_writes_nothing(world):
    missing(world)
    before = world.said()
    world.go()
    world.wait(timedelta(seconds=30))
    assert world.said() == before


def test_call_must_say_one_thing(world):
    missing(world)
    ref = cases(world)[0].ref
    with pytest.raises(AphubError, match="needs a name"):
        phoned(world, ref, answered_by=" ")
    with pytest.raises(AphubError, match="nobody said that"):
        phoned(world, ref, "no_answer", reason=ReasonKind.ILL)
    with pytest.raises(AphubError, match="no case"):
        phoned(world, "ZZZZZZZZ")
    with pytest.raises(AphubError, match="not come yet"):
        phoned(world, ref, at=world.desk.now + timedelta(hours=1))
    with pytest.raises(AphubError, match="needs its reason"):
        case_acts.skip_step(world.desk, world.steps()[0].ref, JO, " ")
    assert world.rows(t.calls) == []


def test_person_may_leave_a_step_out_with_a_reason_and_their_name(world):
    missing(world)
    [line] = cases(world)
    case_acts.skip_step(world.desk, world.steps()[0].ref, JO, "mother is at the door")
    view = case_views.case_view(world.desk, line.ref, JO)
    assert view.steps[0].state == "cleared"
    assert (view.steps[0].by, view.steps[0].said) == (JO, "mother is at the door")
    assert date(2026, 3, 3) == view.line.day


def test_whatever_raises_a_case_has_words_for_it():
    assert set(case_views.TRIGGER_WORDS) == set(Trigger)
