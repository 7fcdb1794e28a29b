"""A week at YPM: present and absent alike within 15 minutes, by email; no-roll pupils to the council."""

import pytest

from aphub.domain.stretches import Every
from aphub.services.audits import Wanted, audit
from aphub.store import tables as t
from tests.policies.week import OFFICE, Mark, PlayWeek, Week, child

pytestmark = pytest.mark.slow

MILL = "Mon-Fri 09:30-11:45 in person @ The Mill"
NO_ROLL = {"arranged_by": "council", "power": "s.19", "registration": "no roll"}
NO_ANSWER = Mark("Absent", reason="no answer", did="09:36 phoned home, no answer")
NOT_TAKEN = "register not yet taken; We will do: take the register, and tell you what it says"


def test_a_week_at_ypm(week_at: PlayWeek):
    week = played(week_at)

    # The weekly percentage: sums over sums, and who is under the limit.
    paper = audit(week.desk, "weekly-percentage", Wanted(Every.WEEK, week.monday, OFFICE))
    by_week, under = paper.tables()
    assert [str(row[1]) for row in by_week.rows] == ["75.0%", "60.0%", "100.0%", "75.0%"]
    assert [str(row[0]).partition(" ")[0] for row in under.rows] == ["Lee", "Max", "Ola"]


