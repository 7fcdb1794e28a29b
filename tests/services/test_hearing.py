"""What far sides say later: bad news supersedes the rung, a person's answer reaches a person, nothing is taken twice."""

from datetime import timedelta

import pytest

from aphub.api import LaterKind, LaterNews, TransientDeliveryError, UncertainDeliveryError
from aphub.domain.outcomes import Outcome
from aphub.services import life, listen
from aphub.store import tables as t
from tests.told import text_of
from tests.world import School

MINUTE = timedelta(minutes=1)
TWO = (("email", "told-listens", "far"), ("drop", "told", "other"))
WORDS = "Sam Example001 is at home with his gran today."


@pytest.fixture
def world(make_world):
    """Give a school with two ways, of which the first says something later, and one report sent by it."""
    world = make_world(schools=[School(channels=TWO)])
    world.sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(world.sam)
    world.go()
    return world


def say(world, kind, number=1, *, about=None, what="", code="", words=""):
    """Let the far side say something about the first message, and listen."""
    reference = about or world.dispatches()[0].reference
    news = LaterNews(kind, f"<{number}@far.example.org>", (reference,), what, code, words)
    world.sides.news["far"].append(news)
    world.wait(MINUTE)


def stands(world):
    return [(row.channel, row.state, row.rung) for row in world.dispatches()]


def test_what_came_back_is_owed_again_and_goes_another_way(world):
    say(world, LaterKind.BOUNCED, what="the address does not exist", code="5.1.1")
    assert stands(world) == [("email", "refused", "bounced"), ("drop", "handed_over", "handed_over")]
    assert world.owed(world.sam).state == "met"
    assert "dispatch.bounced" in world.said()
    [task] = world.tasks("fix_channel")
    assert "came back: the address does not exist" in task.words
    assert world.verify().ok


def test_what_came_back_without_another_way_gives_a_person_the_phone(world):
    world.change(t.channels, {"state": "paused"}, name="drop")
    say(world, LaterKind.BOUNCED, what="the mailbox is full")
    assert stands(world) == [("email", "refused", "bounced")]
    assert world.owed(world.sam).state == "held"
    [task] = world.tasks("phone_school")
    assert "the mailbox is full" in task.words


def test_news_is_taken_once_however_often_it_is_read(world):
    for _ in range(2):
        say(world, LaterKind.BOUNCED)
    assert len(world.dispatches()) == 2
    assert world.said().count("dispatch.bounced") == 1
    assert [row.rung for row in world.rows(t.receipts)].count("bounced") == 1
    assert world.sides.marks[:3] == ["", "", "1"]


def test_acceptance_is_a_rung_and_later_bad_news_supersedes_it(world):
    say(world, LaterKind.ACCEPTED)
    assert stands(world) == [("email", "accepted", "accepted")]
    say(world, LaterKind.BOUNCED, 2)
    assert stands(world)[0] == ("email", "refused", "bounced")
    assert len(world.dispatches()) == 2
    say(world, LaterKind.ACCEPTED, 3)
    assert stands(world)[0] == ("email", "refused", "bounced")


def test_acceptance_settles_a_doubt_and_stops_what_was_to_take_its_place(make_world):
    world = make_world(schools=[School(channels=TWO)])
    world.sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(world.sam)
    world.sides.always["far"] = UncertainDeliveryError("Lost.")
    world.sides.always["other"] = TransientDeliveryError("Busy.")
    world.go()
    while world.dispatches()[0].state != "uncertain":
        world.wait(MINUTE)
    say(world, LaterKind.ACCEPTED)
    assert stands(world) == [("email", "accepted", "accepted"), ("drop", "cancelled", "prepared")]
    assert world.owed(world.sam).state == "met"
    assert not world.tasks("settle")


