"""Write down what far sides answered, patiently: a database that is away for some seconds makes no school doubt."""

from collections.abc import Sequence
from datetime import timedelta
from threading import Event

from aphub.logs import get_logger
from aphub.services.desk import Desk
from aphub.services.outcomes import Tried, record_outcomes
from aphub.services.routes import Route
from aphub.store.trouble import ground_trouble

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0.5, 1.5, 4, 8))
"""Between one try and the next; together they end within what a burst leaves of its lease."""
log = get_logger("deliver")


def write_down(desk: Desk, route: Route, tried: Sequence[Tried], by: str) -> None:
    """Write a burst's answers down and nothing else.

    Raises:
        Exception: It could not be done in good time; what was sent then counts as uncertain.
    """
    for pause in PAUSES:
        try:
            return _write(desk, route, tried, by)
        except Exception as exc:
            if ground_trouble(exc) is None:
                raise
            log.warning("deliver.not_written_down_yet", lane=route.lane, error=type(exc).__name__)
            desk.clock.wait(desk.now + pause, Event())
    return _write(desk, route, tried, by)


def _write(desk: Desk, route: Route, tried: Sequence[Tried], by: str) -> None:
    with desk.store.transaction() as connection:
        record_outcomes(desk, connection, route, tried, by)
