"""What a person types is kept whole, or refused before anything is kept: never cut off in secret."""

from collections.abc import Callable

import pytest

from aphub.domain.calls import CallResult
from aphub.domain.errors import AphubError
from aphub.services import actions, approve, case_acts, erase, legal_holds, receipts, rectify, wrong_school
from aphub.services.accesses import What, note
from aphub.services.calling import Call, call_about_step
from aphub.store import tables as t
from tests.ladders import JO, MISSING, missing, roles
from tests.services.test_erase import end_placement
from tests.world import PROVIDER, World

LONG = "Zebedee Marrow was seen at the gate. " * 200


def step_ref(world: World) -> str:
    return str(world.rows(t.steps)[0].ref)


ACTS: dict[str, Callable[[World, str], object]] = {
    "a legal hold": lambda world, words: legal_holds.place(world.desk, "P0001", JO, words),
    "an erasure": lambda world, words: erase.erase(world.desk, "P0001", JO, words),
    "why a person looks": lambda world, words: note(world.desk, What.SUMMARY, "2026", JO, [1], words),
    "who looks": lambda world, words: note(world.desk, What.SUMMARY, "2026", words, [1]),
    "a note on a record": lambda world, words: rectify.add_note(world.desk, "P0001", JO, words),
    "the answer to a note": lambda world, words: rectify.add_note(
        world.desk, "P0001", JO, "No.", answer=words
    ),
    "what a note is about": lambda world, words: rectify.add_note(
        world.desk, "P0001", JO, "No.", about=words
    ),
    "why a way is paused": lambda world, words: approve.pause(world.desk, "hill-school", "email", JO, words),
    "what a school said": lambda world, words: receipts.confirm(
        world.desk, world.dispatches()[0].reference, JO, words
    ),
    "what a step found": lambda world, words: case_acts.do_step(world.desk, step_ref(world), JO, words),
    "why a step is left out": lambda world, words: case_acts.skip_step(
        world.desk, step_ref(world), JO, words
    ),
    "what was said in a call": lambda world, words: call_about_step(
        world.desk, step_ref(world), Call(CallResult.ANSWERED, JO, answered_by="mother", said=words)
    ),
    "what came of a task": lambda world, words: actions.finish_task(world.desk, "T-1", JO, words),
    "who deleted it": lambda world, words: wrong_school.deleted(
        world.desk, world.dispatches()[0].reference, JO, words
    ),
}


def test_words_longer_than_we_keep_are_refused_and_nothing_changes(make_world_anew):
    world = make_world_anew(
        provider=PROVIDER + roles(office="the office", leadership="Kim Hart, head") + MISSING
    )
    end_placement(world, missing(world))
    before = {table.name: world.rows(table) for table in t.metadata.sorted_tables}
    for what, act in ACTS.items():
        with pytest.raises(AphubError, match=r"is longer than \d+ letters\. Nothing was changed") as refused:
            act(world, LONG)
        assert "Zebedee" not in str(refused.value), what
        assert {table.name: world.rows(table) for table in t.metadata.sorted_tables} == before, what


def test_words_of_the_full_length_are_kept_to_the_last_letter(make_world_anew):
    world = make_world_anew()
    world.pupil()
    legal_holds.place(world.desk, "P0001", JO, "x" * 199 + "y")
    assert world.rows(t.legal_holds)[0].because == "x" * 199 + "y"
