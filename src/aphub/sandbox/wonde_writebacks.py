"""Write-backs: queued when acknowledged, in the school's register only when they have settled."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aphub.sandbox.mis_state import MisState, School

MADE_BY = "write-back"


@dataclass(slots=True)
class Writeback:
    """One acknowledged request on its way into a school's MIS."""

    id: str
    school: School
    token: str = field(repr=False)
    marks: Sequence[Mapping[str, Any]] = field(repr=False)
    polls_left: int
    settles_at: float
    half: str = ""
    state: str = "pending"
    errors: list[dict[str, Any]] = field(repr=False, default_factory=list)


class Writebacks:
    """The queue between the aggregator and the schools.

    A write-back settles after `pending_polls` polls that say "pending", and not before `pending_seconds`.
    """

    def __init__(self, state: MisState, *, pending_polls: int, pending_seconds: float) -> None:
        """Begin with an empty queue."""
        self._state = state
        self.pending_polls = pending_polls
        self.pending_seconds = pending_seconds
        self.all: dict[str, Writeback] = {}

    def queue(
        self, school: School, token: str, marks: Sequence[Mapping[str, Any]], *, half: str, at_once: bool
    ) -> Writeback:
        """Acknowledge a request; `half` is the state to claim while every second mark is turned away."""
        settles_at = time.monotonic() + self.pending_seconds
        writeback = Writeback(
            secrets.token_hex(12), school, token, list(marks), self.pending_polls, settles_at, half
        )
        with self._state.lock:
            self.all[writeback.id] = writeback
            if at_once or (self.pending_polls == 0 and self.pending_seconds == 0):
                self._settle(writeback)
        return writeback

    def poll(self, writeback: Writeback) -> str:
        """Give the state as it is now, "pending", "success" or "failed"; each call brings it nearer to its end."""
        with self._state.lock:
            if writeback.state == "pending":
                if writeback.polls_left > 0:
                    writeback.polls_left -= 1
                elif time.monotonic() >= writeback.settles_at:
                    self._settle(writeback)
            return writeback.state

    def settle_all(self) -> None:
        """Settle everything that is still queued."""
        with self._state.lock:
            for writeback in self.all.values():
                if writeback.state == "pending":
                    self._settle(writeback)

    def _settle(self, writeback: Writeback) -> None:
        for number, mark in enumerate(writeback.marks):
            if writeback.half and number % 2 == 1:
                writeback.errors.append({"index": number, "message": "The MIS turned this mark away."})
                continue
            minutes = mark.get("minutes_late")
            self._state.set_mark(
                writeback.school,
                mark["student_id"],
                date=mark["date"],
                session=mark["session"],
                code_id=mark["attendance_code_id"],
                made_by=MADE_BY,
                comment=mark.get("comment") or None,
                minutes_late=int(minutes) if minutes else None,
                employee_id=mark.get("employee_id") or None,
            )
        writeback.state = writeback.half if writeback.errors else "success"
