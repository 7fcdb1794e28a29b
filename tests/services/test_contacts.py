"""Who is reached at home, and who must not be: set by a file and by a person, shown to the caller, and refused."""

import pytest

from aphub.domain.contacts import Restriction
from aphub.domain.errors import AphubError
from aphub.domain.stretches import Every
from aphub.services import accesses, case_acts, case_views, contacts, letters_home, people, waits
from aphub.services.people import PeopleNotTakenError
from aphub.services.summaries import Asked, summary
from aphub.store import tables as t
from tests.ladders import JO, absent, ladder, phoned, rung
from tests.registers import people_file, person
from tests.told import text_of
from tests.world import PROVIDER, TUESDAY, Placed

LADDERS = (
    ladder(
        "missing",
        "unexplained absence",
        rung("call", "phone home", "start + 15 min", until="done"),
        rung("text", "text home", "start + 15 min", until="done"),
        rung("letter", "letter home", "next school day", letter="warning", until="done"),
    )
    + '\n[letters.warning]\nsubject = "Attendance"\nbody = "{pupil} was away."\n'
)
LEAD = "Ada Example, designated safeguarding lead"
EXTRA = ("contact_restriction", "contact_note", "first_contact")
MOTHER = "Ms Example, mother, 01632 960101"
ORDER = "Court order 12/26: the father must not learn where she is."


@pytest.fixture
def world(make_world_anew):
    return make_world_anew(provider=PROVIDER + LADDERS)


def take(world, **home: str):
    preview = people.read_people(world.desk, "people.csv", people_file(person("1", **home), extra=EXTRA))
    return people.take_people(world.desk, preview, JO)


def placed(world):
    """Give who was taken in by a file, as the world names its pupils."""
    return [Placed(row.pupil_id, row.placement_id, (), "") for row in world.rows(t.placements, current=True)]


def view(world):
    [line] = case_views.cases_on(world.desk)
    return case_views.case_view(world.desk, line.ref, JO)


def test_home_that_must_not_be_reached_is_not_telephoned_written_to_or_handed_a_paper(world):
    desk = world.desk
    take(world, contact_restriction="Contact only by letter", contact_note=ORDER, first_contact=MOTHER)
    [row] = world.rows(t.pupils)
    assert b"father" not in row.sealed
    world.at("09:02")
    absent(world, *placed(world))
    steps = {one.name: one.ref for one in world.steps()}

    # Whoever is about to telephone reads it, and no name of a contact stands in what programs read.
    seen = view(world)
    call = next(one for one in seen.steps if one.ref == steps["call"])
    assert seen.restricted == f"Home may be reached by letter only: no call, no text, no email. {ORDER}"
    assert call.script[0] == f"STOP. {seen.restricted}"
    assert (call.next_call, call.reach) == ("", "")
    assert "father" not in repr(seen)

    # Refused in clear words, and kept where a person says who decided so.
    for act in (
        lambda: phoned(world, steps["call"]),
        lambda: case_acts.do_step(desk, steps["text"], JO),
        lambda: summary(desk, Asked(Every.WEEK, TUESDAY, JO, pupil="1", handed_to="mother")),
    ):
        with pytest.raises(AphubError, match="by letter only: no call, no text, no email"):
            act()
    assert world.rows(t.calls) == []
    letter = letters_home.draft(desk, steps["letter"])
    assert letter.mind == seen.restricted
    contacts.restrict(desk, "1", Restriction.NO_CONTACT, JO, ORDER)
    for wrong in (letters_home.draft, lambda desk, ref: letters_home.release(desk, ref, JO)):
        with pytest.raises(AphubError, match="Nobody at home may be contacted"):
            wrong(desk, steps["letter"])
    assert "Kept" in phoned(world, steps["call"], despite=LEAD)
    [kept] = world.rows(t.calls)
    place = f"calls:{desk.provider_id}:{kept.call_id}"
    assert desk.vault.open_json(kept.key_id, place, kept.sealed)["despite"] == LEAD
    summary(desk, Asked(Every.WEEK, TUESDAY, JO, pupil="1", handed_to="mother", despite=LEAD))
    assert accesses.viewed(desk)[0].because == f"mother; decided by {LEAD}"

    # The school is promised nothing that we shall not do, and told nothing of the restriction.
    text = text_of(world.sides.to("far")[-1])
    assert "ask our safeguarding lead what to do, and tell you" in text
    assert "phone home" not in text
    assert "father" not in text


def test_restriction_is_lifted_by_the_safeguarding_lead_and_by_no_file(world):
    desk = world.desk
    take(world, first_contact=MOTHER)
    assert contacts.show(desk, "1", JO).people == (("first contact", MOTHER),)
    assert accesses.viewed(desk)[0].because == "who is reached at home"
    contacts.restrict(desk, "1", Restriction.NO_CONTACT, JO, ORDER)
    take(world, first_contact=MOTHER)  # an empty cell lifts nothing
    found = contacts.show(desk, "1", JO)
    assert found.restriction is Restriction.NO_CONTACT
    assert found.words.endswith(f"{ORDER} (Tuesday 3 March 2026, {JO})")
    with pytest.raises(PeopleNotTakenError, match="restricted more strictly than this says"):
        take(world, contact_restriction="letter only")
    for restriction in (None, Restriction.LETTER_ONLY):
        with pytest.raises(AphubError, match="Only the safeguarding lead"):
            contacts.restrict(desk, "1", restriction, JO)
    contacts.restrict(desk, "1", None, LEAD)
    assert contacts.show(desk, "1", JO).words == ""
    assert world.said().count("contact.changed") == 2
    assert world.verify().ok
    with pytest.raises(AphubError, match="longer than 500"):
        contacts.restrict(desk, "1", Restriction.NO_CONTACT, JO, "x" * 501)
    with pytest.raises(AphubError, match="We know no pupil"):
        contacts.show(desk, "2", JO)


def test_open_step_says_at_once_that_home_is_not_reached_any_more_and_whose_it_is_now(world):
    take(world, first_contact=MOTHER)
    world.at("09:02")
    absent(world, *placed(world))
    [before] = case_views.cases_on(world.desk)
    assert before.next_step.startswith("Phone home")
    said = contacts.restrict(world.desk, "1", Restriction.NO_CONTACT, JO, ORDER)
    assert f"Case {before.ref}" in said
    [after] = case_views.cases_on(world.desk)
    assert (after.next_step, after.owner) == (contacts.INSTEAD, world.desk.config.provider.who(contacts.LEAD))
    assert not any("Phone home" in one.words for one in waits.waiting(world.desk))
    seen = view(world)
    assert {one.words for one in seen.steps} == {contacts.INSTEAD}  # the text and the letter too
    assert f"{ORDER} (Tuesday 3 March 2026, {JO})" in seen.restricted
    [step] = [one.ref for one in world.steps() if one.name == "call"]
    case_acts.skip_step(world.desk, step, LEAD, "the grandmother brings her")
    contacts.restrict(world.desk, "1", None, LEAD)
    assert {one.words for one in view(world).steps} & {contacts.INSTEAD} == set()


def test_caller_is_shown_the_person_who_is_next(world):
    take(world, first_contact=MOTHER)
    world.at("09:02")
    absent(world, *placed(world))
    call = next(one for one in view(world).steps if one.next_call)
    assert (call.next_call, call.reach, call.words) == ("first contact", MOTHER, "Phone home.")
    assert MOTHER not in repr(call)
