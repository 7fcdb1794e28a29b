"""A feed from which nothing can be taken in is a task for a person, as long as that is so: no register is missed in silence."""

from collections.abc import Mapping

from aphub.services.desk import Desk
from aphub.services.fallback import open_task
from aphub.store import settling

TASK = "feed"


def keep(desk: Desk, troubles: Mapping[str, str]) -> None:
    """Open a task for each feed in trouble, in these words, and end those of feeds that work again."""
    with desk.store.reading() as connection:
        known = settling.subjects_of_open(connection, desk.provider_id, TASK)
    if known == set(troubles):
        return
    now = desk.now
    with desk.store.transaction() as connection:
        for feed in sorted(set(troubles) - known):
            words = f"No register comes in by the feed '{feed}'. {troubles[feed]}"
            open_task(desk, connection, TASK, feed, None, words, now)
        for feed in sorted(known - set(troubles)):
            settling.finish_tasks_of(
                connection, desk.provider_id, TASK, feed, now, "the hub", "registers can come in again"
            )
