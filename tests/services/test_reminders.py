"""What comes round: a task on its day, once a period, chased when it is not done, and shifted by closures."""

from datetime import date

from aphub.services.actions import finish_task
from aphub.services.reminders import remind
from aphub.store import tables as t
from tests.world import PROVIDER

REMINDERS = """
closures = [{starts = 2026-03-06, ends = 2026-03-06, name = "training day"}]
[roles]
"lead" = "Robin Marsh, attendance lead"
"head" = "Ida Penn, head"
[reminders.weekly-audit]
every = "week"
at = "15:30"
do = "audit the week's registers"
owner = "lead"
if_not_done = "head"
"""


def test_what_comes_round_each_term_asks_for_the_terms_where_none_are_written(make_world_anew):
    world = make_world_anew(provider=PROVIDER + REMINDERS.replace('every = "week"', 'every = "term"'))
    assert (remind(world.desk), remind(world.desk)) == (1, 0)
    [task] = world.tasks("reminder")
    assert task.words.startswith("Write your terms into the provider's file: weekly-audit cannot come round")


def test_a_weekly_audit_is_asked_for_on_the_last_open_day_once_and_chased_on_the_next(make_world_anew):
    world = make_world_anew(provider=PROVIDER + REMINDERS)
    world.clock.advance_to(world.clock.now().replace(day=4, hour=23))
    assert remind(world.desk) == 0  # the week's last open day is Thursday, and that is tomorrow
    world.at("07:30", date(2026, 3, 5))
    assert (remind(world.desk), remind(world.desk)) == (1, 0)
    [task] = world.tasks("reminder")
    assert task.words == (
        "Robin Marsh, attendance lead: audit the week's registers (week of Monday 2 March 2026)."
    )
    assert f"{task.due_at:%d %H:%M}" == "05 15:30"

    world.at("08:59", date(2026, 3, 9))
    assert remind(world.desk) == 0
    world.at("09:00")
    assert (remind(world.desk), remind(world.desk)) == (1, 0)
    [chased] = world.tasks("reminder_chased")
    assert chased.words.startswith("Ida Penn, head: not done yet by Robin Marsh, attendance lead: audit")

    finish_task(world.desk, task.ref, "Robin Marsh, attendance lead")
    assert remind(world.desk) == 0  # done is done: not asked for again
    assert world.tasks() == []
    world.at("07:00", date(2026, 3, 13))
    assert remind(world.desk) == 1
    assert [row.subject for row in world.rows(t.tasks, kind="reminder")] == [
        "weekly-audit 2026-W10", "weekly-audit 2026-W11",
    ]  # fmt: skip
