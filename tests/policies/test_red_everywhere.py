"""A week at Red Everywhere: four plain words for a whole day, daily or weekly as each placement agreed."""

from datetime import date

import pytest

from tests.policies.week import Mark, PlayWeek, child

pytestmark = pytest.mark.slow

WORKS = "Mon-Fri 09:30-14:30 in person @ The Works"
AFTER_EASTER = date(2026, 4, 20)
"""British Summer Time: the agreed times are London's."""
FRIDAY = {"ends": "2026-04-24"}
NOT_AGAIN = "no second check of this half day recorded yet"
HERE = f"Morning, 9:30am to 12:15pm: attended; Afternoon, 1pm to 2:30pm: {NOT_AGAIN} => B, "


def test_a_week_at_red_everywhere(week_at: PlayWeek):  # noqa: PLR0915 - a week is one story
    week = week_at(
        "red-everywhere",
        monday=AFTER_EASTER,
        # This school agreed a summary of the week beside its reports.
        edit={
            "agreements/weekly.toml": lambda text: text.replace(
                "summaries = [", 'summaries = [\n  { every = "week", at = "16:00" },'
            )
        },
        Peg=child("hill-school", WORKS, "daily", **FRIDAY),
        Ron=child("hill-school", WORKS, "daily", **FRIDAY),
        Sia=child("kestrel-academy", WORKS, "weekly", **FRIDAY),
        Tod=child("kestrel-academy", WORKS, "weekly", **FRIDAY),
        Una=child("kestrel-academy", WORKS, "weekly", **FRIDAY),
        Val=child("lantern-school", WORKS, "weekly", ends="2026-04-27"),
    )
    expect = week.expect
    # Home told of an illness for the whole week: contact home on each day of absence all the same.
    week.told_ahead("Val", "ill", "Mon", "Fri")
    contact = {
        day: expect.steps("Val", "every-day", on=day, contact=f"{day} 16:00")["contact"]
        for day in ("Mon", "Tue", "Wed", "Thu", "Fri")
    }
    assert {row.state for row in contact.values()} == {"later"}

    # Monday: all are here, one of them late by so many minutes. One school hears daily, the other on Friday. A mark for
    # the whole day speaks for the morning in which it was made; nothing is made up about the afternoon.
    week.at("Mon 09:34").register(
        "09:30", Peg="Full", Ron=Mark("Late", minutes="20"), Sia="Full", Tod="Full", Una="Full"
    )
    week.called(contact["Mon"], "answered", "Ms Example, mother")
    expect.quiet("Mon 15:27")
    late = f"arrived 20 minutes late; {NOT_AGAIN} => B, "
    expect.message(
        "routine", to="hill-school", by="Mon 15:30", at="Mon 15:28", about={"Peg": HERE, "Ron": late}
    )
    expect.quiet("Mon 18:00")

    # Tuesday: late without how late is no mark that can be read. Somebody looks again after lunch: now it is the whole day.
    week.at("Tue 09:34").register("09:30", Peg="Full", Ron="Late", Sia="Full", Tod="Full", Una="Full")
    week.called(contact["Tue"], "answered", "Ms Example, mother")
    minutes = expect.question("needs_minutes")
    not_read = "a mark in our register could not be read"
    expect.message("alert", to="hill-school", by="Tue 09:45", about={"Ron": not_read})
    week.at("Tue 09:50").answer(minutes, "Full")
    week.at("Tue 13:05").register("PM", Peg="Full")
    whole = "Morning, 9:30am to 12:15pm: attended; Afternoon, 1pm to 2:30pm: attended => B"
    expect.message("routine", to="hill-school", by="Tue 15:30", about={"Peg": whole, "Ron": HERE})
    expect.quiet("Tue 18:00")

    # Wednesday to Friday: one pupil stays away. An absence is told at once on each day, whatever the cadence.
    for day in ("Wed", "Thu", "Fri"):
        if day == "Wed":
            # One pupil has another school from today on: each hears of its own days.
            week.at("Wed 07:30").moves("Una", "lantern-school")
        gone = Mark("Unauthorised", did="09:50 phoned home, no answer")
        if day == "Thu":
            week.at(f"{day} 08:00")
            expect.task("find_reason", by=f"{day} 12:00", about="Tod")
        week.at(f"{day} 09:34").register("09:30", Peg="Full", Ron="Full", Sia="Full", Tod=gone, Una="Full")
        week.called(contact[day], "answered", "Ms Example, mother")
        expect.message(
            "alert",
            to="kestrel-academy",
            by=f"{day} 09:45",
            at=f"{day} 09:34",
            about={"Tod": "did not attend, no reason given to us; 9:50am phoned home, no answer => N"},
        )
        tod = expect.steps("Tod", "missing", follow_up="10:30")
        daily = expect.steps("Tod", "every-day", contact="16:00")
        week.at(f"{day} 10:15").called(tod["follow_up"], "no answer").called(daily["contact"], "no answer")
        if day == "Fri":
            # The third day: a letter that a person releases, the school phoned, a welfare visit, the form, and within a
            # week the question whether the parents know of it.
            third = expect.steps(
                "Tod",
                "third-day",
                letter="16:00",
                school="16:00",
                visit="next Mon 16:00",
                cause_for_concern="16:00",
                parents_aware="next Fri 16:00",
            )
            week.called(third["school"], "answered", "Ms Example, attendance")
            week.done(third["cause_for_concern"], "the form went to the school")
            # The letter is drafted; nothing is written home before a person has read and released it.
            assert third["letter"].state == "open"
            week.released(third["letter"])
        if day == "Thu":
            week.at("Thu 12:10").register("09:30", Ron="Left without permission")
            expect.message(
                "alert", to="hill-school", by="Thu 12:25", about={"Ron": "left our site without leave"}
            )
            phoned = expect.steps("Ron", "standard-left", phone_home="12:15")
            week.called(phoned["phone_home"], "answered", "Ms Example, mother")
            answered = "left our site without leave; 12:10pm phoned home, answered"
            expect.message("alert", to="hill-school", by="Thu 12:25", about={"Ron": answered})
            left = {"Peg": HERE, "Ron": "left our site without leave"}
            expect.message("routine", to="hill-school", by="Thu 15:30", about=left)
        else:
            expect.message("routine", to="hill-school", by=f"{day} 15:30", about={"Peg": HERE, "Ron": HERE})
        if day != "Fri":
            expect.quiet(f"{day} 18:00")

    # Friday afternoon: the weekly report tells the whole week, day by day; of who moved, to each school its own days.
    said = expect.message(
        "routine",
        to="kestrel-academy",
        by="Fri 15:30",
        about={
            "Sia": "Monday 20 April, morning, 9:30am to 12:15pm: attended; Friday 24 April, morning => B, ",
            "Tod": "Tuesday 21 April, morning, 9:30am to 12:15pm: attended; "
            "Friday 24 April, morning, 9:30am to 12:15pm: did not attend, no reason given to us => B, N, ",
            "Una": "Monday 20 April, morning; Tuesday 21 April, afternoon => B, ",
        },
    )
    assert len(said.rows) == 24
    assert {row["date"] for row in said.rows if said.names[row["upn"]] == "Una"} == {
        "2026-04-20",
        "2026-04-21",
    }
    said = expect.message(
        "routine",
        to="lantern-school",
        by="Fri 15:30",
        about={
            "Una": "Wednesday 22 April, morning; Friday 24 April, afternoon => B, ",
            "Val": "Monday 20 April; Friday 24 April; did not attend, ill => I",
        },
    )
    assert "2026-04-21" not in {row["date"] for row in said.rows if said.names[row["upn"]] == "Una"}
    # Half an hour later the week in figures, as at now; each school reads of the days that were its own.
    for school, names in (("kestrel-academy", ("Sia", "Tod", "Una")), ("lantern-school", ("Una", "Val"))):
        week.at("Fri 15:58")
        expect.message(
            "summary",
            to=school,
            by="Fri 16:00",
            at="Fri 15:58",
            about=dict.fromkeys(names, ""),
            says=("As at 3:58pm on Friday 24 April 2026", "They are not school attendance"),
        )
    expect.quiet("Fri 18:00")

    # Back on the first day of the next week: 1-2-1 on day one, the catch-up plan, the agreement signed again.
    week.at("next Mon 09:34").register("09:30", Val="Full")
    back = expect.steps(
        "Val", "return", one_to_one="16:00", catch_up="next Wed 16:00", sign_again="Mon +2 16:00"
    )
    week.at("next Mon 10:30").done(back["one_to_one"], "glad to be back")
    week.at("next Tue 08:00")
    expect.task("reason_too_old", by="next Tue 12:00", says="of Wednesday 22 April 2026")
    # This school's week with us was its Monday; then the pupil's time here is over.
    about = {"Val": ""}
    expect.message("routine", to="lantern-school", by="next Fri 15:30", about={"Val": "attended => B, "})
    expect.message("summary", to="lantern-school", by="next Fri 16:00", at="Fri 15:58", about=about)
    # The month's figures, two open days after it: the first Monday in May is a holiday.
    month = {
        "hill-school": ("Peg", "Ron"),
        "kestrel-academy": ("Sia", "Tod", "Una"),
        "lantern-school": ("Una", "Val"),
    }
    for school, names in month.items():
        about = dict.fromkeys(names, "")
        said = expect.message("summary", to=school, by="Tue +2 12:00", at="Tue 11:58", about=about)
        assert "pupils of" in said.text
        assert "April 2026" in said.text
    expect.the_end("Tue +2 12:30")
