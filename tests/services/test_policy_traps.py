"""The traps of the policies that only a running hub can fall into."""

from datetime import timedelta

import pytest

from aphub.domain.absences import Stretch, Teller
from aphub.domain.entries import Action, Fact
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services import absences, cancel, intake
from aphub.store import tables as t
from tests.registers import Handed, register
from tests.told import facts_of, outcomes_of, text_of
from tests.world import DAILY, TUESDAY, World

OFFICE = "Robin, office"
START_15 = {"daily": 'cadence = "per session"\nentry_due = "start + 15 min"\ndue = "start + 15 min"'}


@pytest.fixture
def small(make_world_anew) -> World:
    return make_world_anew()


def test_trap_6_presence_is_reported_too_so_that_silence_means_trouble(make_world_anew):
    world = make_world_anew(agreements=START_15)
    sam, alex = world.pupil(), world.pupil(given="Alex")
    world.owe()
    world.at("09:04")
    world.enter([sam, alex])
    world.at("09:05")
    [told] = world.sides.to("far")
    assert outcomes_of(told) == {(sam.upn, "AM"): "present", (alex.upn, "AM"): "present"}
    assert not facts_of(told)["late"]


def test_trap_8_a_provider_who_cancels_says_at_once_that_the_child_is_not_in_the_building(make_world_anew):
    # A school that agreed to hear at 9:45am hears this hours before.
    small = make_world_anew(agreements={"daily": DAILY["daily"] + '\nsend = "at time"'})
    sam = small.pupil()
    small.owe()
    cancel.cancel_lessons(small.desk, cancel.Which(TUESDAY), cancel.Because.STAFF, OFFICE)
    small.at("07:05")
    [told] = small.sides.to("far")
    assert facts_of(told)["kind"] == "alert"
    assert outcomes_of(told) == {(sam.upn, "AM"): "cancelled"}
    assert "pupil not in our building" in " ".join(text_of(told).split())
    assert facts_of(told)["rows"][0]["suggested_code"] == ""


def test_trap_10_a_safeguarding_concern_travels_as_a_flag_and_a_phone_call_never_as_words(small):
    sam = small.pupil(risk=True)
    small.owe()
    small.at("09:02")
    concern = "came with bruises, says stepfather hit him; social worker told"
    told = Action(small.clock.now(), "told our safeguarding lead")
    small.enter(sam, outcome=Outcome.ABSENT, note=concern, actions=[told])
    small.at("09:03").at("09:43")
    everything = b"".join(
        document.content.lower() for one in small.sides.to("far") for document in one.documents
    )
    for word in (b"bruise", b"stepfather", b"social worker"):
        assert word not in everything
    assert "Phone us about this pupil." in text_of(small.sides.to("far")[0])
    rows = [row for table in (t.entries, t.reports, t.dispatches) for row in small.rows(table)]
    assert not any(b"bruise" in bytes(row.sealed or b"") for row in rows)


def test_trap_18_news_from_parents_and_schools_fills_the_register_before_the_lesson(small):
    sam, alex = small.pupil(), small.pupil(given="Alex")
    small.owe()
    today = Stretch(TUESDAY, TUESDAY)
    ill = absences.News("P0001", Fact(Outcome.ABSENT, ReasonKind.ILL), today, Teller.PARENT)
    with_them = absences.News("P0002", Fact(Outcome.AT_HOME_SCHOOL), today, Teller.SCHOOL)
    for news in (ill, with_them):
        assert absences.know_absence(small.desk, news, OFFICE).ahead == 1
    small.at("09:43")
    [told] = small.sides.to("far")
    assert facts_of(told)["kind"] == "routine"
    assert outcomes_of(told) == {(sam.upn, "AM"): "absent", (alex.upn, "AM"): "at_home_school"}
    codes = {row["upn"]: row["suggested_code"] for row in facts_of(told)["rows"]}
    assert codes == {sam.upn: "I", alex.upn: ""}


def test_trap_18_a_register_that_only_counts_the_absence_keeps_the_reason_we_were_told(small):
    sam = small.pupil()
    small.owe()
    ill = absences.News(
        "P0001", Fact(Outcome.ABSENT, ReasonKind.ILL), Stretch(TUESDAY, TUESDAY), Teller.PARENT
    )
    absences.know_absence(small.desk, ill, OFFICE)
    small.at("09:05")
    # An empty cell takes nothing back, and "absent" alone takes no reason away.
    for number, mark in enumerate(("", "Absent")):
        rows = register(("P0001", mark), name=f"register-{number}.csv")
        assert intake.take_in(small.desk, "registers", Handed(), rows).state == "taken"
    [entry] = small.rows(t.entries, current=True)
    assert (entry.outcome, entry.reason) == ("absent", "ill")
    # A child who came has come.
    rows = register(("P0001", "Present"), name="register-9.csv")
    intake.take_in(small.desk, "registers", Handed(), rows)
    small.wait(timedelta(minutes=2)).at("09:43")
    assert outcomes_of(small.sides.to("far")[-1]) == {(sam.upn, "AM"): "present"}
