"""What people see: today, the log, a message's life, what waits, why something was not sent, and what would be."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, event

from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError
from aphub.domain.errors import AphubError
from aphub.plugins import Plugins
from aphub.services import accesses, approve, life, overview, waits
from aphub.services.desk import Desk
from aphub.services.draft import drafts, meant
from aphub.services.explain import Why, explain
from aphub.services.routes import Routes
from aphub.settings.models import Snapshot
from aphub.store import tables as t
from aphub.testing import search_for_planted
from tests.told import facts_of
from tests.world import DAILY, TUESDAY, TWO_A_DAY, School, World, write_config

JO = "Jo Weaver, office"


def only(world: World) -> overview.Today:
    [one] = overview.today(world.desk)
    return one


def ref_of(world: World, placed) -> str:
    return str(world.rows(t.placements, placement_id=placed.placement_id)[0].ref)


def why(world: World, placed, day: date | None = None) -> Why:
    [one] = explain(world.desk, ref_of(world, placed), day or world.day)
    return one.why


# Today


def test_today_counts_owed_sent_late_and_missing(world):
    first, second, third = world.pupil(), world.pupil(), world.pupil()
    world.owe()
    before = only(world)
    assert (before.owed, before.sent, before.missing) == (3, 0, 0)
    world.sides.always["far"] = TransientDeliveryError("busy")
    world.at("09:05")
    world.enter([first, second, third])
    world.at("09:43").at("09:46")
    assert (only(world).missing, only(world).sent) == (3, 0)
    world.sides.always.clear()
    world.wait(timedelta(minutes=20))
    after = only(world)
    assert (after.sent, after.late, after.on_time, after.missing) == (3, 3, 0, 0)
    assert after.ways == (("told", "handed_over", 1),)
    assert after.name == "Hill School"


def test_weekly_report_counts_on_each_of_its_days(make_world):
    world = make_world(agreements={"daily": 'cadence = "weekly"\ndue = "Friday 15:30"'})
    world.pupil()
    world.owe()
    assert only(world).owed == 1
    assert overview.today(world.desk, world.day + timedelta(days=2))[0].owed == 1


def test_withdrawn_is_owed_no_more(world):
    world.pupil()
    world.owe()
    with world.hub.store.transaction() as connection:
        connection.execute(t.owed_reports.update().values(state="withdrawn"))
    assert overview.today(world.desk) == []


# The log


def test_log_is_newest_first_and_filters(make_world):
    world = make_world(schools=[School(), School("vale-school", (("email", "told", "vale"),))])
    here, there = world.pupil("hill-school"), world.pupil("vale-school")
    world.owe()
    world.at("09:05")
    world.enter(here)
    world.at("09:06")
    world.sides.says("vale", RefusedDeliveryError("no such mailbox"))
    world.enter(there)
    world.at("09:07")
    lines = overview.log(world.desk)
    assert [line.organisation for line in lines] == ["vale-school", "hill-school"]
    assert [line.state for line in lines] == ["refused", "handed_over"]
    by = {
        "organisation": overview.LogFilter(organisation="hill-school"),
        "state": overview.LogFilter(states=("handed_over",)),
        "since": overview.LogFilter(until=lines[0].made),
        "limit": overview.LogFilter(limit=1),
    }
    assert [line.organisation for line in overview.log(world.desk, by["organisation"])] == ["hill-school"]
    assert [line.organisation for line in overview.log(world.desk, by["state"])] == ["hill-school"]
    assert [line.organisation for line in overview.log(world.desk, by["since"])] == ["hill-school"]
    assert [line.organisation for line in overview.log(world.desk, by["limit"])] == ["vale-school"]
    assert overview.log(world.desk, overview.LogFilter(late=True)) == []
    assert overview.log(world.desk, overview.LogFilter(channel="post")) == []


# One message


def told(world: World):
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:06")
    return sam


def test_life_tells_everything_but_who(world):
    told(world)
    [line] = overview.log(world.desk)
    found = life.show(world.desk, line.reference.lower())
    assert [step.what for step in found.attempts] == ["taken"]
    assert [(step.what, step.words) for step in found.receipts] == [("handed_over", "TLS 1.3")]
    assert [kind for _, kind, _ in found.statements] == ["report.prepared", "dispatch.handed_over"]
    assert {document.name for document in found.documents} == {"facts.json", "message.txt"}
    assert [report.pupil for report in found.reports] == [""]
    pupil = facts_of(world.sides.heard[-1][1])["rows"][0]
    assert search_for_planted(repr(found), planted=["Sam Example", pupil["upn"]]) == []


def test_names_need_a_reason_and_somebody(world):
    told(world)
    [line] = overview.log(world.desk)
    with pytest.raises(AphubError, match="somebody"):
        life.show(world.desk, line.reference, names_because="a parent phoned")
    found = life.show(world.desk, line.reference, names_because="a parent phoned", by=JO)
    assert found.reports[0].pupil.startswith("Sam")
    assert "Sam" not in repr(found)


def test_stored_documents_are_what_was_sent(world):
    told(world)
    [line] = overview.log(world.desk)
    assert life.stored(world.desk, line.reference) == world.sides.heard[-1][1].documents


def test_fallback_is_seen_from_both_sides(make_world):
    world = make_world(
        schools=[School(channels=(("drop", "told-harmless", "drop"), ("email", "told", "far")))]
    )
    world.sides.always["drop"] = RefusedDeliveryError("The folder is gone.")
    told(world)
    second, first = overview.log(world.desk)
    assert life.show(world.desk, first.reference).replaced_by == (second.reference,)
    assert life.show(world.desk, second.reference).replaces == first.reference


def test_unknown_reference_is_said(world):
    with pytest.raises(life.UnknownReferenceError):
        life.show(world.desk, "RB-ABCD2345-1")


# Drafts


def test_draft_shows_what_would_be_sent_and_keeps_nothing(world):
    sam, _ = world.pupil(), world.pupil()
    world.owe()
    world.at("09:02")
    world.enter(sam)
    before = [len(world.rows(table)) for table in (t.dispatches, t.reports, t.statements)]
    [draft] = drafts(world.desk, "hill-school")
    text = draft.documents[1].content.decode()
    assert "register not yet taken" in text
    assert "attended" in text
    assert before == [len(world.rows(table)) for table in (t.dispatches, t.reports, t.statements)]
    world.at("09:43").at("09:44")
    [sent] = [one for one in world.sides.to("far") if facts_of(one)["kind"] == "routine"]
    assert [row["outcome"] for row in facts_of(sent)["rows"]] == ["present", "not_yet_taken"]
    assert drafts(world.desk, "hill-school") == []


def test_draft_needs_no_live_channel(make_world):
    world = make_world(live=False)
    world.pupil()
    world.owe()
    assert len(drafts(world.desk, "hill-school")) == 1
    with pytest.raises(AphubError, match="hill-school"):
        drafts(world.desk, "nowhere")


def test_whoever_must_phone_reads_whom_and_what_to_say(make_world):
    world = make_world(schools=[School(extra='phone = "01632 960100"')], live=False)
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:46").go()
    [task] = world.tasks("phone_school")
    assert task.words.startswith("Phone Hill School (01632 960100): a report could not be sent")
    [line] = [one for one in waits.waiting(world.desk) if one.kind == "phone_school"]
    assert line.mend == f"What to say: aphub preview {task.ref}. Then: aphub call {task.ref}"
    assert meant(world.desk, task.ref) == meant(world.desk, world.owed(sam).ref) == ("hill-school", [TUESDAY])
    assert meant(world.desk, "RB-7Q4KM2XP-1") == "RB-7Q4KM2XP-1"
    [draft] = drafts(world.desk, "hill-school", TUESDAY, by="Jo Weaver, office")
    assert "attended in person" in draft.documents[1].content.decode()
    [seen] = accesses.viewed(world.desk)
    assert (seen.by, seen.subject, seen.pupils) == (
        "Jo Weaver, office",
        "draft for hill-school 2026-03-03",
        1,
    )


# What waits


def test_nothing_waits_on_a_good_day(world):
    told(world)
    assert waits.waiting(world.desk) == []


def test_a_way_that_is_not_live_waits_with_its_next_step(make_world):
    world = make_world(live=False)
    [one] = waits.waiting(world.desk)
    assert (one.kind, one.mend) == ("channel", "aphub check hill-school email")
    approve.check(world.hub, world.desk, "hill-school", "email")
    assert waits.waiting(world.desk)[0].mend == "aphub test-report hill-school email"
    approve.test_report(world.hub, world.desk, "hill-school", "email", JO)
    assert waits.waiting(world.desk)[0].mend == "aphub read-back hill-school email CODE"


def test_doubt_waits_once(make_world):
    world = make_world(schools=[School(channels=(("email", "told-harmful", "far"),))])
    world.sides.says("far", UncertainDeliveryError("lost"))
    told(world)
    [reference] = [line.reference for line in overview.log(world.desk)]
    about = [one for one in waits.waiting(world.desk) if reference in f"{one.words} {one.mend}"]
    assert len([one for one in about if "--arrived" in one.mend]) == 1


def test_channels_say_what_troubles_them(world):
    world.sides.closed_for_good["far"] = TransientDeliveryError("Their server does not answer.")
    told(world)
    [line] = overview.channels(world.desk)
    assert line.state == "live"
    assert "does not answer" in line.trouble


# Why


def test_sent_is_explained_with_its_reference(world):
    sam = told(world)
    [one] = explain(world.desk, ref_of(world, sam), world.day)
    assert one.why is Why.SENT
    assert overview.log(world.desk)[0].reference in one.words
    assert all(rule.good for rule in one.rules)


def test_each_reason_is_named_with_what_would_change_it(make_world):
    world = make_world(provider=closed_provider())
    ended = world.pupil(ends=date(2026, 2, 1))
    hidden = world.pupil(suppressed=True)
    sam = world.pupil()
    world.owe()
    assert why(world, ended) is Why.NOT_PLACED
    assert why(world, hidden) is Why.DO_NOT_SHARE
    assert why(world, sam) is Why.NOT_YET
    assert why(world, sam, date(2026, 3, 5)) is Why.CLOSED
    assert why(world, sam, date(2026, 3, 7)) is Why.NOT_TIMETABLED
    for placed, day in ((ended, world.day), (sam, date(2026, 3, 5)), (sam, date(2026, 3, 7))):
        assert explain(world.desk, ref_of(world, placed), day)[0].mend


def closed_provider() -> str:
    from tests.world import PROVIDER

    return PROVIDER + '[[closures]]\nname = "flood"\nstarts = 2026-03-05\nends = 2026-03-05\n'


def test_way_that_is_not_live_is_the_reason(make_world):
    world = make_world(live=False)
    sam = told(world)
    assert why(world, sam) is Why.NOT_APPROVED
    world.go_live()
    approve.pause(world.desk, "hill-school", "email", JO)
    assert why(world, sam) is Why.PAUSED
    approve.resume(world.desk, "hill-school", "email", JO)
    world.go()
    assert why(world, sam) is Why.SENT


def test_changed_address_is_the_reason(world):
    write_config(world.home, [School(channels=(("email", "told", "elsewhere"),))], DAILY)
    world.hub.apply("test")
    assert why(world, told(world)) is Why.CHANGED


@pytest.mark.parametrize(
    ("error", "adapter", "reason"),
    [
        (TransientDeliveryError("Their mailbox is full."), "told", Why.TRYING),
        (RefusedDeliveryError("No such mailbox."), "told", Why.REFUSED),
        (UncertainDeliveryError("The answer was lost."), "told-harmful", Why.UNCERTAIN),
    ],
)
def test_trouble_on_the_way_is_told_in_its_own_words(make_world, error, adapter, reason):
    world = make_world(schools=[School(channels=(("email", adapter, "far"),))])
    world.sides.always["far"] = error
    sam = told(world)
    [one] = explain(world.desk, ref_of(world, sam), world.day)
    assert one.why is reason
    assert error.words in one.words


def test_missing_register_is_named_though_it_stops_nothing(world):
    sam = world.pupil()
    world.owe()
    world.at("09:13").at("09:44")
    [one] = explain(world.desk, ref_of(world, sam), world.day)
    assert one.why is Why.SENT
    assert "Register not taken. The school is told so." in [rule.answer for rule in one.rules]


def test_a_pupil_is_explained_by_the_reference_that_the_office_holds(world):
    world.pupil()
    world.owe()
    [one] = explain(world.desk, "P0001", world.day)
    assert one == explain(world.desk, world.rows(t.placements)[0].ref, world.day)[0]
    with pytest.raises(AphubError, match="know no placement and no pupil"):
        explain(world.desk, "P9999", world.day)


def test_half_days_are_explained_apart(make_world):
    world = make_world(
        agreements={"daily": 'cadence = "per session"\ndue = "09:45"\npm_due = "13:45"'},
    )
    sam = world.pupil(slots=TWO_A_DAY)
    world.owe()
    world.at("09:05")
    world.enter(sam)
    world.at("09:44")
    ref = ref_of(world, sam)
    assert explain(world.desk, ref, world.day, "AM")[0].why is Why.SENT
    assert explain(world.desk, ref, world.day, "PM")[0].why is Why.NOT_YET


def test_unknown_placement_is_said(world):
    with pytest.raises(AphubError, match="know no placement and no pupil"):
        explain(world.desk, "ABCD2345", world.day)


# Cost


def statements_of(desk: Desk, *looks: Callable[[Desk], object]) -> int:
    """Count the statements that looking costs."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for look in looks:
            look(desk)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(said)


def test_looking_asks_the_store_no_oftener_for_many_pupils_than_for_one(world):
    looks = (overview.today, overview.log, waits.waiting, overview.channels)
    world.pupil()
    world.owe(timedelta(days=1))
    desk = world.desk
    with_one = statements_of(desk, *looks)
    for _ in range(20):
        world.pupil()
    world.owe(timedelta(days=1))
    assert only(world).owed == 21
    assert statements_of(desk, *looks) == with_one


def test_way_that_this_installation_cannot_serve_is_named_and_the_others_go_on(world):
    [lost] = Routes(world.desk.config, Plugins()).lost
    assert (lost.organisation, lost.channel) == ("hill-school", "email")
    assert "not installed" in lost.words
    older = world.desk.config.model_dump(by_alias=True)
    older["organisations"]["hill-school"]["channels"][0]["an_older_setting"] = 1
    changed = Routes(Snapshot.model_validate(older), world.desk.plugins)
    assert "not what this version" in changed.lost[0].words
    assert changed.of("hill-school") == ()
    said = waits.waiting(replace(world.desk, routes=changed))
    assert any("Nothing can go this way" in one.words and "aphub apply" in one.mend for one in said)
