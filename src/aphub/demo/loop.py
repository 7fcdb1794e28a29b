"""The discrete-event loop: jump to the next due instant, let happen what happens, pass until all is quiet."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

from aphub.clock import PlayedClock
from aphub.daemon import PassResult, pass_once, prepare_days
from aphub.demo.day import Happening
from aphub.demo.display import Display
from aphub.demo.far_sides import FarSides
from aphub.domain.calendar import london_day
from aphub.hub import Hub, keep_played_time
from aphub.services.office import tell_offices

MOST_PASSES = 25
STEP = timedelta(seconds=1)
"""A row whose time has come but which could not be served is looked at again a moment later."""
REST = timedelta(minutes=1)
QUIET = timedelta(minutes=2)


class NeverQuietError(RuntimeError):
    """The hub kept finding something to do at one instant, which no real day would survive."""


class Narrator:
    """Says what happened and what passes did: what one minute sent in one line, and trouble seldom, so that retries do not shout."""

    def __init__(self, display: Display) -> None:
        """Say it on a display."""
        self._display = display
        self._sent: tuple[datetime, int] | None = None
        self._troubled: datetime | None = None

    def say(self, one: Happening) -> None:
        """Tell one thing that happened."""
        self.rest()
        self._display.say(one.at, one.words, bad=one.bad)

    def tell(self, at: datetime, result: PassResult) -> None:
        """Tell of one instant's passes."""
        if self._sent and at - self._sent[0] >= REST:
            self.rest()
        if result.handed_over:
            since, count = self._sent or (at, 0)
            self._sent = since, count + result.handed_over
        if result.failed and (self._troubled is None or at - self._troubled >= QUIET):
            self.rest()
            self._display.say(
                at, f"  {_messages(result.failed)} could not be sent yet: we try again", bad=True
            )
            self._troubled = at

    def rest(self) -> None:
        """Tell what was sent and is not told yet."""
        if self._sent:
            self._display.say(self._sent[0], f"  {_messages(self._sent[1])} sent")
            self._sent = None


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def play_until(
    hub: Hub,
    clock: PlayedClock,
    happenings: Sequence[Happening],
    ends: datetime,
    display: Display,
    sides: FarSides,
) -> PassResult:
    """Play from the clock's present instant to `ends`; give the last pass."""
    waiting = deque(sorted(happenings, key=lambda one: one.at))
    narrator = Narrator(display)
    prepared: date | None = None
    with ThreadPoolExecutor(4, thread_name_prefix="lane") as pool:
        while True:
            # What a daemon does all along: what is owed, what comes round, whose reason is still not known.
            today = london_day(clock.now())
            if today != prepared:
                prepare_days(hub)
                prepared = today
            while waiting and waiting[0].at <= clock.now():
                one = waiting.popleft()
                one.do(one.at)
                narrator.say(one)
            result = pass_until_quiet(hub, pool)
            narrator.tell(clock.now(), result)
            tell_offices(hub)
            keep_played_time(hub)
            display.move(clock.now(), sides.arrived())
            if clock.now() >= ends:
                narrator.rest()
                return result
            clock.advance_to(_next(clock.now(), result, waiting, ends))


def _next(now: datetime, result: PassResult, waiting: Sequence[Happening], ends: datetime) -> datetime:
    due = result.next_at or ends
    if due <= now:
        due = now + (STEP if result.failed else REST)
    return min(due, ends, *(one.at for one in list(waiting)[:1]))


def pass_until_quiet(hub: Hub, pool: ThreadPoolExecutor | None) -> PassResult:
    """Pass at one instant until nothing more happens, since what one stage made is the next one's work; add it up.

    Raises:
        NeverQuietError: It never became quiet.
    """
    taken = messages = handed = failed = settled = 0
    for _ in range(MOST_PASSES):
        one = pass_once(hub, pool=pool)
        taken += one.taken_in
        messages += one.messages
        handed += one.handed_over
        failed += one.failed
        settled += one.settled
        if not one.did_something or one.failed:
            return PassResult(taken, messages, handed, failed, settled, one.next_at)
    raise NeverQuietError(f"no rest at {hub.clock.now().isoformat()}")
