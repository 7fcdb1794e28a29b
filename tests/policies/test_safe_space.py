"""A week at Safe Space: five plain words, in person and online; an absence or a cancelled lesson at once."""

import pytest

from aphub.domain.outcomes import ReasonKind
from tests.policies.week import Mark, PlayWeek, child

pytestmark = pytest.mark.slow

YARD = "Mon-Fri 09:15-11:45 in person @ The Yard"
TWO = "Mon-Fri 09:15-10:15 in person @ The Yard; Mon-Fri 10:30-11:45 in person @ The Yard"
ONLINE = "Mon-Fri 10:00-11:00 online"
NO_CODE_ONLINE = "took part online; no attendance code, your school decides"


def test_a_week_at_safe_space(week_at: PlayWeek):  # noqa: PLR0915 - a week is one story
    week = week_at(
        "safe-space",
        Ada=child("hill-school", TWO, "end-of-day", nature="mentoring"),
        Bo=child("hill-school", YARD, "end-of-day", nature="1:1 tuition at centre", risk="yes"),
        Cy=child("kestrel-academy", ONLINE, "end-of-day", nature="online"),
        Di=child("kestrel-academy", ONLINE, "end-of-day", nature="online"),
    )
    expect = week.expect

    # Monday: all is well, so each school hears once, when its day is complete. Online is never attendance.
    week.at("Mon 09:18").register("09:15", Ada=Mark("Late", minutes="6"), Bo=Mark("Late", minutes="15"))
    expect.quiet("Mon 10:03")
    week.register("10:00", Cy="Present", Di="Present")
    online = {"Cy": NO_CODE_ONLINE, "Di": NO_CODE_ONLINE}
    expect.message("routine", to="kestrel-academy", by="Mon 16:00", at="Mon 10:03", about=online)
    week.at("Mon 10:33").register("10:30", Ada="Present")
    expect.message(
        "routine",
        to="hill-school",
        by="Mon 16:00",
        at="Mon 10:33",
        about={
            "Ada": "Morning, 9:15am to 11:45am: arrived 6 minutes late => B",
            "Bo": "arrived 15 minutes late => B",
        },
    )
    expect.quiet("Mon 18:00")

    # Tuesday: a mentor is ill. What is cancelled, and who is missing, is told at once, before the day is complete.
    week.at("Tue 08:40").register("10:00", Cy="Session cancellation")
    off = "lesson cancelled by us, pupil not in our building"
    expect.message("alert", to="kestrel-academy", by="Tue 08:55", at="Tue 08:40", about={"Cy": off})
    gone = Mark("Unauthorised absence", did="09:17 phoned home, no answer")
    week.at("Tue 09:18").register("09:15", Ada="Present", Bo=gone)
    missing = "did not attend, no reason given to us; our register says 'unauthorised'; 9:17am phoned home, no answer"
    expect.message("alert", to="hill-school", by="Tue 09:30", at="Tue 09:18", about={"Bo": f"{missing} => N"})
    # A concern is known of this one: nobody has answered, so the safeguarding lead is told within half an hour.
    bo = expect.steps("Bo", "missing", call_home="09:23", call_school="09:23", tell_dsl="09:45")
    week.at("Tue 09:20").called(bo["call_home"], "no answer")
    week.called(bo["call_school"], "answered", "Mr Example, office", repeated=True)
    week.at("Tue 09:36").done(bo["tell_dsl"], "known to a social worker")
    week.at("Tue 10:03").register("10:00", Di="Did not log in")
    di = expect.steps("Di", "missing", call_home="10:08", call_school="10:08")
    week.called(di["call_home"], "answered", "Ms Example, mother", safe=True, reason=ReasonKind.ILL)
    expect.message(
        "routine",
        to="kestrel-academy",
        by="Tue 10:15",
        about={"Cy": off, "Di": "did not attend, reason not known => N"},
    )
    told = "did not attend, ill; 10:03am phoned home, answered; From: home. By: Jo Weaver, 10:03am => I"
    expect.message("update", to="kestrel-academy", by="Tue 10:20", about={"Di": told})
    # Half of a morning is cancelled: the school must know that the pupil is not in the building for all of it.
    week.at("Tue 10:20").register("10:30", Ada="Cancelled - tutor")
    half = "not all of it took place: 09:15 attended, 10:30 lesson cancelled by us"
    expect.message(
        "routine",
        to="hill-school",
        by="Tue 10:35",
        at="Tue 10:20",
        about={"Ada": half, "Bo": f"{missing} => N"},
    )
    expect.quiet("Tue 18:00")

    # Wednesday: "authorised" alone supports no code. With its reason it does; without, a person is asked.
    week.at("Wed 08:00")
    expect.task("find_reason", by="Wed 12:00", about="Bo")
    week.at("Wed 09:18").register(
        "09:15", Ada=Mark("Authorised absence", reason="dentist"), Bo="Authorised absence"
    )
    asked = expect.question("needs_reason")
    not_read = "a mark in our register could not be read; We will do: ask what the mark means, and tell you"
    expect.message("alert", to="hill-school", by="Wed 09:30", at="Wed 09:28", about={"Bo": not_read})
    week.at("Wed 09:40").answer(asked, "ill")
    week.at("Wed 10:03").register("10:00", Cy="Could not connect", Di="Present")
    help_them = expect.steps("Cy", "could-not-join", help="10:08")
    week.called(help_them["help"], "answered", "Mr Example, father")
    told = "could not join online (technical fault); 10:03am phoned home, answered"
    technical = "could not join online (technical fault); no attendance code, your school decides"
    expect.message(
        "routine", to="kestrel-academy", by="Wed 16:00", about={"Cy": technical, "Di": NO_CODE_ONLINE}
    )
    expect.message("update", to="kestrel-academy", by="Wed 10:20", about={"Cy": told})
    # Missed the first lesson, came to the second: the lessons disagree, so no code is guessed.
    week.at("Wed 10:33").register("10:30", Ada="Present")
    differ = (
        "not clear, the lessons disagree: 09:15 did not attend (medical or dental appointment), 10:30 attended; "
        "We will do: ask which of our marks holds, and tell you"
    )
    expect.message(
        "routine",
        to="hill-school",
        by="Wed 10:45",
        about={"Ada": differ, "Bo": "did not attend, ill; now 'did not attend, ill' => I"},
    )
    expect.quiet("Wed 18:00")

    # Thursday: nobody writes anything down for those online. By the end of the day the school has heard of everybody.
    week.at("Thu 09:18").register("09:15", Ada=Mark("Late", minutes="9"), Bo="Present")
    week.at("Thu 10:05")
    expect.task("take_register", by="Thu 10:00", says="Ash Pelham, office: nobody has taken the register")
    not_taken = {"Cy": "register not yet taken", "Di": "register not yet taken"}
    expect.message("alert", to="kestrel-academy", by="Thu 10:15", about=not_taken)
    week.at("Thu 10:33").register("10:30", Ada="Present")
    late = {"Ada": "arrived 9 minutes late => B", "Bo": "attended => B"}
    expect.message("routine", to="hill-school", by="Thu 16:00", at="Thu 10:33", about=late)
    expect.message("routine", to="kestrel-academy", by="Thu 16:00", at="Thu 15:58", about=not_taken)
    week.at("Thu 16:30").register("10:00", Cy="Present", Di="Present")
    expect.message(
        "update",
        to="kestrel-academy",
        by="Thu 16:45",
        about={"Cy": "was 'register not yet taken', now 'took part online'", "Di": "took part online"},
    )
    expect.quiet("Thu 18:00")

    # Friday: a pupil will not work. That is presence with a note of the provider's own, which stays with the provider.
    week.at("Fri 09:18").register("09:15", Ada=Mark("Late", minutes="7"), Bo="Refusal to engage")
    # The third time late in twenty days: somebody asks why, and the summary of patterns names it too.
    expect.steps("Ada", "often-late", explore="next Tue 16:00")
    week.at("Fri 10:03").register("10:00", Cy="Present", Di="Present")
    expect.message("routine", to="kestrel-academy", by="Fri 16:00", about=online)
    week.at("Fri 10:33").register("10:30", Ada="Present")
    late["Ada"] = "arrived 7 minutes late => B"
    said = expect.message("routine", to="hill-school", by="Fri 16:00", about=late)
    assert "engage" not in said.text

    # Once the last day is complete, each school has the week in figures.
    for school, names in (("hill-school", ("Ada", "Bo")), ("kestrel-academy", ("Cy", "Di"))):
        said = expect.message(
            "summary", to=school, by="Fri 16:30", at="Fri 16:28", about=dict.fromkeys(names, "")
        )
        # Taking part online is no attendance in person; a lesson that we cancelled was not offered.
        shown = {"hill-school": "78.6% (11 of 14)", "kestrel-academy": "Took part online 7 70.0%"}
        assert shown[school] in said.text

    # Persistent absence, over four weeks and eight lessons at least: meeting, adjusted plan, referral back, other agencies.
    week.at("Fri 18:00")
    expect.steps(
        "Ada",
        "persistent",
        meet="next Fri 16:00",
        plan="Fri +2 16:00",
        refer_back="Fri +5 16:00",
        agencies="Fri +7 16:00",
    )
    expect.the_end()
