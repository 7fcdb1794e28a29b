"""A week at SENtre: a code for each lesson, own roll or placed here, told by a time agreed with each."""

from tests.policies.week import Mark, PlayWeek, child

MORNING = "Mon-Fri 09:15-12:00 in person @ Riverside"
BOTH = f"{MORNING}; Mon-Fri 13:00-15:00 in person @ Riverside"
BY_COUNCIL = {"arranged_by": "council", "power": "s.19"}
HERE = {"Ava": "/", "Ben": "/", "Cai": "/", "Dot": "/", "Eve": "/"}


def test_a_week_at_sentre(week_at: PlayWeek):
    week = week_at(
        "sentre",
        Ava=child("hill-school", BOTH, "by-session"),
        Ben=child("meadow-high", MORNING, "by-session"),
        Cai=child("northshire", MORNING, "daily", registration="own", **BY_COUNCIL),
        Dot=child("northshire", MORNING, "by-session", "fenside-academy", risk="yes", **BY_COUNCIL),
        Eve=child("hill-school", MORNING, "by-session", registration="dual"),
    )
    expect = week.expect
    print(expect.story())

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
    expect.the_end("Mon 18:00")
