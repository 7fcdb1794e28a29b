"""A week at SENtre: a code for each lesson, own roll or placed here, told by a time agreed with each."""

from aphub.api import TransientDeliveryError
from tests.policies.week import Mark, PlayWeek, child

MORNING = "Mon-Fri 09:15-12:00 in person @ Riverside"
BOTH = f"{MORNING}; Mon-Fri 13:00-15:00 in person @ Riverside"
BY_COUNCIL = {"arranged_by": "council", "power": "s.19"}
HERE = {"Ava": "/", "Ben": "/", "Cai": "/", "Dot": "/", "Eve": "/"}


def test_a_week_at_sentre(week_at: PlayWeek):  # noqa: PLR0915 - a week is one story
    week = week_at(
        "sentre",
        Ava=child("hill-school", BOTH, "by-session"),
        Ben=child("meadow-high", MORNING, "by-session"),
        Cai=child("northshire", MORNING, "daily", registration="own", **BY_COUNCIL),
        Dot=child("northshire", MORNING, "by-session", "fenside-academy", risk="yes", **BY_COUNCIL),
        Eve=child("hill-school", MORNING, "by-session", registration="dual"),
    )
    expect = week.expect

    # Monday: everybody is here. Each is told by their own time, by their own way, with their own code.
    week.at("Mon 09:18").register("09:15", **HERE)
    expect.quiet("Mon 09:42")
    expect.message(
        "routine", to="hill-school", by="Mon 09:45", about={"Ava": "attended => B", "Eve": "attended => D"}
    )
    expect.message("routine", to="meadow-high", by="Mon 09:45", about={"Ben": "present => B"}, via="wonde")
    expect.message("routine", to="northshire", by="Mon 09:45", about={"Dot": "present => K"}, via="drop")
    expect.message("routine", to="fenside-academy", by="Mon 09:45", about={"Dot": "present => K"}, via="drop")
    week.at("Mon 13:02").register("13:00", Ava="\\")
    expect.message("routine", to="hill-school", by="Mon 13:45", about={"Ava": "attended => B"})
    expect.message(
        "routine", to="northshire", by="Mon 15:30", at="Mon 15:28", about={"Cai": "present => /"}, via="drop"
    )

    # Tuesday: a pupil with a known risk is missing, one letter stopped being used, one pupil on two rolls is ill.
    week.at("Tue 09:19").register(
        "09:15",
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
    week.at("Tue 09:26").called(dot["first_attempt"], "voicemail")
    not_read = "a mark in our register could not be read"
    expect.message("alert", to="meadow-high", by="Tue 09:30", about={"Ben": not_read})
    expect.message(
        "routine",
        to="hill-school",
        by="Tue 09:45",
        about={
            "Ava": "arrived 25 minutes late => B",
            "Eve": "did not attend, ill; Registered at both schools, did not attend here, ill => D",
        },
    )
    expect.message("routine", to="meadow-high", by="Tue 09:45", about={"Ben": not_read})
    for told in ("northshire", "fenside-academy"):
        expect.message("routine", to=told, by="Tue 09:45", about={"Dot": missing}, via="drop")
    week.at("Tue 09:48").done(dot["second_attempt"])
    week.at("Tue 10:00").called(dot["no_reply_school"], "answered", "Mr Example, school office")
    week.at("Tue 10:03").called(dot["no_reply_council"], "answered", "Ms Example, placements")
    week.at("Tue 10:05").done(dot["no_reply_dsl"], "nobody has seen the pupil since yesterday")
    week.at("Tue 13:04").register("13:00", Ava="\\")
    expect.message("routine", to="hill-school", by="Tue 13:45", about={"Ava": "attended => B"})
    expect.message("routine", to="northshire", by="Tue 15:30", about={"Cai": "late 40 => U"}, via="drop")
    expect.quiet("Tue 18:00")

    week.at("Wed 08:00")
    expect.task("find_reason", by="Wed 12:00", about="Dot")

    # Wednesday: transport did not come, which is nobody's absence; a part-time timetable is the school's to decide.
    week.at("Wed 09:18").register(
        "09:15",
        Ava=Mark("M", reason="CAMHS"),
        Ben="/",
        Cai="/",
        Dot=Mark("Y1", reason="taxi did not come"),
        Eve="/",
    )
    transport = expect.steps("Dot", "transport", council="09:23")
    week.at("Wed 09:21").called(transport["council"], "answered", "Mr Example, transport team")
    expect.message(
        "routine",
        to="hill-school",
        by="Wed 09:45",
        about={"Ava": "did not attend, medical or dental appointment => M", "Eve": "attended => D"},
    )
    expect.message("routine", to="meadow-high", by="Wed 09:45", about={"Ben": "present => B"}, via="wonde")
    for told in ("northshire", "fenside-academy"):
        no_taxi = "absent usual transport did not come => Y1"
        expect.message("routine", to=told, by="Wed 09:45", about={"Dot": no_taxi}, via="drop")
    week.at("Wed 13:03").register("13:00", Ava="C2")
    expect.message(
        "routine",
        to="hill-school",
        by="Wed 13:45",
        about={"Ava": "part-time timetable; we were told of a part-time timetable: your school decides"},
    )
    expect.message("routine", to="northshire", by="Wed 15:30", about={"Cai": "present => /"}, via="drop")
    expect.quiet("Wed 18:00")

    # Thursday: the secure folders are down. What was promised goes by email instead, and in time.
    week.recorder.down["drop"] = TransientDeliveryError("Their folder cannot be reached.")
    week.at("Thu 09:18").register("09:15", **HERE)
    expect.message(
        "routine", to="hill-school", by="Thu 09:45", about={"Ava": "attended => B", "Eve": "attended => D"}
    )
    expect.message("routine", to="meadow-high", by="Thu 09:45", about={"Ben": "present => B"}, via="wonde")
    for told in ("northshire", "fenside-academy"):
        expect.message("routine", to=told, by="Thu 09:45", about={"Dot": "attended => K"})
    week.at("Thu 13:03").register("13:00", Ava="CX")
    off = "lesson cancelled by us, pupil not in our building"
    expect.message("alert", to="hill-school", by="Thu 13:18", about={"Ava": off})
    expect.message("routine", to="hill-school", by="Thu 13:45", about={"Ava": off})
    expect.message("routine", to="northshire", by="Thu 15:30", about={"Cai": "attended => /"})
    del week.recorder.down["drop"]

    # Friday: nobody is here to take the morning's register. Everybody is told that, each by their own way.
    expect.quiet("Fri 09:15")
    week.at("Fri 09:20")
    expect.task("take_register", by="Fri 09:15", says="Robin Marsh, attendance lead")
    nobody = "register not yet taken; We will do: take the register, and tell you what it says"
    both = {"Ava": nobody, "Eve": nobody}
    expect.message("alert", to="hill-school", by="Fri 09:30", about=both)
    expect.message("alert", to="meadow-high", by="Fri 09:30", about={"Ben": nobody})
    for name in ("Dot", "Cai"):
        expect.message("alert", to="northshire", by="Fri 09:30", about={name: "not_yet_taken"}, via="drop")
    expect.message("alert", to="fenside-academy", by="Fri 09:30", about={"Dot": "not_yet_taken"}, via="drop")
    week.at("Fri 09:40").register("09:15", **HERE)
    expect.message(
        "routine", to="hill-school", by="Fri 09:45", about={"Ava": "attended => B", "Eve": "attended => D"}
    )
    expect.message("routine", to="meadow-high", by="Fri 09:45", about={"Ben": "present => B"}, via="wonde")
    for told in ("northshire", "fenside-academy"):
        expect.message("routine", to=told, by="Fri 09:45", about={"Dot": "present => K"}, via="drop")
    week.at("Fri 13:03").register("13:00", Ava="/")
    expect.message("routine", to="hill-school", by="Fri 13:45", about={"Ava": "attended => B"})
    expect.message("routine", to="northshire", by="Fri 15:30", about={"Cai": "present => /"}, via="drop")

    # Stage 2: seven of nine lessons in four weeks. A conversation within five school days, the plan's review within four weeks.
    week.at("Fri 18:00")
    expect.steps(
        "Ava",
        "stage-two",
        conversation="next Fri 16:00",
        plan="Fri +2 16:00",
        review="Fri +4 16:00",
    )
    expect.the_end()
