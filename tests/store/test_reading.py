"""Statements that are put together once: the same values arrive as by SQLAlchemy's own way, on each kind of database."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Float, bindparam, cast, select

from aphub.store.bulk import add_many
from aphub.store.reading import reading
from aphub.store.tables import placements

NAMES = ["placement_id", "ref", "starts_day", "ends_day", "power", "risk_flag", "made_at", "key_id", "sealed"]


@reading("placement_id", "ref")
def some_placements(among):
    return (
        select(*(placements.c[name] for name in NAMES))
        .where(placements.c.provider_id == bindparam("provider_id"), among(placements.c.placement_id, "ids"))
        .order_by(placements.c.placement_id.desc())
    )


@reading("placement_id")
def with_a_fraction(_among):
    return select(placements.c.placement_id, cast(placements.c.version, Float).label("fraction"))


def placement(number: int) -> dict[str, object]:
    return {
        "provider_id": 1,
        "placement_id": 2**62 + number,
        "version": 1,
        "ref": f"P{number}",
        "pupil_id": number,
        "starts_day": date(2026, 3, 1 + number // 5),
        "ends_day": None if number % 2 else date(2026, 7, 1),
        "arranged_by": "school",
        "power": '"\\\x01é\N{GRINNING FACE}'[: number % 6],
        "registration": "home",
        "nature": "tuition",
        "commissioner": "hill-school",
        "standing": "agreed",
        "timetable": "[]",
        "attends_on_school_closure": False,
        "risk_flag": number % 3 == 0,
        "current": True,
        "made_at": datetime(2026, 3, 29, 0, 59, 59, 999_999 - number % 2, tzinfo=UTC),
        "made_by": "us",
        "key_id": None if number % 4 else 2**62 - 1,
        "sealed": None if number % 4 else bytes([number, 0, 255]),
    }


def test_rows_are_those_of_sqlalchemy_in_their_order(store):
    with store.transaction() as connection:
        add_many(connection, placements, [placement(number) for number in range(20)])
        ids = [2**62 + number for number in range(2, 20)]
        chosen = select(*(placements.c[name] for name in NAMES)).where(placements.c.placement_id.in_(ids))
        expected = connection.execute(chosen.order_by(placements.c.placement_id.desc())).mappings().all()
        found = some_placements(connection, provider_id=1, ids=ids)
    assert [{name: getattr(row, name) for name in NAMES} for row in found] == [dict(row) for row in expected]


def test_what_rows_say_alike_is_the_same_object(store):
    with store.transaction() as connection:
        add_many(
            connection, placements, [{**placement(number), "placement_id": number} for number in range(9)]
        )
        twin, other = some_placements(connection, provider_id=1, ids=[1, 6])
        assert twin.alike is not other.alike
        again = [{**placement(6), "placement_id": number, "ref": "other"} for number in (20, 21)]
        add_many(connection, placements, again)
        one, two = some_placements(connection, provider_id=1, ids=[20, 21])
    assert one.alike is two.alike
    assert (
        one.alike == twin.alike == (one.starts_day, one.ends_day, one.power, one.risk_flag, one.made_at, None)
    )


def test_no_key_gives_no_row(store):
    with store.reading() as connection:
        assert some_placements(connection, provider_id=1, ids=[]) == []


def test_a_fraction_is_refused_that_json_would_round(store):
    with store.reading() as connection, pytest.raises(TypeError, match="rounded"):
        with_a_fraction(connection)