def test_a_persons_answer_reaches_a_person_at_once_and_is_sealed(world):
    say(world, LaterKind.REPLY, words=WORDS)
    reference = world.dispatches()[0].reference
    [task] = world.tasks("read_reply")
    assert task.words.startswith(f"For the office: Hill School answered {reference}.")
    assert task.due_at - world.clock.now() <= timedelta(minutes=10)
    assert stands(world) == [("email", "handed_over", "handed_over")]
    for row in world.rows(t.receipts) + world.rows(t.tasks) + world.rows(t.statements):
        assert b"gran" not in repr(row).encode()
    assert life.show(world.desk, reference).answers == ()
    shown = life.show(world.desk, reference, names_because="to answer them", by="Ada Example")
    assert [(one.kind, one.words) for one in shown.answers] == [("reply", WORDS)]
    assert "gran" not in repr(shown)
    say(world, LaterKind.REPLY, 2, words="And one thing more.")
    assert len(world.tasks("read_reply")) == 2


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        (LaterKind.AUTOMATIC, []),
        (LaterKind.DELAYED, []),
        (LaterKind.LEFT, ["check_address"]),
    ],
)
def test_a_machines_answer_to_routine_news_troubles_nobody_without_need(world, kind, task):
    say(world, kind, what="the office is closed")
    assert [one.kind for one in world.tasks()] == task
    assert stands(world) == [("email", "handed_over", "handed_over")]


@pytest.mark.parametrize("kind", [LaterKind.AUTOMATIC, LaterKind.DELAYED, LaterKind.LEFT])
def test_a_machines_answer_to_urgent_news_sends_a_person_to_the_phone(make_world, kind):
    world = make_world(schools=[School(channels=TWO)])
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    world.go()
    say(world, kind, what="away until Monday")
    words = [one.words for one in world.tasks() if one.kind in {"not_confirmed", "check_address"}]
    assert len(words) == 1
    assert "Phone Hill School about it." in words[0]


def test_news_about_nothing_of_ours_changes_nothing(world):
    say(world, LaterKind.BOUNCED, about="XX-00000000-1", what="no such user")
    say(world, LaterKind.REPLY, 2, about="RB-00000000-1", words="hello")
    assert world.tasks() == []
    say(world, LaterKind.BOUNCED, 3, about="RB-00000000-1", what="no such user")
    assert "it was a TEST" in world.tasks("fix_channel")[0].words
    assert stands(world) == [("email", "handed_over", "handed_over")]


def test_a_machine_that_speaks_of_another_way_is_not_believed(world):
    say(world, LaterKind.BOUNCED)
    say(world, LaterKind.BOUNCED, 2, about=world.dispatches()[1].reference)
    assert stands(world)[1] == ("drop", "handed_over", "handed_over")


@pytest.mark.parametrize("trouble", [TransientDeliveryError("Not reached."), ZeroDivisionError("a bug")])
def test_a_mailbox_that_cannot_be_read_for_long_becomes_a_task_until_it_can(world, trouble):
    world.sides.news["far"].extend([trouble] * 4)
    world.wait(MINUTE)
    assert world.tasks() == []
    for _ in range(5):
        world.wait(timedelta(minutes=10))
    assert not world.sides.news["far"]
    [task] = world.rows(t.tasks, kind="cannot_listen")
    assert "Look into the mailbox by hand." in task.words
    assert world.tasks("cannot_listen") == []
    say(world, LaterKind.BOUNCED)
    assert stands(world)[0] == ("email", "refused", "bounced")


def test_a_bounce_of_what_a_newer_message_has_replaced_sends_nothing_old(world):
    world.enter(world.sam, outcome=Outcome.LATE, minutes=20)
    world.wait(timedelta(minutes=2))
    assert len(world.dispatches()) == 2
    say(world, LaterKind.BOUNCED)
    assert [row.state for row in world.dispatches()] == ["refused", "handed_over"]
    assert "20 minutes" in text_of(world.sides.to("far")[-1])


def test_who_is_never_listened_to_is_not_asked(make_world):
    world = make_world(schools=[School()])
    assert listen.due(world.desk) == {}
    with world.hub.store.reading() as connection:
        assert listen.next_hearings(world.desk, connection, ()) == []
