"""A week at SENtre: a code for each lesson, own roll or placed here, told by a time agreed with each."""

import pytest

from aphub.api import TransientDeliveryError
from aphub.domain.calendar import WEEKDAYS
from aphub.domain.stretches import Every
from aphub.services.audits import Wanted, audit
from tests.policies.week import OFFICE, Mark, PlayWeek, child

pytestmark = pytest.mark.slow

MORNING = "Mon-Fri 09:15-12:00 in person @ Riverside"
AFTERNOON = "Mon-Fri 13:00-15:00 in person @ Riverside"
BOTH = f"{MORNING}; {AFTERNOON}"
BY_COUNCIL = {"arranged_by": "council", "power": "s.19"}
HERE = {"Ava": "/", "Ben": "/", "Cai": "/", "Dot": "/", "Eve": "/", "Fay": "/", "Kay": "/"}
FRIDAY = {"ends": "2026-03-13"}
MISSING = "did not attend, reason not known"

TRIED = f"{MISSING}; We have done: 9:22am phoned home, no answer; 9:26am phoned home, voicemail, no pupil named => N"


def test_a_week_at_sentre(week_at: PlayWeek):  # noqa: PLR0915 - a week is one story
    week = week_at(
        "sentre",
        edit={
            "schools/kestrel-academy.toml": lambda text: text.replace(
                "known_to = [", 'known_to = ["sentre", '
            )
        },
        Ava=child("hill-school", BOTH, "by-session", **FRIDAY),
        Ben=child("meadow-high", MORNING, "by-session", **FRIDAY),
        Cai=child("northshire", MORNING, "daily", registration="own", **BY_COUNCIL, **FRIDAY),
        Dot=child("northshire", MORNING, "by-session", "fenside-academy", risk="yes", **BY_COUNCIL, **FRIDAY),
        Eve=child("hill-school", MORNING, "by-session", registration="dual", **FRIDAY),
        Fay=child("kestrel-academy", MORNING, "by-session", **FRIDAY),
        Gil=child("kestrel-academy", BOTH, "by-session", **FRIDAY),
        Ian=child("orchard-school", MORNING, "by-session"),
        Jay=child("orchard-school", MORNING, "by-session"),
        Kay=child("hill-school", MORNING, "by-session", **FRIDAY).and_placed(
            child("northshire", AFTERNOON, "daily", **BY_COUNCIL, **FRIDAY)
        ),
    )
    expect = week.expect

    # Before the week: home says how long an illness will last, and a school that it suspended a pupil for six days. Neither
    # is chased; each day their school reads what it knows, and E rests on its own decision.
    week.told_ahead("Ian", "ill", "Mon", "Fri").decided(
        "Jay", "orchard-school", "suspended", "Mon", "next Mon"
    )
    known = {"Ian": "did not attend, ill => I", "Jay": "did not attend, suspended by the school => E"}

    # Monday: everybody is here. Each is told by their own time, by their own way, with their own code.
    week.at("Mon 09:18").register("09:15", **HERE, Gil="N")
    expect.message(
        "alert", to="kestrel-academy", by="Mon 09:30", at="Mon 09:18", about={"Gil": f"{MISSING} => N"}
    )
    gil = {
        "first_attempt": "09:30",
        "second_attempt": "09:50",
        "no_reply_school": "10:15",
        "no_reply_dsl": "10:15",
    }
    monday = expect.steps("Gil", "missing", **gil)
    week.at("Mon 09:22").called(monday["first_attempt"], "no answer")
    week.at("Mon 09:26").called(monday["first_attempt"], "voicemail")
    expect.quiet("Mon 09:42")
    at_hill = {"Ava": "attended => B", "Eve": "attended => D", "Kay": "attended => B"}
    expect.message("routine", to="hill-school", by="Mon 09:45", about=at_hill)
    expect.message(
        "routine",
        to="kestrel-academy",
        by="Mon 09:45",
        about={"Fay": "attended => B", "Gil": TRIED},
    )
    expect.message("routine", to="orchard-school", by="Mon 09:45", about=known)
    expect.message("routine", to="meadow-high", by="Mon 09:45", about={"Ben": "present => B"}, via="wonde")
    expect.message("routine", to="northshire", by="Mon 09:45", about={"Dot": "present => K"}, via="drop")
    expect.message("routine", to="fenside-academy", by="Mon 09:45", about={"Dot": "present => K"}, via="drop")
    week.at("Mon 09:48").done(monday["second_attempt"])
    week.at("Mon 10:01").called(monday["no_reply_school"], "answered", "Mr Example, school office")
    week.done(monday["no_reply_dsl"])
    # One leaves the site: school, home and safeguarding lead at once; found a quarter of an hour later, all of them again.
    week.at("Mon 10:05").register("09:15", Fay="LS")
    left = "left our site without leave; whereabouts first, your school decides the code"
    expect.message("correction", to="kestrel-academy", by="Mon 10:20", at="Mon 10:05", about={"Fay": left})
    done = "9:48am texted home; 10:01am phoned the school, answered; told our safeguarding lead"
    expect.message("update", to="kestrel-academy", by="Mon 10:20", about={"Gil": f"{done} => N"})
    fay = expect.steps("Fay", "left", call_home="10:10", dsl="10:10")
    week.at("Mon 10:07").called(fay["call_home"], "answered", "Ms Example, mother").done(fay["dsl"])
    done = "10:07am phoned home, answered; told our safeguarding lead"
    expect.message("update", to="kestrel-academy", by="Mon 10:22", about={"Fay": done})
    week.at("Mon 10:20").found("Fay")
    again = expect.steps("Fay", "found-safe", safe_call_home="10:25", safe_dsl="10:25")
    expect.message("update", to="kestrel-academy", by="Mon 10:35", about={"Fay": "10:20am found safe"})
    week.at("Mon 10:22").called(again["safe_call_home"], "answered", "Ms Example, mother").done(
        again["safe_dsl"]
    )
    expect.message(
        "update", to="kestrel-academy", by="Mon 10:37", about={"Fay": "10:22am phoned home, answered"}
    )
    # One pupil is placed twice: mornings by a school, afternoons by the council. Each hears of its own half of the day.
    week.at("Mon 13:02").register("13:00", Ava="\\", Gil="N", Kay="\\")
    expect.message("alert", to="kestrel-academy", by="Mon 13:15", about={"Gil": f"{MISSING} => N"})
    expect.message("routine", to="hill-school", by="Mon 13:45", about={"Ava": "attended => B"})
    expect.message("routine", to="kestrel-academy", by="Mon 13:45", about={"Gil": f"{MISSING} => N"})
    councils = {"Cai": "present => /", "Kay": "present => K"}
    expect.message("routine", to="northshire", by="Mon 15:30", at="Mon 15:28", about=councils, via="drop")

    # Tuesday: a pupil with a known risk is missing, one letter stopped being used, one pupil on two rolls is ill.
    week.at("Tue 08:00")
    expect.task("find_reason", by="Tue 12:00", about="Gil")
    week.at("Tue 09:19").register(
        "09:15",
        Fay="/",
        Gil="N",
        Kay="/",
        Ava=Mark("L", minutes="25"),
        Ben=Mark("H", reason="family holiday"),
        Cai=Mark("L", minutes="40"),
        Dot=Mark("N", reason="no answer", did="09:18 phoned home, no answer"),
        Eve=Mark("I", reason="ill"),
    )
    expect.question("retired")
    for told in ("northshire", "fenside-academy"):
        missing = "absent reason not known; 09:18 phoned home no answer => N"
        expect.message("alert", to=told, by="Tue 09:30", about={"Dot": missing}, via="drop")
    expect.message("alert", to="kestrel-academy", by="Tue 09:30", about={"Gil": f"{MISSING} => N"})
    tuesday = expect.steps("Gil", "missing", **gil)
    # The second day in a row without a reason: possibly missing education.
    expect.steps("Gil", "repeated", dsl="16:00", missing_education="Wed 16:00")
    # Two attempts at home; without a reply school, council and safeguarding lead hear of it; where a risk is known, the lead
    # hears at once.
    dot = expect.steps(
        "Dot",
        "missing",
        first_attempt="09:30",
        dsl_at_once="09:24",
        second_attempt="09:50",
        no_reply_school="10:15",
        no_reply_council="10:15",
        no_reply_dsl="10:15",
    )
    week.at("Tue 09:22").done(dot["dsl_at_once"]).called(dot["first_attempt"], "no answer")
    week.called(tuesday["first_attempt"], "no answer")
    week.at("Tue 09:26").called(dot["first_attempt"], "voicemail").called(
        tuesday["first_attempt"], "voicemail"
    )
    not_read = "a mark in our register could not be read"
    expect.message("alert", to="meadow-high", by="Tue 09:30", about={"Ben": not_read})
    expect.message(
        "routine",
        to="hill-school",
        by="Tue 09:45",
        about={
            "Ava": "arrived 25 minutes late => B",
            "Eve": "did not attend, ill; Registered at both schools, did not attend here, ill => D",
            "Kay": "attended => B",
        },
    )
    expect.message(
        "routine", to="kestrel-academy", by="Tue 09:45", about={"Fay": "attended => B", "Gil": TRIED}
    )
    expect.message("routine", to="orchard-school", by="Tue 09:45", about=known)
    expect.message("routine", to="meadow-high", by="Tue 09:45", about={"Ben": not_read})
    for told in ("northshire", "fenside-academy"):
        expect.message("routine", to=told, by="Tue 09:45", about={"Dot": missing}, via="drop")
    week.at("Tue 09:48").done(dot["second_attempt"]).done(tuesday["second_attempt"])
    week.at("Tue 10:00").called(dot["no_reply_school"], "answered", "Mr Example, school office")
    week.at("Tue 10:03").called(dot["no_reply_council"], "answered", "Ms Example, placements")
    week.at("Tue 10:05").done(dot["no_reply_dsl"], "nobody has seen the pupil since yesterday")
    week.at("Tue 13:04").register("13:00", Ava="\\", Gil="N", Kay="\\")
    expect.message(
        "alert", to="kestrel-academy", by="Tue 13:15", about={"Gil": f"{MISSING}; 9:48am texted home => N"}
    )
    expect.message("update", to="kestrel-academy", by="Tue 13:19", about={"Gil": "9:48am texted home => N"})
    expect.message("routine", to="hill-school", by="Tue 13:45", about={"Ava": "attended => B"})
    expect.message("routine", to="kestrel-academy", by="Tue 13:45", about={"Gil": f"{MISSING} => N"})
    councils["Cai"] = "late 40 => U"
    expect.message("routine", to="northshire", by="Tue 15:30", about=councils, via="drop")
    expect.quiet("Tue 18:00")

    week.at("Wed 08:00")
    expect.task("find_reason", by="Wed 12:00", about="Dot")

    # Wednesday: one taxi did not bring two pupils, which is nobody's absence, and one call to the council is about both; a
    # part-time timetable is the school's to decide.
    week.at("Wed 09:18").register(
        "09:15",
        Ava=Mark("M", reason="CAMHS"),
        Ben="/",
        Cai="/",
        Dot=Mark("Y1", reason="taxi did not come"),
        Eve="/",
        Fay=Mark("Y1", reason="taxi did not come"),
        Gil=Mark("I", reason="ill"),
        Kay="/",
    )
    transport = expect.steps("Dot", "transport", council="09:23")
    expect.steps("Fay", "transport", council="09:23")
    week.at("Wed 09:21").called(transport["council"], "answered", "Mr Example, transport team", ends=2)
    expect.message(
        "routine",
        to="hill-school",
        by="Wed 09:45",
        about=at_hill | {"Ava": "did not attend, medical or dental appointment => M"},
    )
    expect.message(
        "routine",
        to="kestrel-academy",
        by="Wed 09:45",
        about={
            "Fay": "usual transport did not come; 9:21am phoned the council, answered => Y1",
            "Gil": "did not attend, ill => I",
        },
    )
    expect.message("routine", to="orchard-school", by="Wed 09:45", about=known)
    expect.message("routine", to="meadow-high", by="Wed 09:45", about={"Ben": "present => B"}, via="wonde")
    for told in ("northshire", "fenside-academy"):
        no_taxi = "absent usual transport did not come => Y1"
        expect.message("routine", to=told, by="Wed 09:45", about={"Dot": no_taxi}, via="drop")
    week.at("Wed 13:03").register("13:00", Ava="C2", Gil="/", Kay=Mark("I", reason="ill"))
    expect.message(
        "routine",
        to="hill-school",
        by="Wed 13:45",
        about={"Ava": "part-time timetable; we were told of a part-time timetable: your school decides"},
    )
    expect.message("routine", to="kestrel-academy", by="Wed 13:45", about={"Gil": "attended => B"})
    councils = {"Cai": "present => /", "Kay": "ill => I"}
    expect.message("routine", to="northshire", by="Wed 15:30", about=councils, via="drop")
    expect.quiet("Wed 18:00")

    # Thursday: the secure folders are down. What was promised goes by email instead, and in time.
    week.recorder.down["drop"] = TransientDeliveryError("Their folder cannot be reached.")
    week.at("Thu 09:18").register("09:15", **HERE, Gil="/")
    expect.message("routine", to="hill-school", by="Thu 09:45", about=at_hill)
    here = {"Fay": "attended => B", "Gil": "attended => B"}
    expect.message("routine", to="kestrel-academy", by="Thu 09:45", about=here)
    expect.message("routine", to="orchard-school", by="Thu 09:45", about=known)
    expect.message("routine", to="meadow-high", by="Thu 09:45", about={"Ben": "present => B"}, via="wonde")
    for told in ("northshire", "fenside-academy"):
        expect.message("routine", to=told, by="Thu 09:45", about={"Dot": "attended => K"})
    week.at("Thu 13:03").register("13:00", Ava="CX", Gil="/", Kay="\\")
    off = "lesson cancelled by us, pupil not in our building"
    expect.message("alert", to="hill-school", by="Thu 13:18", about={"Ava": off})
    expect.message("routine", to="hill-school", by="Thu 13:45", about={"Ava": off})
    expect.message("routine", to="kestrel-academy", by="Thu 13:45", about={"Gil": "attended => B"})
    expect.message(
        "routine", to="northshire", by="Thu 15:30", about={"Cai": "attended => /", "Kay": "attended => K"}
    )
    del week.recorder.down["drop"]

    # Half of eight lessons or less, for any reason: all agencies are asked, and stage 2 goes on beside it.
    week.at("Thu 17:05")
    expect.steps("Gil", "stage-three", agencies="next Thu 16:00")
    expect.steps(
        "Gil", "stage-two", conversation="next Thu 16:00", plan="Thu +2 16:00", review="Thu +4 16:00"
    )
    expect.steps(
        "Kay", "stage-two", conversation="next Thu 16:00", plan="Thu +2 16:00", review="Thu +4 16:00"
    )
    # An absence of Monday that nobody explained goes to somebody above a school day before the limit.
    week.at("Fri 08:00")
    expect.task("reason_too_old", by="Fri 12:00", about="Gil", says="still has no reason after 4 school days")

    # Friday: nobody is here to take the morning's register. Everybody is told that, each by their own way.
    expect.quiet("Fri 09:15")
    week.at("Fri 09:20")
    expect.task("take_register", by="Fri 09:15", says="Robin Marsh, attendance lead")
    nobody = "register not yet taken; We will do: take the register, and tell you what it says"
    expect.message(
        "alert", to="hill-school", by="Fri 09:30", about=dict.fromkeys(("Ava", "Eve", "Kay"), nobody)
    )
    expect.message("alert", to="kestrel-academy", by="Fri 09:30", about=dict.fromkeys(("Fay", "Gil"), nobody))
    expect.message("alert", to="meadow-high", by="Fri 09:30", about={"Ben": nobody})
    for name in ("Dot", "Cai"):
        expect.message("alert", to="northshire", by="Fri 09:30", about={name: "not_yet_taken"}, via="drop")
    expect.message("alert", to="fenside-academy", by="Fri 09:30", about={"Dot": "not_yet_taken"}, via="drop")
    week.at("Fri 09:40").register("09:15", **HERE, Gil="/")
    expect.message("routine", to="hill-school", by="Fri 09:45", about=at_hill)
    expect.message("routine", to="kestrel-academy", by="Fri 09:45", about=here)
    expect.message("routine", to="orchard-school", by="Fri 09:45", about=known)
    expect.message("routine", to="meadow-high", by="Fri 09:45", about={"Ben": "present => B"}, via="wonde")
    for told in ("northshire", "fenside-academy"):
        expect.message("routine", to=told, by="Fri 09:45", about={"Dot": "present => K"}, via="drop")
    week.at("Fri 13:03").register("13:00", Ava="/", Gil="/", Kay="/")
    expect.message("routine", to="hill-school", by="Fri 13:45", about={"Ava": "attended => B"})
    expect.message("routine", to="kestrel-academy", by="Fri 13:45", about={"Gil": "attended => B"})
    councils = {"Cai": "present => /", "Kay": "present => K"}
    expect.message("routine", to="northshire", by="Fri 15:30", about=councils, via="drop")

    # Stage 2: seven of nine lessons in four weeks. A conversation within five school days, the plan's review within four weeks.
    week.at("Fri 18:00")
    expect.steps(
        "Ava",
        "stage-two",
        conversation="next Fri 16:00",
        plan="Fri +2 16:00",
        review="Fri +4 16:00",
    )

    # The next Monday is the sixth day of the suspension: provision is due, so E fits no more and the suspension explains no
    # absence from us. One is back after a long illness.
    week.at("next Mon 08:00")
    expect.task("reason_too_old", by="next Mon 12:00", about="Dot")
    week.at("next Mon 09:18").register("09:15", Ian="/", Jay="N")
    expect.message("alert", to="orchard-school", by="next Mon 09:30", about={"Jay": f"{MISSING} => N"})
    support = expect.steps("Ian", "return", support="16:00")
    expect.steps("Jay", "missing", **gil)
    expect.message(
        "routine",
        to="orchard-school",
        by="next Mon 09:45",
        about={"Ian": "attended => B", "Jay": f"{MISSING} => N"},
    )
    week.at("next Mon 11:00").done(support["support"])
    # The week's figures leave when its registers have been audited.
    summed = {
        "hill-school": ("Ava", "Eve", "Kay"),
        "meadow-high": ("Ben",),
        "northshire": ("Dot",),
        "fenside-academy": ("Dot",),
        "kestrel-academy": ("Fay", "Gil"),
        "orchard-school": ("Ian", "Jay"),
    }
    for school, names in summed.items():
        about = dict.fromkeys(names, "")
        via = "drop" if school in {"northshire", "fenside-academy"} else "email"
        said = expect.message("summary", to=school, by="next Mon 16:00", at="Mon 15:58", about=about, via=via)
        assert via == "drop" or "week of Monday 9 March 2026" in said.text
    week.at("next Tue 08:00")
    expect.task("find_reason", by="next Tue 12:00", about="Jay")
    week.at("next Tue 09:18").register("09:15", Ian="/", Jay="/")
    expect.steps("Jay", "return", support="16:00")
    expect.message(
        "routine",
        to="orchard-school",
        by="next Tue 09:45",
        about={"Ian": "attended => B", "Jay": "attended => B"},
    )
    expect.the_end("next Tue 12:00")

    # What the attendance lead audits weekly: whether registers came in time, what could not be read, which codes followed.
    paper = audit(week.desk, "registers", Wanted(Every.WEEK, week.monday, OFFICE))
    tables = {one.title: [[str(cell) for cell in row] for row in one.rows] for one in paper.tables()}
    days = {
        row[0].partition(" ")[0]: list(map(int, row[1:4])) for row in tables["Registers, by when they came"]
    }
    assert {day: sum(counts) for day, counts in days.items()} == dict.fromkeys(WEEKDAYS[:5], 13)
    # "Due at the start" is kept by whoever takes the register before it closes.
    assert {day: late for day, (_, late, _) in days.items() if late} == {}
    assert {day: missing for day, (_, _, missing) in days.items() if missing} == {"Tuesday": 1}
    assert tables["Marks that could not be read"] == [["retired", "1", "0", "1"]]
