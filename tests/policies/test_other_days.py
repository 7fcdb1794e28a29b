"""A day at CST AEP with the pupils who are seldom in a week: on trial, not yet agreed, alike in name, not to be shared."""

from aphub.demo.day import put
from aphub.domain.identifiers import upn_check_letter
from aphub.services import answering
from aphub.store import tables as t
from tests.policies.week import OFFICE, Mark, PlayWeek, Week, child

BARN = "Mon-Fri 09:00-11:30 in person @ Long Barn"
BOTH = f"{BARN}; Mon-Fri 13:00-14:30 in person @ Long Barn"
MONDAY = {"ends": "2026-03-09"}
TEMPORARY = "99940001011A"
"""A number that a school gives until the permanent one has come: its last sign is a letter."""
BY_NAME = {
    "providers/cst.toml": lambda text: text.replace(
        "[safeguarding]", "match_by_name = true\n\n[safeguarding]", 1
    )
}


def test_a_day_of_pupils_who_are_seldom_in_a_week(week_at: PlayWeek):
    week = week_at(
        "cst",
        edit=BY_NAME,
        # Came this morning, and the school's referral is not agreed yet; another is here on trial.
        Pia=child("orchard-school", BARN, "twice-daily", standing="pending", starts="2026-03-09", **MONDAY),
        Tia=child("orchard-school", BARN, "twice-daily", standing="trial", **MONDAY),
        # Two of one name, at two schools; one has a temporary number, the other none yet.
        Sam=child(
            "orchard-school", BARN, "twice-daily", upn=upn_check_letter(TEMPORARY) + TEMPORARY, **MONDAY
        ),
        Sam2=child("fenside-academy", BARN, "twice-daily", given_name="Sam", upn="", **MONDAY),
        # Must not be shared: a court's order.
        Shy=child("fenside-academy", BARN, "twice-daily", suppressed="yes", **MONDAY),
        # Due for twenty hours a week, where at most fifteen were promised.
        Max=child("orchard-school", BOTH, "twice-daily"),
    )
    expect = week.expect

    week.at("Mon 08:00")
    # The timetable is mended by who made it; near full-time is leadership's notice alone.
    limits = {row.ladder: row for row in week.rows(t.steps, trigger="weekly_hours")}
    assert {name: row.owner for name, row in limits.items()} == {
        "too-many-hours": "duty lead",
        "near-full-time": "leadership",
    }
    assert all("20h 00m planned in the week of 9 March" in row.words for row in limits.values())

    week.at("Mon 09:03").register("09:00", Pia="/", Tia=Mark("L", minutes="5"), Shy="N", Max="/")
    by_name(week, "Sam Example")
    # A name that two have is nobody's: no mark is guessed onto either, and their schools hear that it is not taken yet.
    which = expect.question("several_pupils")
    # Nothing leaves about a pupil who must not be shared; that the pupil is missing is told by a person, to one person.
    unshared = expect.task("tell_named_person", by="Mon 09:13", about="Shy")
    assert unshared.words.startswith(
        "Ellis Gaunt, safeguarding lead: did not attend, and this pupil must not"
    )
    assert unshared.organisation is None
    expect.steps("Shy", "missing", call_home="09:10", first_day_contact="10:00")
    week.at("Mon 09:05")
    expect.task("take_register", by="Mon 09:05", says="for 2 pupils")
    not_taken = "register not yet taken"
    expect.message("alert", to="orchard-school", by="Mon 09:15", about={"Sam": not_taken})
    expect.message("alert", to="fenside-academy", by="Mon 09:15", about={"Sam2": "not_yet_taken"}, via="drop")
    week.at("Mon 09:20")
    answering.answer_question(week.desk, which.ref, OFFICE, pupil=week.ref("Sam"))
    week.stirred = True
    said = expect.message(
        "routine",
        to="orchard-school",
        by="Mon 09:30",
        at="Mon 09:20",
        about={
            "Pia": "attended; the referral is not agreed yet: your school decides",
            "Tia": "arrived 5 minutes late; trial placement => B",
            "Sam": "was 'register not yet taken', now 'attended' => B",
            "Max": "attended => B",
        },
        says=("ACTION NEEDED: 1 pupil",),
    )
    # A temporary number goes out as the school gave it.
    assert {row["upn"] for row in said.rows} == {week.upn(name) for name in ("Pia", "Tia", "Sam", "Max")}
    # Whoever has no number yet is told of by the school's own.
    said = expect.message(
        "routine", to="fenside-academy", by="Mon 09:30", about={"Sam2": "not_yet_taken"}, via="drop"
    )
    [row] = said.rows
    assert (row["upn"], row["school_pupil_ref"]) == ("", week.ref("Sam2"))
    # The pupil who must not be shared is found to be here after all: nobody need be phoned any more.
    week.at("Mon 09:40").register("09:00", Sam2="/", Shy=Mark("L", minutes="30"))
    expect.message("update", to="fenside-academy", by="Mon 09:55", about={"Sam2": "present => B"}, via="drop")
    assert [row.state for row in week.rows(t.tasks, ref=unshared.ref)] == ["cleared"]
    week.at("Mon 13:04").register("13:00", Max="\\")
    expect.message("routine", to="orchard-school", by="Mon 13:30", about={"Max": "attended => B"})
    # What was owed about that pupil and not handed over is as provable as a message.
    expect.leaf("report.missed")
    expect.the_end("Mon 18:00")
    shy = week.rows(t.owed_reports, pupil_id=next(n for n, name in week.pupil_ids().items() if name == "Shy"))
    assert {(row.state, row.because) for row in shy} == {("held", "do not share this pupil")}


def by_name(week: Week, name: str) -> None:
    """Hand in a register that knows a pupil by name alone."""
    put(
        week.inbox / "names.csv",
        f"Name,Date,Start time,Mark\n{name},09/03/2026,09:00,/\n".encode(),
        week.clock.now(),
    )
    week.files += 1
    week.stirred = True
