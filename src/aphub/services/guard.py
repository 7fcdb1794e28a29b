"""Go on after a failure, and say it once for engineers and, where we know it, in words for operators."""

from collections.abc import Callable
from typing import TypeVar

from aphub.logs import get_logger
from aphub.store.trouble import ground_trouble

T = TypeVar("T")
log = get_logger("daemon")


class Guard:
    """Goes on after a failure: a daemon that dies of one bad row is silent for every child."""

    def __init__(self) -> None:
        """Begin with nothing failed."""
        self.failed = False

    def __call__(self, work: Callable[[], T], otherwise: T) -> T:
        """Do the work; where it fails, say so and give what it gives otherwise."""
        try:
            return work()
        except Exception as exc:
            self.failed = True
            log.exception("daemon.pass_failed", **words_of(exc))
            return otherwise


def words_of(exc: BaseException) -> dict[str, str]:
    """Give the words for a failure of the ground the hub stands on, as a log line's field; none for any other."""
    trouble = ground_trouble(exc)
    return {"words": str(trouble)} if trouble else {}
