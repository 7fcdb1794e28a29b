"""Our own office hears what waits for a person: soon, together, once, again when it is overdue, and nothing of a pupil."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from aphub.api import TransientDeliveryError
from aphub.clock import PlayedClock
from aphub.domain.errors import AphubError
from aphub.domain.outcomes import ReasonKind
from aphub.services import office, receipts
from aphub.services.fallback import open_task
from aphub.settings.load import ConfigurationError
from aphub.store import tables as t
from tests.ladders import MISSING, absent, phoned, roles
from tests.told import text_of
from tests.world import PROVIDER, World

OFFICE = '[office]\nconnection = "told-desk"\naddress = "office@riverbank.example.org"\n'
DESK = '[connections.told-desk]\nadapter = "told"\nfar = "desk"\n'
OURS = PROVIDER + roles(office="Jo Weaver, office", leadership="Kim Hart, head") + MISSING + OFFICE + DESK


@pytest.fixture
def world(make_world) -> World:
    made: World = make_world(provider=OURS)
    return made


@pytest.fixture
def small(make_world_anew) -> World:
    made: World = make_world_anew(provider=OURS)
    return made


def told(world: World) -> list[str]:
    """Give what the office was mailed, in words."""
    return [" ".join(text_of(one).split()) for one in world.sides.to("desk")]


def look(world: World, later: timedelta = timedelta()) -> str:
    if later:
        world.wait(later)
    return office.tell_office(world.hub, world.desk)


def away(world: World, *, pupils: int = 1) -> None:
    """Let pupils be away at nine, and the register say so two minutes later."""
    some = [world.pupil() for _ in range(pupils)]
    world.owe()
    world.at("09:02")
    absent(world, *some)


def test_pressing_news_is_mailed_at_once_with_whose_it_is_and_never_a_pupil(world):
    away(world)
    assert look(world)
    [words] = told(world)
    [case] = world.rows(t.cases)
    assert words.startswith("Riverbank AP to Riverbank AP, office. Reference RB-")
    assert f"1 thing waits for a person. {case.ref}: not here, reason not known." in words
    assert "Phone home. The numbers are in your own file (Jo Weaver, office)." in words
    assert "By 9:15am on Tuesday 3 March 2026." in words
    assert f"aphub case {case.ref}" in words
    [delivery] = world.sides.to("desk")
    for secret in ("Sam", "Example", "P0001", world.rows(t.pupils)[0].ref):
        assert secret not in words
        assert all(secret not in document.name for document in delivery.documents)
    assert delivery.reports == ()
    assert world.said()[-1] == "office.told"
    assert receipts.verify(world.desk).ok


def test_what_is_mailed_at_once_is_never_called_late(small):
    class Ticking(PlayedClock):
        """A clock that goes on, as a real one does."""

        def now(self) -> datetime:
            self.advance_to(super().now() + timedelta(microseconds=1))
            return super().now()

    away(small)
    office.tell_office(small.hub, replace(small.desk, clock=Ticking(small.clock.now())))
    assert '"late": false' in small.sides.to("desk")[0].documents[0].content.decode()


def test_each_thing_is_told_once_and_once_more_when_it_is_overdue(world):
    away(world)
    assert look(world)
    assert not look(world)
    assert not look(world, timedelta(minutes=2))
    assert look(world, timedelta(minutes=12))  # 9:16: the call home was due at 9:15
    assert "Overdue, also for Kim Hart, head." in told(world)[-1]
    assert not look(world, timedelta(minutes=1))
    phoned(world, world.rows(t.cases)[0].ref, reason=ReasonKind.ILL)
    world.go()
    assert not look(world, timedelta(hours=2))  # nothing waits any more


def test_eight_who_are_away_are_one_mail(world):
    away(world, pupils=8)
    assert look(world)
    assert not look(world)
    [words] = told(world)
    assert "8 things wait for a person." in words
    assert words.count("aphub case") == 8


def test_what_is_not_pressing_waits_for_company_and_is_told_all_the_same(small):
    away(small)
    assert look(small)
    later = small.clock.now() + timedelta(hours=3)
    with small.desk.store.transaction() as connection:
        open_task(small.desk, connection, "check_way", "hill", None, "Look at this.", later)
    small.change(t.tasks, {"due_at": later}, kind="check_way")
    assert not look(small, timedelta(minutes=5))
    assert look(small, timedelta(minutes=11))
    assert "Look at this." in told(small)[-1]


def test_more_than_a_message_describes_is_counted(small):
    away(small, pupils=office.MOST + 5)
    look(small)
    [words] = told(small)
    assert "25 things wait for a person." in words
    assert "And 5 more." in words


def test_mail_that_cannot_leave_is_tried_again_and_waits_for_a_person_meanwhile(world):
    world.sides.closed_for_good["desk"] = TransientDeliveryError("Nobody answers there.")
    away(world)
    assert not look(world)
    [task] = world.tasks(office.TASK)
    assert "Our own office could not be mailed what waits. Nobody answers there." in task.words
    assert not look(world)  # not again at once
    del world.sides.closed_for_good["desk"]
    assert not told(world)
    assert look(world, office.AGAIN[0])
    assert len(told(world)) == 1
    assert office.TASK not in told(world)[0]
    assert world.tasks(office.TASK) == []
    assert world.verify().ok


def test_tries_grow_rarer_and_never_end(small):
    small.sides.closed_for_good["desk"] = TransientDeliveryError("Nobody answers there.")
    away(small)
    for _ in range(60):
        look(small, timedelta(minutes=1))
    assert 5 <= small.sides.opened.count("desk") <= 9


def test_all_of_it_is_mailed_on_demand_and_without_a_way_the_mend_is_said(world, make_world_anew):
    away(world)
    look(world)
    assert office.mail_all_of_it(world.hub, world.desk)
    assert len(told(world)) == 2
    without = make_world_anew()
    assert not look(without)
    with pytest.raises(AphubError, match=r"no way to its own office.*Add \[office\]"):
        office.mail_all_of_it(without.hub, without.desk)


def test_figures_of_the_day_are_mailed_once_at_their_time_and_point_at_nobody(make_world):
    summaries = 'summaries = [{every = "day", at = "15:45"}, {every = "week", at = "15:45"}]\n'
    world = make_world(provider=OURS.replace("[office]\n", f"[office]\n{summaries}"))
    away(world)
    assert look(world)
    phoned(world, world.rows(t.cases)[0].ref, reason=ReasonKind.ILL)
    world.at("15:44")
    world.go()
    assert not look(world)
    assert look(world, timedelta(minutes=1))
    assert not look(world, timedelta(minutes=1))
    words = told(world)[-1]
    assert "Attendance here, Tuesday 3 March 2026" in words
    assert "Did not attend 1 100.0%" in words
    assert "Hill School 1 1 1 0" in words  # owed, sent, in time, not sent
    assert "aphub summary day --day 2026-03-03" in words
    for secret in ("Sam", "Example", world.rows(t.pupils)[0].ref):
        assert secret not in words
    world.at("15:46", date(2026, 3, 6))
    while look(world):
        pass
    [week] = [words for words in told(world) if "week of Monday 2 March 2026" in words]
    assert "By weekday" in week
    assert world.said()[-1] == "office.told"
    assert world.verify().ok


@pytest.mark.parametrize(
    ("office_toml", "says"),
    [
        (
            '[office]\nconnection = "mial"\naddress = "a@riverbank.example.org"\n',
            "is no connection of riverbank",
        ),
        ('[office]\nconnection = "told-desk"\n', "office.address"),
        (
            '[office]\nconnection = "voice"\naddress = "x"\n[connections.voice]\nadapter = "told-person"\n',
            "Name a connection that sends mail",
        ),
    ],
)
def test_a_way_to_the_office_that_cannot_be_is_refused_by_apply(make_world_anew, office_toml, says):
    with pytest.raises(ConfigurationError, match=says):
        make_world_anew(provider=PROVIDER + office_toml + DESK)
