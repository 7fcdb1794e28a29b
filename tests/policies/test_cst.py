"""A week at CST AEP: twice a day, DfE letters from an old list, and a pupil who absconds."""

from collections import Counter
from datetime import date

import pytest

from aphub.domain.stretches import Every
from aphub.services.audits import Wanted, audit
from aphub.store import tables as t
from tests.policies.week import OFFICE, Mark, PlayWeek, child

pytestmark = pytest.mark.slow

BARN = "Mon-Fri 09:00-11:30 in person @ Long Barn"
BOTH = f"{BARN}; Mon-Fri 13:00-14:30 in person @ Long Barn"
JANUARY = date(2026, 1, 26)
"""The week in which a month ends: that is when attendance over a month is judged."""
ENDS = {"ends": "2026-01-30"}
QUAY = """
name = "Quay School"
urn = "999120"
phone = "01632 960120"
known_to = ["cst"]

[[channels]]
name = "by-phone"
connection = "phone"
number = "01632 960120"
"""
EDIT = {
    "schools/quay-school.toml": lambda _: QUAY,
    "providers/cst.toml": lambda text: text + '\n[connections.phone]\nadapter = "phone"\n',
    # The school has a training day on Thursday; its mail server's promise is older than this week.
    "schools/orchard-school.toml": lambda text: text.replace("2026-03-03", "2026-01-29").replace(
        "2026-02-16", "2026-01-05"
    ),
}
JOINT = "Mon-Fri 09:00-10:00 in person @ Long Barn; Mon-Fri 10:00-11:30 in person @ Long Barn"
BY_COUNCIL = {"arranged_by": "council", "power": "s.19"}
NOT_READ = "a mark in our register could not be read; We will do: ask what the mark means, and tell you"


