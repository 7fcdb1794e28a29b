"""The way to a live channel, and every way round it."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from aphub.api.adapters import CheckStep
from aphub.api.errors import RefusedDeliveryError, UncertainDeliveryError
from aphub.domain.errors import AphubError
from aphub.domain.identifiers import UpnState, check_upn
from aphub.domain.ledger import read_statement
from aphub.domain.outcomes import Outcome
from aphub.services import approve, tell
from aphub.services.way import NotYetError, SecondPersonError, WrongCodeError
from aphub.store import tables as t
from aphub.testing import search_for_planted
from tests.told import Told, text_of
from tests.world import DAILY, School, World, write_config

JO, SAM = "Jo Weaver, office", "Sam Field, head"
HILL = ("hill-school", "email")
SIGNED = '[signed_codes]\ncodes = ["B"]\nsigned_by = "head"\non = 2026-01-05\n'


@pytest.fixture
def world(make_world):
    return make_world(live=False)


def channel(world: World, name: str = "email"):
    [row] = [row for row in world.rows(t.channels) if row.name == name]
    return row


def code_in(world: World) -> str:
    found = re.search(r"phone: (\d{6})", text_of(world.sides.heard[-1][1]))
    assert found
    return found[1]


def sent(world: World, by: str = JO) -> str:
    approve.check(world.hub, world.desk, *HILL)
    approve.test_report(world.hub, world.desk, *HILL, by)
    return code_in(world)


def read_back(world: World, by: str = JO) -> None:
    approve.read_back(world.desk, *HILL, sent(world, by), by)


def go_live(world: World) -> None:
    read_back(world)
    approve.approve(world.desk, *HILL, SAM)


# The way


def test_each_step_brings_the_channel_one_state_further(world):
    assert channel(world).state == "draft"
    assert all(step.ok for step in approve.check(world.hub, world.desk, *HILL))
    assert channel(world).state == "checked"
    one = approve.test_report(world.hub, world.desk, *HILL, JO)
    assert channel(world).state == "tested"
    approve.read_back(world.desk, *HILL, code_in(world), JO)
    assert channel(world).state == "tested"
    approve.approve(world.desk, *HILL, SAM)
    live = channel(world)
    assert (live.state, live.approved_by, live.approved_destination) == ("live", SAM, live.destination)
    assert world.said()[-2:] == ["test.sent", "channel.approved"]
    assert one.reference == world.sides.heard[-1][1].key
    assert world.verify().ok


def test_test_message_is_about_invented_pupils_and_says_so(world):
    sam = world.pupil()
    world.owe()
    sent(world)
    delivery = world.sides.heard[-1][1]
    assert delivery.test
    assert text_of(delivery).startswith("TEST.")
    for row in delivery.rows:
        assert check_upn(row["upn"]).state is UpnState.OK
        assert row["upn"][1:4] == "999"
        assert row["upn"] != sam.upn
        assert row["outcome"].startswith("TEST ")


def test_code_is_kept_sealed(world):
    code = sent(world)
    assert code.encode() not in channel(world).sealed
    assert code not in str([row for table in (t.channels, t.statements) for row in world.rows(table)])


def test_ledger_names_nobody(world):
    go_live(world)
    for row in world.rows(t.statements):
        assert b"Sam" not in row.body
        assert b"Jo" not in row.body
    assert re.fullmatch("[0-9a-f]{64}", read_statement(bytes(world.rows(t.statements)[-1].body))["by"])


def test_approved_channel_carries_what_waited_for_it(world):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:06")
    assert world.owed(sam).state == "held"
    assert world.sides.heard == []
    assert [task.kind for task in world.tasks()] == ["phone_school"]
    read_back(world)
    assert approve.approve(world.desk, *HILL, SAM) == 1
    world.go()
    assert world.owed(sam).state == "met"
    assert not world.sides.heard[-1][1].test
    assert world.tasks() == []


# Ways round it


def test_unchecked_channel_is_not_sent(world):
    with pytest.raises(NotYetError, match="aphub check hill-school email"):
        approve.test_report(world.hub, world.desk, *HILL, JO)
    assert world.sides.heard == []


def test_failed_check_leaves_a_draft_and_takes_a_checked_one_back(world):
    class Failing(Told):
        def check(self, route: object) -> Iterator[CheckStep]:
            yield CheckStep("reached", ok=True)
            raise RefusedDeliveryError("Their server is another one.", what_now="Phone them")

    class Fails:
        def adapter(self, desk, route) -> Failing:
            return Failing(route.connection_settings, world.hub.tools(world.desk))

    steps = approve.check(Fails(), world.desk, *HILL)
    assert [step.ok for step in steps] == [True, False]
    assert steps[-1].mend == "Phone them"
    assert channel(world).state == "draft"
    approve.check(world.hub, world.desk, *HILL)
    approve.check(Fails(), world.desk, *HILL)
    assert channel(world).state == "draft"


def test_untested_channel_is_not_approved(world):
    approve.check(world.hub, world.desk, *HILL)
    with pytest.raises(NotYetError, match="No TEST message"):
        approve.approve(world.desk, *HILL, SAM)


def test_unread_code_is_no_approval(world):
    sent(world)
    with pytest.raises(NotYetError, match="Nobody at the school has read"):
        approve.approve(world.desk, *HILL, SAM)


@pytest.mark.parametrize(
    "by",
    [
        JO,
        "jo weaver",
        "JO  WEAVER, head",
        "Weaver Jo",
        "Ms Jo Weaver (head)",
        "Jö Weaver",
        "J. Weaver",
        "Jo",
        "Jo Anna Weaver",
        "\uff2a\uff4f Weaver",
    ],
)
def test_whoever_sent_the_test_cannot_approve_it(world, by):
    read_back(world)
    with pytest.raises(SecondPersonError):
        approve.approve(world.desk, *HILL, by)
    assert channel(world).state == "tested"


def test_whoever_typed_the_code_cannot_approve_it(world):
    code = sent(world, "Kit Third")
    approve.read_back(world.desk, *HILL, code, JO)
    with pytest.raises(SecondPersonError):
        approve.approve(world.desk, *HILL, JO)
    approve.approve(world.desk, *HILL, SAM)


def test_nobody_is_no_second_person(world):
    read_back(world)
    with pytest.raises(AphubError, match="the name"):
        approve.approve(world.desk, *HILL, " , head")


def test_five_wrong_codes_end_the_test(world):
    code = sent(world)
    wrong = "000000"
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCodeError, match=f"{left} tr"):
            approve.read_back(world.desk, *HILL, wrong, JO)
    with pytest.raises(WrongCodeError, match="fifth"):
        approve.read_back(world.desk, *HILL, wrong, JO)
    with pytest.raises(NotYetError):
        approve.read_back(world.desk, *HILL, code, JO)
    assert channel(world).state == "checked"


def test_newer_test_voids_the_older_code_and_its_reading(world):
    old = sent(world)
    approve.read_back(world.desk, *HILL, old, JO)
    approve.test_report(world.hub, world.desk, *HILL, JO)
    with pytest.raises(NotYetError):
        approve.approve(world.desk, *HILL, SAM)
    if old != code_in(world):
        with pytest.raises(WrongCodeError):
            approve.read_back(world.desk, *HILL, old, JO)


def test_code_with_spaces_is_read(world):
    code = sent(world)
    approve.read_back(world.desk, *HILL, f" {code[:3]} {code[3:]}", JO)


def test_old_code_and_old_test_count_no_more(world):
    code = sent(world)
    world.clock.advance(timedelta(days=8))
    with pytest.raises(NotYetError, match="older than 7 days"):
        approve.read_back(world.desk, *HILL, code, JO)
    read_back(world)
    world.clock.advance(timedelta(days=15))
    with pytest.raises(NotYetError, match="older than 14 days"):
        approve.approve(world.desk, *HILL, SAM)


def move(world: World, far: str = "elsewhere") -> None:
    write_config(world.home, [School(channels=(("email", "told", far),))], DAILY)
    world.hub.apply("test")


def test_changed_destination_begins_anew(world):
    read_back(world)
    move(world)
    assert channel(world).state == "draft"
    with pytest.raises(NotYetError):
        approve.approve(world.desk, *HILL, SAM)
    approve.check(world.hub, world.desk, *HILL)
    with pytest.raises(NotYetError):
        approve.approve(world.desk, *HILL, SAM)


def test_live_channel_that_moved_needs_all_steps_again(world):
    go_live(world)
    code = code_in(world)
    move(world)
    assert channel(world).state == "changed"
    for step in (
        lambda: approve.approve(world.desk, *HILL, SAM),
        lambda: approve.read_back(world.desk, *HILL, code, JO),
        lambda: approve.test_report(world.hub, world.desk, *HILL, JO),
        lambda: approve.resume(world.desk, *HILL, SAM),
    ):
        with pytest.raises(NotYetError):
            step()
    go_live(world)
    assert channel(world).approved_destination == channel(world).destination


def test_message_frozen_for_the_old_address_is_made_anew_for_the_new_one(world):
    go_live(world)
    sam = world.pupil()
    world.owe()
    world.sides.closed_for_good["far"] = RefusedDeliveryError("no")
    world.at("09:05")
    world.enter(sam, outcome=Outcome.ABSENT)
    # The message is made and waits; then the address changes under it.
    tell.tell_now(world.desk)
    move(world)
    world.deliver()
    world.go()
    [old] = world.dispatches()
    assert old.state == "held"
    go_live(world)
    world.go()
    states = world.states()
    assert states[0] == ("routine", "email", "cancelled")
    assert states[1] == ("routine", "email", "handed_over")
    assert [far for far, delivery in world.sides.heard if not delivery.test] == ["elsewhere"]


def test_test_that_could_not_be_sent_changes_nothing(world):
    approve.check(world.hub, world.desk, *HILL)
    world.sides.says("far", UncertainDeliveryError("The answer was lost."))
    with pytest.raises(UncertainDeliveryError):
        approve.test_report(world.hub, world.desk, *HILL, JO)
    assert channel(world).state == "checked"
    with pytest.raises(NotYetError):
        approve.read_back(world.desk, *HILL, code_in(world), JO)


def test_unknown_channel_names_those_that_are_there(world):
    with pytest.raises(AphubError, match="hill-school email"):
        approve.check(world.hub, world.desk, "hill-school", "mail")
    with pytest.raises(AphubError, match="hill-school"):
        approve.check(world.hub, world.desk, "hill", "email")


# Passphrases, registers, pauses


def protect(world: World, address: str = "attendance@hill-school.example.org") -> None:
    path = world.home / "config" / "schools" / "hill-school.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(("address", "protection"))]
    path.write_text("\n".join([*lines, f'address = "{address}"', 'protection = "file"', ""]))
    world.hub.apply("test")


def test_passphrase_is_shown_once_and_stays_with_its_destination(world):
    protect(world)
    approve.check(world.hub, world.desk, *HILL)
    first = approve.test_report(world.hub, world.desk, *HILL, JO)
    assert re.fullmatch("(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}", first.passphrase)
    assert first.passphrase not in repr(first)
    assert world.desk.file_password(channel(world)) == first.passphrase
    assert approve.test_report(world.hub, world.desk, *HILL, JO).passphrase == ""
    assert world.desk.file_password(channel(world)) == first.passphrase
    assert search_for_planted(bytes(channel(world).sealed), planted=[first.passphrase]) == []
    renewed = approve.test_report(world.hub, world.desk, *HILL, JO, new_passphrase=True).passphrase
    assert renewed not in {"", first.passphrase}
    assert world.desk.file_password(channel(world)) == renewed


def test_new_destination_has_a_passphrase_of_its_own(world):
    protect(world)
    approve.check(world.hub, world.desk, *HILL)
    first = approve.test_report(world.hub, world.desk, *HILL, JO)
    protect(world, "somebody-else@hill-school.example.org")
    approve.check(world.hub, world.desk, *HILL)
    second = approve.test_report(world.hub, world.desk, *HILL, JO)
    assert second.passphrase not in {"", first.passphrase}


def test_live_channel_stays_live_when_tested_again(world):
    go_live(world)
    approve.test_report(world.hub, world.desk, *HILL, JO)
    assert channel(world).state == "live"
    approve.read_back(world.desk, *HILL, code_in(world), JO)


def register(make_world, extra: str = SIGNED) -> World:
    return make_world(
        live=False, schools=[School(channels=(("mis", "told-register", "mis"),), extra=extra)], agreements={}
    )


def test_register_needs_the_schools_signature(make_world):
    world = register(make_world, extra="")
    approve.check(world.hub, world.desk, "hill-school", "mis")
    with pytest.raises(NotYetError, match="signed"):
        approve.test_report(world.hub, world.desk, "hill-school", "mis", JO)


def test_register_gets_no_test_marks_and_is_confirmed_by_somebody_there(make_world):
    world = register(make_world)
    way = ("hill-school", "mis")
    approve.check(world.hub, world.desk, *way)
    assert not approve.test_report(world.hub, world.desk, *way, JO).by_code
    assert world.sides.heard == []
    for nobody in ("123456", "", JO):
        with pytest.raises(WrongCodeError):
            approve.read_back(world.desk, *way, nobody, JO)
    with pytest.raises(NotYetError):
        approve.approve(world.desk, *way, SAM)
    approve.read_back(world.desk, *way, "Mrs Hill, data manager", JO)
    approve.approve(world.desk, *way, SAM)
    assert channel(world, "mis").state == "live"


def test_paused_channel_lets_nothing_leave_until_it_is_resumed(world):
    go_live(world)
    sam = world.pupil()
    world.owe()
    approve.pause(world.desk, *HILL, JO, "half of them are on a trip")
    world.at("09:05")
    world.enter(sam)
    world.at("09:06")
    assert world.owed(sam).state == "held"
    assert approve.resume(world.desk, *HILL, JO) == 1
    world.go()
    assert world.owed(sam).state == "met"
    assert [one for one in world.said() if one.startswith(("channel.pa", "channel.re"))] == [
        "channel.paused",
        "channel.resumed",
    ]
    assert world.verify().ok


def test_resume_needs_a_pause_and_pause_needs_a_live_channel(world):
    with pytest.raises(NotYetError):
        approve.pause(world.desk, *HILL, JO)
    go_live(world)
    with pytest.raises(NotYetError):
        approve.resume(world.desk, *HILL, JO)


def test_pause_is_no_way_past_an_approval(world):
    go_live(world)
    approve.pause(world.desk, *HILL, JO)
    move(world)
    with pytest.raises(NotYetError):
        approve.resume(world.desk, *HILL, JO)
    assert channel(world).state == "changed"
