"""Look every working morning whether live ways are still as they were approved: found at six, and not at 09:45.

Each live way is checked as `aphub check` does it; no pupil's data leaves. What is not right is a person's task until a check
finds it right again, and the way is tried again each hour meanwhile. Where a check finds that what a way was approved on is
no longer so, it pauses it, as always.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, time, timedelta
from typing import Protocol

from aphub.api.adapters import CheckStep
from aphub.domain.calendar import to_utc
from aphub.logs import get_logger
from aphub.services.approve import check
from aphub.services.beside import going_round
from aphub.services.desk import Desk
from aphub.services.fallback import open_task
from aphub.services.routes import Route
from aphub.services.trial import Adapters
from aphub.store import channels, settling

TASK = "check_way"
FROM = time(6)
"""From when in the morning: early enough that somebody can still mend it before the first register."""
AGAIN = timedelta(hours=1)
"""How soon a way is looked at again that was not right."""
_LOOK_SECONDS = 60.0
_SUBJECT = 120
_THE_HUB = "the hub"
log = get_logger("rechecks")


class Desks(Adapters, Protocol):
    """Gives the desks too."""

    def serving(self) -> list[Desk]:
        """Give a desk for every provider that is served."""


class Rechecks:
    """What was looked at since this process began; a restart looks again, which harms nothing."""

    def __init__(self) -> None:
        """Begin with nothing looked at."""
        self._looked: dict[tuple[int, str, str], datetime] = {}

    def look(self, hub: Adapters, desk: Desk, until: Callable[[], bool] = lambda: False) -> int:
        """Check what is due at one provider, unless told to stop; give how many ways were looked at."""
        since = to_utc(desk.today, FROM)
        if desk.now < since or not desk.config.provider.calendar().is_school_day(desk.today):
            return 0
        looked = 0
        for route in self._due(desk, since):
            if until():
                break
            self._looked[desk.provider_id, route.organisation, route.channel] = desk.now
            try:
                _say(desk, route, check(hub, desk, route.organisation, route.channel))
            except Exception:
                # One way that cannot even be looked at must not hide the others.
                log.exception("rechecks.failed", organisation=route.organisation, channel=route.channel)
            looked += 1
        return looked

    def _due(self, desk: Desk, since: datetime) -> list[Route]:
        with desk.store.reading() as connection:
            live = [row for row in channels.every(connection, desk.provider_id) if row.state == "live"]
        due = []
        for row in live:
            route = desk.routes.one(row.organisation, row.name)
            if route is None or route.adapter.asks_person:
                continue
            looked = self._looked.get((desk.provider_id, row.organisation, row.name))
            good = row.checked_at is not None and row.checked_at >= since
            if not good and (looked is None or looked < since or desk.now - looked >= AGAIN):
                due.append(route)
        return due


def _say(desk: Desk, route: Route, steps: list[CheckStep]) -> None:
    """Give a person what is not right, and end the task where it is right again."""
    subject, wrong = (
        f"{route.organisation} {route.channel}"[:_SUBJECT],
        next((step for step in steps if not step.ok), None),
    )
    with desk.store.transaction() as connection:
        if wrong is None and steps:
            settling.finish_tasks_of(
                connection, desk.provider_id, TASK, subject, desk.now, _THE_HUB, "checked again, and right"
            )
            return
        found = (
            f"Not so: {wrong.step}. {wrong.found}".rstrip(". ") if wrong is not None else "Nothing was found"
        )
        mend = f" {wrong.mend.rstrip('.')}." if wrong is not None and wrong.mend else ""
        words = f"{route.organisation} {route.channel} would not carry reports now. {found}.{mend}"
        open_task(desk, connection, TASK, subject, route.organisation, words, desk.now)
    log.warning("rechecks.not_right", organisation=route.organisation, channel=route.channel)


def each_morning(hub: Desks, stop: threading.Event, *, wanted: bool = True) -> AbstractContextManager[None]:
    """Look in a thread of its own while the daemon runs, so that a slow far side delays no message."""
    rechecks = Rechecks()

    def look(ended: Callable[[], bool]) -> None:
        for desk in hub.serving():
            rechecks.look(hub, desk, ended)

    return going_round("rechecks", _LOOK_SECONDS, stop, look, wanted=wanted)