def played(week_at: PlayWeek) -> Week:  # noqa: PLR0915 - a week is one story
    """Play the week to its end; its ledger is what others verify too."""
    week = week_at(
        "ypm",
        Lee=child("hill-school", MILL, "start-plus-15"),
        Max=child("hill-school", MILL, "start-plus-15"),
        Nia=child("westmarsh", MILL, "start-plus-15", **NO_ROLL),
        Ola=child("westmarsh", MILL, "start-plus-15", **NO_ROLL),
    )
    expect = week.expect

    # Monday: everybody is there. Present is news too, for the school and for the council's own mailbox.
    week.at("Mon 09:33").register("09:30", Lee="Present", Max="Present", Nia="Present", Ola="Present")
    both = {"Lee": "attended => B", "Max": "attended => B"}
    expect.message("routine", to="hill-school", by="Mon 09:45", about=both)
    expect.message("routine", to="westmarsh", by="Mon 09:45", about={"Nia": "attended", "Ola": "attended"})
    expect.quiet("Mon 18:00")

    # Tuesday: one at each is missing. Told within the same 15 minutes, with what was done about it.
    week.at("Tue 09:38").register("09:30", Lee="Present", Max=NO_ANSWER, Nia="Present", Ola=NO_ANSWER)
    expect.task("take_register", by="Tue 09:45", says="Jo Weaver", done=True)
    missing = "did not attend, reason not known; We have done: 9:36am phoned home, no answer"
    told = expect.message(
        "routine",
        to="hill-school",
        by="Tue 09:45",
        about={"Lee": "attended => B", "Max": f"{missing} => N"},
        says=("ACTION NEEDED: 1 pupil", "Reply OK or phone us to confirm"),
    )
    expect.message("routine", to="westmarsh", by="Tue 09:45", about={"Nia": "attended", "Ola": missing})

    # Emergency contacts within those 15 minutes, the safeguarding lead within the hour; the police only for a pupil on no
    # roll, and only as the lead advises.
    away = expect.steps(
        "Max", "missing", call_contacts="09:45", call_school="10:00", tell_dsl="10:30", offer_work="16:00"
    )
    ola = expect.steps(
        "Ola", "missing", call_contacts="09:45", tell_dsl="10:30", police="11:30", offer_work="16:00"
    )
    week.at("Tue 09:42").called(ola["call_contacts"], "no answer")
    # The school says that it has the message, so nobody need phone it.
    week.at("Tue 09:50").confirmed(told, "Ms Example, attendance officer")
    [phone] = week.rows(t.steps, ref=away["call_school"].ref)
    assert (phone.state, phone.result) == ("cleared", "the school has the message")
    week.at("Tue 10:02").done(ola["tell_dsl"])
    # The reason comes at ten: the school hears at once what is new, about that pupil alone, and no call is forgotten.
    week.at("Tue 10:05").register(
        "09:30", Max=Mark("Absent", reason="ill", did="10:02 phoned home, spoke to mum")
    )
    expect.message(
        "update",
        to="hill-school",
        by="Tue 10:20",
        about={
            "Max": "did not attend, ill; 9:36am phoned home, no answer; 10:02am phoned home, answered; "
            "Changed: Tuesday 10 March, morning: was 'did not attend, reason not known', now 'did not attend, ill' => I"
        },
    )
    expect.quiet("Tue 18:00")

    # Wednesday: one of yesterday's absences has no reason yet, so somebody asks. Nobody takes the register: a named person is warned ten minutes before, the school at the time.
    week.at("Wed 08:00")
    expect.task("find_reason", by="Wed 12:00", about="Ola", says="has no reason after 1 school day")
    expect.quiet("Wed 09:34")
    week.at("Wed 09:35")
    expect.task("take_register", by="Wed 09:45", says="Jo Weaver, office: nobody has taken the register")
    nobody = {"Lee": NOT_TAKEN, "Max": NOT_TAKEN}
    expect.message("routine", to="hill-school", by="Wed 09:45", at="Wed 09:43", about=nobody)
    expect.message("routine", to="westmarsh", by="Wed 09:45", about={"Nia": NOT_TAKEN, "Ola": NOT_TAKEN})
    week.at("Wed 09:58").register(
        "09:30", Lee=Mark("Late", minutes="20"), Max="Present", Nia="Present", Ola="Present"
    )
    expect.message(
        "update",
        to="hill-school",
        by="Wed 10:05",
        about={"Lee": "arrived 20 minutes late; was 'register not yet taken' => B", "Max": "attended => B"},
    )
    expect.message("update", to="westmarsh", by="Wed 10:05", about={"Nia": "attended", "Ola": "attended"})
    week.at("Wed 11:00").register("09:30", on="Tue", Ola=Mark("Absent", reason="ill"))
    expect.message(
        "update",
        to="westmarsh",
        by="Wed 11:15",
        about={"Ola": "did not attend, ill; Changed: Tuesday 10 March, morning"},
    )
    expect.quiet("Wed 18:00")

    # Thursday: a tutor is ill before the lesson; later one pupil walks out. Both are told at once, the second by phone too.
    off = "lesson cancelled by us, pupil not in our building"
    week.at("Thu 08:50").register("09:30", Lee="Tutor off", Ola="Tutor off")
    expect.message("alert", to="hill-school", by="Thu 09:05", about={"Lee": off})
    expect.message("alert", to="westmarsh", by="Thu 09:05", about={"Ola": off})
    for name in ("Lee", "Ola"):
        work = expect.steps(name, "cancelled", offer_work="16:00")
        week.done(work["offer_work"])
    # What was done about a cancelled lesson sends no second alert: it stands in the report that is due anyway.
    week.at("Thu 09:34").register("09:30", Max="Present", Nia="Present")
    offered = f"{off}; offered work to do at home"
    expect.message(
        "routine", to="hill-school", by="Thu 09:45", about={"Lee": offered, "Max": "attended => B"}
    )
    expect.message("routine", to="westmarsh", by="Thu 09:45", about={"Nia": "attended", "Ola": offered})
    week.at("Thu 10:20").register("09:30", Max="Walked out")
    expect.message(
        "correction", to="hill-school", by="Thu 10:35", about={"Max": "left our site without leave"}
    )
    left = expect.steps(
        "Max", "left", call_home="10:25", tell_dsl="10:25", incident_report="16:00", acknowledge="Fri 12:00"
    )
    week.at("Thu 10:23").called(left["call_home"], "answered", "Ms Example, mother").done(left["tell_dsl"])
    done = "We have done: 10:23am phoned home, answered; told our safeguarding lead; 2 more actions by us"
    expect.message("update", to="hill-school", by="Thu 10:40", about={"Max": done})
    week.at("Thu 15:00").done(left["incident_report"], "what happened, by whom it was seen")
    week.at("Fri 09:00").done(left["acknowledge"])

    # Friday: work is set at home, and one pupil works online: neither is attendance in a school's register.
    week.at("Fri 09:31").register(
        "09:30", Lee="Work set at home", Max="Logged in", Nia="Present", Ola="Present"
    )
    expect.message(
        "routine",
        to="hill-school",
        by="Fri 09:45",
        about={"Lee": "worked at home, not supervised in person", "Max": "took part online"},
    )
    expect.message("routine", to="westmarsh", by="Fri 09:45", about={"Nia": "attended", "Ola": "attended"})

    # The weekly percentage reaches the school and the council, of their own pupils alone.
    week_said = {}
    told = {"hill-school": ("Lee", "Max"), "westmarsh": ("Nia", "Ola")}
    for school, names in told.items():
        week_said[school] = expect.message(
            "summary",
            to=school,
            by="Fri 16:00",
            at="Fri 15:58",
            about=dict.fromkeys(names, ""),
            says=("week of Monday 9 March 2026", "As at 3:58pm on Friday", "They are not school attendance"),
        ).text
    # Lee came to three of the four lessons that were offered and worked at home for one; Max to three of five.
    assert "of those offered): 66.7% (6 of 9)" in week_said["hill-school"]
    assert "Lee Example (P001) Lessons attended: 75.0% Offered: 4" in week_said["hill-school"]
    assert "Max Example (P002) Lessons attended: 60.0% Offered: 5" in week_said["hill-school"]
    assert "of those offered): 88.9% (8 of 9)" in week_said["westmarsh"]

    # The week closes. Under 90 % of at least four lessons is escalated, with a plan and targets; a cancelled one counts not, and work
    # at home is no attendance.
    week.at("Fri 18:00")
    for name in ("Lee", "Max", "Ola"):
        expect.steps(
            name, "under-ninety", escalate="next Mon 16:00", plan="next Fri 16:00", review="Fri +4 16:00"
        )
    expect.the_end()
    return week
