"""A school's register behind Wonde: the stand-in of `aphub.sandbox`, with the kit's moods."""

from datetime import timedelta
from typing import Any

from aphub.conformance.far_sides import Kept, WrittenMark
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.mis_state import MisState, School
from aphub.sandbox.wonde import WondeStandIn
from aphub.sandbox.wonde_writebacks import MADE_BY
from aphub.testing import PLANTED_PUPIL, invented_pupil

_PUPILS = 100


class WondeFarSide:
    """One school with every pupil of the kit enrolled; `stand_in` is the stand-in, `school` its school.

    Write-backs settle at once, unless `options` (the stand-in's) say otherwise.
    """

    keeps_names = False

    def __init__(self, authority: DemoAuthority, *, token: str, **options: Any) -> None:
        """Enrol the pupils and start the server."""
        self.asks_to_wait: timedelta | None = timedelta(seconds=90)
        state = MisState()
        self.school: School = state.add_school("Hill School", urn="999001")
        for pupil in (PLANTED_PUPIL, *(invented_pupil(number) for number in range(_PUPILS))):
            state.add_student(self.school, pupil.upn, pupil.given_name, pupil.family_name)
        self.stand_in = WondeStandIn(authority, state, token=token, **({"pending_polls": 0} | options))
        self.stand_in.start()

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

    @property
    def received(self) -> tuple[Kept, ...]:
        """The bodies of all writes."""
        return tuple(Kept(request.body) for request in self.stand_in.requests if request.method == "POST")

    @property
    def written(self) -> frozenset[WrittenMark]:
        """The marks that came by write-back and stand."""
        school = self.school
        return frozenset(
            WrittenMark(
                school.students[mark.student_id].upn, mark.date, mark.session, school.code_of(mark.code_id)
            )
            for mark in list(school.marks.values())
            if mark.made_by == MADE_BY
        )

    @property
    def everything(self) -> bytes:
        """All requests, heads and bodies."""
        return self.stand_in.received_bytes

    @property
    def tries(self) -> int:
        """How many writes came in whole."""
        return len(self.received)

    @property
    def addresses(self) -> frozenset[tuple[str, int]]:
        """Its port."""
        return frozenset({self.stand_in.address})
