"""Log lines for engineers: events with keys, never a child's name, never a secret."""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

_PLAIN = frozenset({"str", "int", "float", "bool", "NoneType"})


def get_logger(area: str) -> Any:
    """Give the logger of one area, such as `deliver`."""
    return structlog.get_logger(area=area)


def set_up(level: str = "info", *, as_json: bool = False) -> None:
    """Write log lines to standard error, and quieten libraries that print addresses."""
    for noisy in ("httpx", "httpcore", "asyncssh", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of every answer to a far side that has hung up already; what matters there comes as an error.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_plain_values,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=False,
    )


class _Unfailing:
    """A stream whose failure stops nobody: a full disk or a reader that left must not end the work that is told of."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):  # the stream itself may have been closed
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def only_plain_values(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace whole objects by their type's name, so that no record is printed by accident.

    A traceback keeps its frames but not the exception's words, which may hold what a far side said.
    """
    for key, value in event.items():
        if key == "exc_info":
            continue
        if type(value).__name__ not in _PLAIN:
            event[key] = f"<{type(value).__name__}>"
    if event.get("exc_info"):
        kind = sys.exc_info()[0]
        event["exc_info"] = False
        event["error"] = kind.__name__ if kind else "unknown"
    return event
