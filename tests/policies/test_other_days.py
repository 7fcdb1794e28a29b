"""A day at CST AEP with the pupils who are seldom in a week: on trial, not yet agreed, alike in name, not to be shared."""

from collections import Counter

from aphub.demo.day import put
from aphub.domain.identifiers import upn_check_letter
from aphub.services import answering
from aphub.store import tables as t
from tests.policies.week import OFFICE, PlayWeek, Week, child

BARN = "Mon-Fri 09:00-11:30 in person @ Long Barn"
BOTH = f"{BARN}; Mon-Fri 13:00-14:30 in person @ Long Barn"
MONDAY = {"ends": "2026-03-09"}
TEMPORARY = "99940001011A"
"""A number that a school gives until the permanent one has come: its last sign is a letter."""
BY_NAME = {
    "providers/cst.toml": lambda text: text.replace("[safeguarding]", "match_by_name = true\n\n[safeguarding]", 1)
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

    week.at("Mon 09:03").register("09:00", Pia="/", Tia="L", Shy="N", Max="/")
    by_name(week, "Sam Example")
    # A name that two have is nobody's: no mark is guessed onto either, and both schools hear that it is not known yet.
    which = expect.question("several_pupils")
    print(expect.story())
    week.at("Mon 09:20")
    answering.answer_question(week.desk, which.ref, OFFICE, pupil=week.ref("Sam"))
    week.stirred = True
    print(expect.story())
    week.at("Mon 09:40")
    print(expect.story())
    week.at("Tue 12:00")
    print(expect.story())
    for one in week.said(): print(one, one.text)
    print(week.rows(t.owed_reports))
    assert 0


def by_name(week: Week, name: str) -> None:
    """Hand in a register that knows a pupil by name alone."""
    put(
        week.inbox / "names.csv",
        f"Name,Date,Start time,Mark\n{name},09/03/2026,09:00,/\n".encode(),
        week.clock.now(),
    )
    week.files += 1
    week.stirred = True
