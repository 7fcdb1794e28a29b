"""One school as Wonde shows it, by the contract of Wonde's own clients."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from aphub.api import Memory, RefusedDeliveryError, UncertainDeliveryError
from aphub.api.mis import (
    CANNOT_BE_READ,
    Asked,
    Entry,
    Existing,
    Finding,
    Page,
    Register,
    Slot,
    State,
    Wire,
    Written,
    at,
    verbatim,
)
from aphub_wonde.preflight import findings
from aphub_wonde.settings import WondeConnection, WondeRoute
from aphub_wonde.standing import day_of, standing_in

_UPNS_IN_ONE_ADDRESS = 200
"""200 numbers make 2,800 characters of address; servers take 8,000."""
_NOT_FOUND = "HTTP 404"


class School(Register):
    """A school's register behind Wonde; a school's whole day is read, since no filter by pupil is known."""

    def __init__(
        self, wire: Wire, connection: WondeConnection, route: WondeRoute, place: str, memory: Memory
    ) -> None:
        """Read nothing yet."""
        super().__init__(place, memory)
        self._wire = wire
        self._connection = connection
        self._school_id = route.school_id
        self._at = f"schools/{route.school_id}"
        self._marks_path = f"{self._at}/attendance/session/"

    def findings(self) -> Iterator[Finding]:
        """Look at the school, its approval and our permissions, one after the other."""
        return findings(self._read, self._rows, self._connection, self._school_id)

    def shown(self, today: date) -> Iterator[Finding]:
        """Look whether numbers are shown, and whether date filters are heard."""
        shown = self._upns_are_shown()
        yield Finding(
            "Pupils can be told apart by UPN",
            ok=shown,
            found="UPNs are shown" if shown else "UPNs are not shown",
            mend="Ask the school to approve the UPN permission, or set upn_path",
        )
        heard = self._filters_are_heard(today)
        yield Finding(
            "The register can be read by day",
            ok=heard,
            found="Only the days asked for came" if heard else "Other days came too",
            mend="Ask Wonde for the names of the date filters of session attendance",
        )

    def read_codes(self) -> Iterator[tuple[str, str]]:
        """Read letters and ids."""
        for row in self._rows(f"{self._at}/attendance-codes/"):
            letter, code_id = row.get("code"), row.get("id")
            if isinstance(letter, str) and isinstance(code_id, str | int):
                yield letter, str(code_id)

    def find_pupils(self, upns: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Find the pupils with these numbers; only a number that stands in the answer itself names a pupil."""
        for start in range(0, len(upns), _UPNS_IN_ONE_ADDRESS):
            part = upns[start : start + _UPNS_IN_ONE_ADDRESS]
            params = {"only_upns": ",".join(part), "include": self._include()}
            seen = shown = False
            for row in self._rows(f"{self._at}/students", params):
                seen = True
                upn, student_id = at(row, self._connection.upn_path), row.get("id")
                shown = shown or isinstance(upn, str)
                if isinstance(upn, str) and student_id:
                    yield upn, str(student_id)
            if seen and not shown:
                raise RefusedDeliveryError(
                    "Wonde shows us pupils without their numbers (UPN), so we cannot tell who is who. "
                    "Nothing was written.",
                    what_now="Ask the school to approve the UPN permission, or set upn_path",
                )

    def read_marks(self, days: Sequence[str], pupil_ids: Sequence[str]) -> dict[Slot, Existing]:  # noqa: ARG002 - no filter by pupil is known
        """Read the school's whole days, as ids only."""
        found: dict[Slot, Existing] = {}
        for first, last in _spans(days):
            found |= standing_in(self._rows(self._marks_path, self._mark_params(first, last)))
        return found

    def write(self, entries: Sequence[Entry]) -> Written:
        """Queue these marks in one request."""
        reply = self._wire.write(self._marks_path, {"attendance": [_record(entry) for entry in entries]})
        if reply.status == CANNOT_BE_READ:
            return Written.turned_away(entries, reply.text, reply.code, stale_ids=True)
        reference = at(reply.body, self._connection.reference_path)
        if isinstance(reference, str | int) and str(reference):
            evidence = {"writeback_id": str(reference), "answer": reply.text}
            return Written(str(reference), evidence, reply.hops)
        if reply.complaint:
            return Written.turned_away(entries, reply.text, reply.code)
        raise UncertainDeliveryError(
            "Wonde said yes but gave no number to ask by. The marks may have arrived.",
            code=reply.code,
            what_now="If it happens again, ask Wonde where the write-back's id stands, and set reference_path",
        )

    def ask(self, reference: str) -> Asked | None:
        """Ask what became of a write-back."""
        try:
            body = self._read(f"writebacks/{quote(reference, safe='')}")
        except RefusedDeliveryError as exc:
            if exc.code == _NOT_FOUND:
                return None
            raise
        word = at(body, self._connection.status_path)
        state = self._connection.state_of(word) if isinstance(word, str) else State.PENDING
        return Asked(state, str(word), verbatim(body))

    def _read(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        body = self._wire.read(path, params)
        if not isinstance(body, dict):
            raise self._wire.unreadable()
        return body

    def _rows(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[Mapping[str, Any]]:
        asked = dict(params or {}) | {"per_page": str(self._connection.page_size)}

        def page(number: int) -> Page:
            body = self._read(path, asked | ({"page": str(number)} if number > 1 else {}))
            rows = body.get("data")
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise self._wire.unreadable()
            # The pagination object may be absent when everything fits on one page.
            return rows, bool(at(body, "meta.pagination.more"))

        return self._wire.rows(page, self._connection.most_pages)

    def _upns_are_shown(self) -> bool:
        """Whether one student's answer holds a UPN where we look for it; sends no number."""
        body = self._read(f"{self._at}/students", {"include": self._include(), "per_page": "1"})
        rows = body.get("data")
        return isinstance(rows, list) and (not rows or bool(at(rows[0], self._connection.upn_path)))

    def _filters_are_heard(self, day: date) -> bool:
        """Whether a page of marks keeps to the days asked for."""
        rows = self._read(self._marks_path, self._mark_params(day, day) | {"per_page": "1"}).get("data")
        margin = timedelta(days=self._connection.marks_margin_days)
        if not isinstance(rows, list):
            return False
        days = {day_of(row.get("date")) for row in rows if isinstance(row, dict)}
        return all((day - margin).isoformat() <= one <= (day + margin).isoformat() for one in days)

    def _include(self) -> str:
        return self._connection.upn_path.split(".", 1)[0]

    def _mark_params(self, first: date, last: date) -> dict[str, str]:
        margin = timedelta(days=self._connection.marks_margin_days)
        params = {
            self._connection.marks_after_parameter: (first - margin).isoformat(),
            self._connection.marks_before_parameter: (last + margin).isoformat(),
        }
        if self._connection.marks_include:
            params["include"] = self._connection.marks_include
        return params


def _record(entry: Entry) -> dict[str, Any]:
    mark = entry.mark
    record: dict[str, Any] = {
        "date": mark.day,
        "session": mark.session,
        "student_id": entry.pupil_id,
        "attendance_code_id": entry.target,
    }
    if mark.comment:
        record["comment"] = mark.comment
    if mark.minutes_late:
        record["minutes_late"] = mark.minutes_late
    return record


def _spans(days: Sequence[str]) -> Iterator[tuple[date, date]]:
    """Join days in order to spans without a gap of more than a weekend."""
    dates = [date.fromisoformat(day) for day in days]
    start = 0
    for place in range(1, len(dates) + 1):
        if place == len(dates) or dates[place] - dates[place - 1] > timedelta(days=3):
            yield dates[start], dates[place - 1]
            start = place
