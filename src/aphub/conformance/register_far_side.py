"""A school's register behind a vendor's API: a stand-in of `aphub.sandbox`, with the kit's moods."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from aphub.conformance.far_sides import Kept, WrittenMark
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.json_api import JsonStandIn, Request
from aphub.sandbox.mis_state import MisState, School
from aphub.sandbox.wonde import WondeStandIn
from aphub.testing import PLANTED_PUPIL, invented_pupil

_PUPILS = 100
_BY_HAND = "school"


def kit_school() -> tuple[MisState, School]:
    """Give a school with every pupil of the kit enrolled."""
    state = MisState()
    school = state.add_school("Hill School", urn="999001")
    for pupil in (PLANTED_PUPIL, *(invented_pupil(number) for number in range(_PUPILS))):
        state.add_student(school, pupil.upn, pupil.given_name, pupil.family_name)
    return state, school


class RegisterFarSide:
    """One school's register behind `stand_in`, which is started."""

    keeps_names = False

    def __init__(
        self, stand_in: JsonStandIn, state: MisState, school: School, *, finds: Callable[[Request], bool]
    ) -> None:
        """Start the server; `finds` says whether a request looks up pupils by their numbers."""
        self.asks_to_wait: timedelta | None = timedelta(seconds=90)
        self.school = school
        self.stand_in: Any = stand_in.start()
        self._state = state
        self._finds = finds

    def close(self) -> None:
        """Stop the server."""
        self.stand_in.stop()

    def accepts(self) -> None:
        """Take everything."""
        self.stand_in.accepts()

    def refuses(self) -> None:
        """Answer 403 to writes."""
        self.stand_in.accepts()
        self.stand_in.refuses(403)

    def is_busy(self) -> None:
        """Answer 429 with Retry-After."""
        self.stand_in.accepts()
        wait = self.asks_to_wait or timedelta()
        self.stand_in.is_busy(retry_after=int(wait.total_seconds()))

    def is_unreachable(self) -> None:
        """Close the port."""
        self.stand_in.is_unreachable()

    def cuts_off_after_reading(self) -> None:
        """Write the marks, and leave without an answer."""
        self.stand_in.accepts()
        self.stand_in.cuts_off_after_reading(kept=True)

    def falls_silent(self) -> None:
        """Keep every request waiting."""
        self.stand_in.accepts()
        self.stand_in.is_slow(120)

    def marks_by_hand(self, upn: str, day: date, session: str, code: str) -> None:
        """Put a mark into the register as somebody at the school would."""
        self._state.mark_made_by_school(self.school, upn, date=day.isoformat(), session=session, code=code)

    def lacks_code(self, letter: str) -> None:
        """Take a code out of the school's own table."""
        with self._state.lock:
            del self.school.codes[letter]

    def forgets_marks(self) -> None:
        """Empty the register."""
        with self._state.lock:
            self.school.marks.clear()

    def enrols_again(self, upn: str) -> None:
        """Let a pupil leave and come back, under another id."""
        self._state.enrol_again(self.school, upn)

    @property
    def asked_for_pupils(self) -> int:
        """How often pupils were looked up."""
        return sum(self._finds(one) for one in self.stand_in.requests)

    @property
    def received(self) -> tuple[Kept, ...]:
        """The bodies of all writes."""
        writes = (request for request in self.stand_in.requests if self.stand_in.is_write(request))
        return tuple(Kept(request.body) for request in writes)

    @property
    def written(self) -> frozenset[WrittenMark]:
        """The marks that came by the API and stand."""
        school = self.school
        return frozenset(
            WrittenMark(
                school.students[mark.student_id].upn, mark.date, mark.session, school.code_of(mark.code_id)
            )
            for mark in list(school.marks.values())
            if mark.made_by != _BY_HAND
        )

    @property
    def everything(self) -> bytes:
        """All requests, heads and bodies."""
        return bytes(self.stand_in.received_bytes)

    @property
    def tries(self) -> int:
        """How many writes came in whole."""
        return len(self.received)

    @property
    def addresses(self) -> frozenset[tuple[str, int]]:
        """Its port."""
        return frozenset({self.stand_in.address})


class WondeFarSide(RegisterFarSide):
    """A school behind Wonde; write-backs settle at once, unless `options` (the stand-in's) say otherwise."""

    def __init__(self, authority: DemoAuthority, *, token: str, **options: Any) -> None:
        """Enrol the pupils and start the server."""
        state, school = kit_school()
        stand_in = WondeStandIn(authority, state, token=token, **({"pending_polls": 0} | options))
        super().__init__(stand_in, state, school, finds=lambda request: "only_upns" in request.query)