def test_a_week_at_cst(week_at: PlayWeek):  # noqa: PLR0915 - a week is one story
    week = week_at(
        "cst",
        monday=JANUARY,
        edit=EDIT,
        Gus=child("orchard-school", BOTH, "twice-daily", **ENDS),
        Hal=child("orchard-school", BARN, "twice-daily", **ENDS),
        Ivy=child("northshire", BARN, "twice-daily", "orchard-school", **BY_COUNCIL, **ENDS),
        Jon=child("orchard-school", JOINT, "twice-daily", **ENDS),
        Kit=child("fenside-academy", BOTH.replace("Long Barn", "The Loft"), "twice-daily", **ENDS),
        Lou=child("quay-school", "Mon 09:00-11:30 in person @ Long Barn", "twice-daily", **ENDS),
    )
    expect = week.expect

    def kit_is(day: str, half: str, words: str = "present => B") -> None:
        at = f"{day} {'09:30' if half == 'AM' else '13:30'}"
        expect.message("routine", to="fenside-academy", by=at, about={"Kit": words}, via="drop")

    # Monday: the register is taken within five minutes, and whoever placed a pupil hears morning and afternoon.
    week.at("Mon 09:04").register("09:00", Gus="/", Hal="/", Ivy="/", Jon="/", Kit="/", Lou="/")
    # A school that is closed on Thursday is asked about days ahead: lessons take place as agreed unless it says otherwise.
    closed = expect.task(
        "attends_anyway", by="Wed 12:00", says="Orchard School is closed on Thursday 29 January"
    )
    assert "4 pupils are due here all the same" in closed.words
    # One school agreed to be told by telephone: a task with its words, and the answered call is the delivery.
    call = expect.task("phone_school", by="Mon 09:30", says="Phone Quay School (01632 960120) by 9:30am")
    week.phoned(call, "Mr Example, office", repeated=True)
    expect.leaf("dispatch.handed_over")
    expect.leaf("dispatch.confirmed")
    kit_is("Mon", "AM")
    expect.message(
        "routine",
        to="orchard-school",
        by="Mon 09:30",
        about={
            "Gus": "attended => B",
            "Hal": "attended => B",
            "Ivy": "Arranged by the council, attended in person => K",
            "Jon": "attended => B",
        },
    )
    expect.message("routine", to="northshire", by="Mon 09:30", about={"Ivy": "present => K"}, via="drop")
    week.at("Mon 10:03").register("10:00", Jon="/")
    week.at("Mon 13:04").register("13:00", Gus="\\", Kit="\\")
    kit_is("Mon", "PM")
    expect.message("routine", to="orchard-school", by="Mon 13:30", about={"Gus": "attended => B"})
    expect.quiet("Mon 18:00")

    # Tuesday: two letters of the old list mean something else today. Nothing is translated: a person is asked, and the
    # schools hear within the quarter of an hour that it is not known yet. Staff sickness cancels half of a joint lesson.
    week.at("Tue 09:09").register(
        "09:00", Gus=Mark("N", reason="no answer"), Hal="X", Ivy="D", Jon="/", Kit=Mark("I", reason="ill")
    )
    expect.task("take_register", by="Tue 09:05", says="Dee Farrow, duty lead", done=True)
    closed, present = expect.question("retired"), expect.question("ambiguous")
    missing = "did not attend, reason not known"
    expect.message(
        "alert", to="orchard-school", by="Tue 09:15", at="Tue 09:09", about={"Gus": f"{missing} => N"}
    )
    # Home is phoned by ten minutes past; somebody at the emergency numbers within the hour: the first day's contact.
    gus = expect.steps("Gus", "missing", call_home="09:14", first_day_contact="10:00")
    week.called(gus["call_home"], "no answer")
    missing = f"{missing}; We have done: 9:09am phoned home, no answer"
    expect.message(
        "alert",
        to="orchard-school",
        by="Tue 09:15",
        at="Tue 09:13",
        about={"Gus": f"{missing} => N", "Hal": NOT_READ, "Ivy": NOT_READ},
    )
    expect.message("alert", to="northshire", by="Tue 09:15", about={"Ivy": "not_read"}, via="drop")
    kit_is("Tue", "AM", "ill => I")
    week.at("Tue 09:20").answer(closed, "cancelled by provider").answer(present, "/")
    off = "lesson cancelled by us, pupil not in our building"
    hal = expect.steps("Hal", "cancelled", call_home="09:25")
    week.called(hal["call_home"], "answered", "Ms Example, mother")
    expect.message(
        "routine",
        to="orchard-school",
        by="Tue 09:30",
        about={"Gus": f"{missing} => N", "Hal": off, "Ivy": "attended => K", "Jon": "attended => B"},
    )
    expect.message("routine", to="northshire", by="Tue 09:30", about={"Ivy": "present => K"}, via="drop")
    phoned = f"{off}; 9:20am phoned home, answered"
    expect.message("update", to="orchard-school", by="Tue 09:45", about={"Hal": phoned})
    # Somebody answers who does not know where the pupil is: that ends no search for the reason, and the next is tried.
    week.at("Tue 09:35").called(gus["first_day_contact"], "answered", "Mr Example, neighbour", ends=0)
    assert [row.state for row in week.rows(t.steps, ref=gus["first_day_contact"].ref)] == ["open"]
    week.at("Tue 09:40").register("10:00", Jon="SC")
    expect.message(
        "correction",
        to="orchard-school",
        by="Tue 09:55",
        about={
            "Jon": "not all of it took place: 09:00 attended, 10:00 lesson cancelled by us; was 'attended'"
        },
    )
    phoned_twice = "9:35am phoned the emergency contacts, answered => N"
    expect.message("update", to="orchard-school", by="Tue 09:55", about={"Gus": phoned_twice})
    jon = expect.steps("Jon", "cancelled", call_home="09:45")
    week.called(jon["call_home"], "answered", "Mr Example, father")
    told = "not all of it took place; 9:40am phoned home, answered"
    expect.message("update", to="orchard-school", by="Tue 09:55", about={"Jon": told})
    week.at("Tue 13:04").register("13:00", Gus=Mark("I", reason="ill"), Kit="\\")
    kit_is("Tue", "PM")
    expect.message("routine", to="orchard-school", by="Tue 13:30", about={"Gus": "did not attend, ill => I"})
    expect.quiet("Tue 18:00")

    # Wednesday: yesterday morning's absence has no reason yet; home says ill for all of the day.
    week.at("Wed 08:00")
    expect.task("find_reason", by="Wed 12:00", about="Gus")
    week.at("Wed 08:30").register("09:00", on="Tue", Gus=Mark("I", reason="ill"))
    ill = "did not attend, ill; was 'did not attend, reason not known' => I"
    expect.message("update", to="orchard-school", by="Wed 08:45", about={"Gus": ill})

    # A pupil absconds at twenty to ten. The school hears at once, and somebody phones at once.
    week.at("Wed 09:04").register("09:00", Gus="/", Hal="/", Ivy="/", Jon="/", Kit="/")
    kit_is("Wed", "AM")
    four = {"Gus": "attended => B", "Hal": "attended => B", "Ivy": "attended => K", "Jon": "attended => B"}
    told = expect.message("routine", to="orchard-school", by="Wed 09:30", about=four)
    # That the school has this message says nothing of what comes after it.
    week.at("Wed 09:20").confirmed(told, "Ms Example, attendance officer")
    expect.message("routine", to="northshire", by="Wed 09:30", about={"Ivy": "present => K"}, via="drop")
    week.at("Wed 09:40").register("09:00", Gus="AB")
    expect.message(
        "correction",
        to="orchard-school",
        by="Wed 09:55",
        at="Wed 09:40",
        about={
            "Gus": "left our site without leave; whereabouts first, your school decides the code; "
            "was 'attended', now 'left our site without leave'; look for the pupil, phone home and phone you"
        },
        says=("ACTION NEEDED: 1 pupil", "Reply OK or phone us to confirm"),
    )
    away = expect.steps(
        "Gus",
        "absconded",
        leadership="09:45",
        search="09:50",
        call_home="09:50",
        call_school="09:55",
        emergency_services="10:00",
    )
    week.done(away["leadership"], "last seen at the gate at 9:38am").done(away["search"])
    week.at("Wed 09:45").called(away["call_home"], "answered", "Ms Example, mother")
    week.at("Wed 09:50").called(away["call_school"], "answered", "Mr Example, office")
    # Found at two minutes past ten: the same people hear it by the same routes, and what must follow stands in the case.
    week.at("Wed 10:02").found("Gus")
    again = expect.steps(
        "Gus", "found-safe", safe_leadership="10:07", safe_call_home="10:07", safe_call_school="10:07"
    )
    after = expect.steps(
        "Gus",
        "found",
        incident_record="16:00",
        debrief="Thu 16:00",
        support_plan="next Wed 16:00",
        risk="next Wed 16:00",
    )
    expect.message(
        "update",
        to="orchard-school",
        by="Wed 10:17",
        about={
            "Gus": "9:40am searched our site; 9:40am told our leadership; 9:45am phoned home, answered; "
            "9:50am phoned the school, answered; 10:02am found safe"
        },
    )
    week.at("Wed 10:04").register("10:00", Jon="/")
    week.called(again["safe_call_home"], "answered", "Ms Example, mother")
    week.called(again["safe_call_school"], "answered", "Mr Example, office").done(again["safe_leadership"])
    safe = "10:02am found safe; 10:04am phoned home, answered; 10:04am phoned the school, answered"
    expect.message("update", to="orchard-school", by="Wed 10:19", about={"Gus": safe})
    week.done(after["incident_record"], "the whole record")
    # The school answers about its training day: one stays away, the others come.
    week.at("Wed 11:50").school_closed("orchard-school", "Thu", "Jon")
    week.at("Wed 13:04").register("13:00", Gus="\\", Kit="\\")
    kit_is("Wed", "PM")
    expect.message("routine", to="orchard-school", by="Wed 13:30", about={"Gus": "attended => B"})
    expect.quiet("Wed 18:00")

    # Thursday: three withdrawn letters, each with a choice that only a person makes. Two are answered, one in time.
    week.at("Thu 09:04").register(
        "09:00", Gus=Mark("H", reason="family holiday"), Hal=Mark("J", reason="interview"), Ivy="Y", Kit="/"
    )
    kit_is("Thu", "AM")
    asked = [expect.question("retired") for _ in range(3)]
    not_read = {"Gus": NOT_READ, "Hal": NOT_READ, "Ivy": NOT_READ}
    week.answer(asked[2], "Y2")
    del not_read["Ivy"]
    expect.message("alert", to="orchard-school", by="Thu 09:15", about=not_read)
    week.at("Thu 09:18").answer(asked[0], "G")
    expect.message(
        "routine",
        to="orchard-school",
        by="Thu 09:30",
        about={
            "Gus": "did not attend, holiday; we were told of a holiday: your school decides",
            "Hal": NOT_READ,
            "Ivy": "widespread travel disruption => Y2",
            "Jon": "not expected",
        },
        says=("Your calendar says closed (29 January: training day). Our lessons took place as agreed.",),
    )
    snow = "absent widespread travel disruption => Y2"
    expect.message("routine", to="northshire", by="Thu 09:30", about={"Ivy": snow}, via="drop")
    # The school decides about the holiday; only then is there a code, and it is the school's own word.
    week.at("Thu 10:04").decided("Gus", "orchard-school", "holiday", "Thu", "Thu")
    expect.message(
        "update", to="orchard-school", by="Thu 10:19", about={"Gus": "did not attend, holiday => G"}
    )
    week.at("Thu 11:00").answer(asked[1], "J1")
    expect.message(
        "update",
        to="orchard-school",
        by="Thu 11:15",
        about={"Hal": "we were told of an interview: your school decides"},
    )
    week.at("Thu 13:04").register("13:00", Gus=Mark("G", reason="family holiday"), Kit="\\")
    kit_is("Thu", "PM")
    expect.message(
        "routine", to="orchard-school", by="Thu 13:30", about={"Gus": "did not attend, holiday => G"}
    )
    expect.quiet("Thu 18:00")

    # A planned absence, told on Thursday, stands in Friday's register before anybody takes it.
    week.at("Thu 18:00").told_ahead("Hal", "medical", "Fri")

    # Friday: nobody takes the morning's register; the duty lead is warned at five minutes past.
    expect.quiet("Fri 09:04")
    week.at("Fri 09:05")
    expect.task("take_register", by="Fri 09:05", says="Dee Farrow, duty lead: nobody has taken the register")
    not_taken = dict.fromkeys(("Gus", "Ivy", "Jon"), "register not yet taken")
    expect.message("alert", to="orchard-school", by="Fri 09:15", at="Fri 09:13", about=not_taken)
    expect.message("alert", to="northshire", by="Fri 09:15", about={"Ivy": "not_yet_taken"}, via="drop")
    expect.message("alert", to="fenside-academy", by="Fri 09:15", about={"Kit": "not_yet_taken"}, via="drop")
    week.at("Fri 09:20").register("09:00", Gus="/", Ivy="/", Jon=Mark("L", minutes="12"), Kit="/")
    kit_is("Fri", "AM")
    four |= {
        "Hal": "did not attend, medical or dental appointment => M",
        "Jon": "arrived 12 minutes late => B",
    }
    expect.message("routine", to="orchard-school", by="Fri 09:30", about=four)
    expect.message("routine", to="northshire", by="Fri 09:30", about={"Ivy": "present => K"}, via="drop")
    # One half of a joint lesson has its register, the other not: by a quarter past the school hears that too.
    week.at("Fri 10:05")
    expect.task("take_register", by="Fri 10:05", says="for 1 pupil")
    half = (
        "not all of it is known: 09:00 arrived 12 minutes late, 10:00 register not yet taken; "
        "We will do: take the register, and tell you what it says"
    )
    expect.message("update", to="orchard-school", by="Fri 10:15", at="Fri 10:13", about={"Jon": half})
    week.at("Fri 10:20").register("10:00", Jon="/")
    whole = "arrived 12 minutes late; was 'not all of it is known yet' => B"
    expect.message("update", to="orchard-school", by="Fri 10:35", about={"Jon": whole})
    # A tutor falls ill: the afternoon is cancelled in one step. School, home and transport are told before it begins. Home
    # is one step, the ladder's; what home says reaches the school.
    week.at("Fri 11:40").cancel("13:00", "Long Barn")
    expect.message("routine", to="orchard-school", by="Fri 11:55", at="Fri 11:40", about={"Gus": off})
    expect.task("tell_transport", by="Fri 11:55", says="must not be brought")
    home = expect.steps("Gus", "cancelled", call_home="11:45")
    assert "ask where the pupil will be. Then: aphub stays" in home["call_home"].words
    week.instead("Gus", "goes to school instead")
    back = f"{off}; 11:40am told home that our lesson is cancelled, goes to school instead"
    expect.message("update", to="orchard-school", by="Fri 11:55", about={"Gus": back})
    week.at("Fri 13:04").register("13:00", Kit="\\")
    kit_is("Fri", "PM")

    # The month closes. Nine of ten lessons: under 95 % a notice, at 90 % measures; both in one case. Who had nine lessons is
    # not judged.
    week.at("Fri 17:05")
    expect.steps("Kit", "under-ninety-five", notice="next Fri 16:00")
    expect.steps(
        "Kit", "ninety-or-less", meet="next Fri 16:00", action_plan="Fri +2 16:00", follow_up="Fri +6 16:00"
    )
    # What the monthly review rests on reaches who placed the pupils two open days after the month, as a mail or into the
    # folder. Who is told by telephone alone can be sent no paper: a person is asked.
    month = {"orchard-school": "Gus Hal Ivy Jon", "northshire": "Ivy", "fenside-academy": "Kit"}
    for school, names in month.items():
        expect.message(
            "summary",
            to=school,
            by="next Tue 12:00",
            at="Tue 11:58",
            about=dict.fromkeys(names.split(), ""),
            via="email" if school == "orchard-school" else "drop",
        )
    expect.task("send_summary", by="next Tue 12:10", says="no live channel takes summaries")
    expect.leaf("report.missed")
    expect.the_end("next Tue 12:30")

    # All correspondence is logged for audit: each message and each call, with whom and what came of it.
    paper = audit(week.desk, "correspondence", Wanted(Every.WEEK, week.monday, OFFICE))
    [log] = paper.tables()
    kinds = Counter(str(row[1]).partition(",")[0].partition(":")[0] for row in log.rows)
    summaries = week.rows(t.dispatches, kind="summary")
    assert kinds["message"] == len(week.rows(t.dispatches)) - len(summaries)
    assert kinds["call"] == week.calls
    assert "neighbour" not in str(log.rows)
