"""Ways round an approval that leave the destination as it is: whatever was approved with it takes the approval back."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import SecretStr

from aphub.domain.errors import AphubError
from aphub.domain.ledger import read_statement
from aphub.services import approve
from aphub.services.routes import Route
from aphub.services.way import NotYetError, may_be_one
from aphub.store import tables as t
from tests.configured import PROVIDER, School
from tests.school_systems import SIGNED
from tests.told import text_of
from tests.world import World, build_world

EMAIL, MIS = ("email", "told", "far"), ("mis", "told-register", "mis")
HILL = School(channels=(EMAIL, MIS), extra=SIGNED.format(codes='["B"]'))


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str) -> Iterator[World]:
    made = build_world(tmp_path / "home", sqlite_url, schools=[HILL])
    yield made
    made.hub.close()


def states(world: World) -> dict[str, str]:
    return {row.name: row.state for row in world.rows(t.channels)}


def route_of(world: World, channel: str = "api") -> Route | None:
    return world.desk.routes.one("hill-school", channel)


def publish(world: World, school: School, urn: str = "999001") -> dict[str, str]:
    world.configure(schools=[school])
    file = world.home / "config/schools/hill-school.toml"
    file.write_text(file.read_text().replace("999001", urn))
    world.hub.apply("test")
    return states(world)


def test_what_was_approved_beside_the_destination_takes_the_approval_back_when_it_changes(world):
    both = {"email": "live", "mis": "live"}
    assert publish(world, replace(HILL, extra='phone = "01632 960001"\n' + HILL.extra)) == both
    more = replace(HILL, extra=SIGNED.format(codes='["B", "N"]'))
    assert publish(world, more) == {"email": "live", "mis": "changed"}
    with pytest.raises(NotYetError):
        approve.approve(world.desk, "hill-school", "mis", "Sam Field, head")
    with pytest.raises(NotYetError, match="not paused"):
        approve.resume(world.desk, "hill-school", "mis", "Sam Field, head")
    # To publish it once more changes nothing about it, and neither does taking the letter out again.
    assert publish(world, more)["mis"] == "changed"
    assert publish(world, HILL)["mis"] == "changed"

    world.go_live()
    fewer = replace(HILL, extra=SIGNED.format(codes="[]"))
    assert publish(world, fewer) == both
    assert publish(world, HILL) == {
        "email": "live",
        "mis": "changed",
    }  # the school is asked about each letter

    world.go_live()
    publish(world, replace(HILL, channels=(MIS,)))
    assert publish(world, HILL) == {"email": "changed", "mis": "live"}  # taken out, and put back
    world.go_live()
    assert publish(world, HILL, urn="999777") == {"email": "changed", "mis": "changed"}  # another school

    # Nothing about a pupil leaves by what was taken back, and the proof says that it was.
    [(_, notice)] = world.sides.heard
    assert "send none here any more" in text_of(notice)  # as the way was taken out
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:46")
    assert [delivery for _, delivery in world.sides.heard] == [notice]
    assert world.owed(sam).state == "held"
    said = [read_statement(row.body) for row in world.rows(t.statements) if row.kind == "channel.changed"]
    assert [one["channel"] for one in said] == ["mis", "mis", "email", "email", "mis"]
    assert all(one["before"] == one["destination"] for one in said)
    assert world.verify().ok


def test_a_test_that_was_read_back_for_fewer_letters_counts_for_no_more(world):
    world.change(t.channels, {"state": "draft", "approved_destination": None}, name="mis")
    way = ("hill-school", "mis")
    approve.check(world.hub, world.desk, *way)
    approve.test_report(world.hub, world.desk, *way, "Jo Weaver")
    approve.read_back(world.desk, *way, "Mrs Hill, data manager", "Jo Weaver")
    assert publish(world, replace(HILL, extra=SIGNED.format(codes='["B", "O"]')))["mis"] == "draft"
    with pytest.raises(NotYetError):
        approve.approve(world.desk, *way, "Sam Field, head")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Jo Weaver", "Sam Field"), ("Jo Weaver", "Jo Field"), ("J Weaver", "K Weaver"), ("", "Jo")],
)
def test_two_people_stay_two(one, other):
    assert not may_be_one(one, other)


def test_a_template_of_ones_own_is_a_part_of_what_was_approved(world):
    template = world.home / "ours.toml"
    shipped = (files("aphub_rest") / "templates/example-mis.toml").read_text()
    template.write_text(shipped)
    world.hub.keys.set_secret("hill", SecretStr("s3cret"), world.clock.now())
    connection = (
        f'[connections.api]\nadapter = "rest"\nbase_url = "https://api.example.org/v1/"\ntemplate = "{template}"\n'
        'user = "hub"\nsecret = "secret:hill"\nsecond_secret = "secret:hill"\n'
    )
    extra = HILL.extra + '[[channels]]\nname = "api"\nconnection = "api"\nschool = "hill"\n'
    world.configure(schools=[School(extra=extra)], provider=f"{PROVIDER}\n{connection}")
    world.go_live()
    desk, way = world.desk, route_of(world)
    assert way is not None
    world.hub.adapter(desk, way)
    template.write_text(shipped.replace("/marks", "/elsewhere"))
    with pytest.raises(AphubError, match="changed and not published"):
        world.hub.adapter(desk, way)
    with pytest.raises(NotYetError, match="not published"):
        approve.pause(world.desk, "hill-school", "api", "Sam Field")
    world.hub.apply("test")
    assert states(world)["api"] == "changed"
    template.unlink()
    assert route_of(world) is None  # a way whose template is gone carries nothing
