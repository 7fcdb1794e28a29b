"""One school as Xporter shows it, by the vendor's own endpoint texts.

Reads may be half an hour old by contract (docs.xporter.com, caching), so a mark may show later than it was written.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from aphub.api import Memory, RefusedDeliveryError, UncertainDeliveryError
from aphub.api.mis import (
    CANNOT_BE_READ,
    SESSIONS,
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
)
from aphub_xporter.settings import XporterConnection, XporterRoute

NEEDED = {
    "reads the school": {"School", "SchoolLite"},
    "reads pupils": {"Student", "StudentLite"},
    "reads pupils' numbers": {"UPN"},
    "reads marks and codes": {"Attendance"},
    "writes marks": {"WritebackAttendance"},
}
NOTES_LIMIT = 500
_NO_MARK = "-"
_COMPLAINT = "ExceptionMessage"
_GUESTS = "includeGuests,includeSubsidiary"
"""Pupils of alternative provision are often guests or subsidiary there, and left out unless asked for."""


class School(Register):
    """A school's register behind Xporter; a whole day is read, since no filter by pupil is known."""

    def __init__(
        self,
        wire: Wire,
        connection: XporterConnection,
        route: XporterRoute,
        place: str,
        memory: Memory,
        *,
        is_callable: bool = False,
    ) -> None:
        """Read nothing yet."""
        super().__init__(place, memory)
        self._wire = wire
        self._connection = connection
        self._estab = route.estab
        self._at = f"api/v1/School/{route.estab}"
        self.queues = connection.queued
        self._callable = is_callable

    def findings(self) -> Iterator[Finding]:
        """Look at what our token is good for."""
        details = self._read("api/v1/TokenDetails")
        estab = str(details.get("Estab", ""))
        yield Finding(
            "The secret is this school's",
            ok=estab == self._estab,
            found=f"It is for {estab or 'no school'}",
            mend="Check estab, or ask the school for its own secret",
        )
        scopes = set(details.get("Scopes") or ())
        for step, names in NEEDED.items():
            granted = bool(names & scopes)
            yield Finding(
                f"Our approval {step}",
                ok=granted,
                found="Approved" if granted else f"Not approved: {min(names)}. Nothing was written.",
                mend="Ask the school to approve this scope in Xporter",
            )

    def shown(self, today: date) -> Iterator[Finding]:  # noqa: ARG002 - nothing here is of a day
        """Look whether the queue could call us."""
        if self.queues:
            yield Finding(
                "The queue can call us back",
                ok=self._callable,
                found="Each write has an address of its own" if self._callable else "Nobody can call us",
                mend="Add [callbacks] to hub.toml, or set queued = false",
            )

    def read_codes(self) -> Iterator[tuple[str, str]]:
        """Read letters; they stand for themselves."""
        for row in self._rows("AttendanceCodes"):
            letter = row.get("Mark")
            if isinstance(letter, str) and letter.strip():
                yield letter, letter.strip()

    def find_pupils(self, upns: Sequence[str]) -> Iterator[tuple[str, str]]:  # noqa: ARG002 - no filter by number is known
        """Read all pupils, guests too; their numbers stand there only where the school approved it."""
        shown = seen = False
        for row in self._rows("Students", {"options": _GUESTS}):
            seen = True
            shown = shown or "UPN" in row
            upn, pupil_id = row.get("UPN"), row.get("Id")
            if isinstance(upn, str) and pupil_id:
                yield upn, str(pupil_id)
        if seen and not shown:
            raise RefusedDeliveryError(
                "Xporter shows us pupils without their numbers (UPN), so we cannot tell who is who. "
                "Nothing was written.",
                what_now="Ask the school to approve the scope UPN in Xporter",
            )

    def read_marks(self, days: Sequence[str], pupil_ids: Sequence[str]) -> dict[Slot, Existing]:  # noqa: ARG002 - no filter by pupil is known
        """Read the school's whole days, morning and afternoon."""
        found: dict[Slot, Existing] = {}
        for day in days:
            for session in sorted(SESSIONS):
                params = {"date": day, "attendanceType": "S", "sessionType": session}
                for row in self._rows("AttendanceForDate", params):
                    found |= _standing(row, day, session)
        return found

    def batches(self, entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
        """Part by day: a request of two days is refused by contract."""
        in_order = sorted(entries, key=lambda entry: entry.mark.day)
        for _, batch in groupby(in_order, key=lambda entry: entry.mark.day):
            yield list(batch)

    def write(self, entries: Sequence[Entry]) -> Written:
        """Write one day's marks; where one is refused, none is written."""
        reply = self._wire.write(
            f"api/v1/Attendance/{self._estab}/", {"Marks": [_mark(entry) for entry in entries]}
        )
        complaint = at(reply.body, _COMPLAINT) if isinstance(reply.body, dict) else "no envelope"
        if complaint or reply.status == CANNOT_BE_READ:
            return Written.turned_away(entries, reply.text, reply.code, stale_ids=True)
        tracking = at(reply.body, "TrackingId")
        evidence = {"answer": reply.text}
        return Written(str(tracking) if tracking else "", evidence, reply.hops)

    def queue(self, entries: Sequence[Entry], address: str) -> Written:
        """Queue one day's marks; they call when the school's system has taken all of them, or none."""
        body = {"Marks": [_mark(entry) for entry in entries], "Callback": {"Method": "POST", "Url": address}}
        reply = self._wire.write(f"api/v1/AttendanceAsync/{self._estab}/", body)
        complaint = at(reply.body, _COMPLAINT) if isinstance(reply.body, dict) else "no envelope"
        if complaint or reply.status == CANNOT_BE_READ:
            return Written.turned_away(entries, reply.text, reply.code, stale_ids=True)
        tracking = at(reply.body, "TrackingId")
        if not isinstance(tracking, str) or not tracking.strip():
            raise UncertainDeliveryError(
                "Xporter said yes but gave no number of what it queued. The marks may have arrived.",
                code=reply.code,
                what_now="If it happens again, set queued = false and ask Xporter",
            )
        return Written(tracking.strip(), {"answer": reply.text}, reply.hops)

    def ask(self, reference: str) -> Asked:  # noqa: ARG002 - there is no address to ask at
        """Say that only the register tells; of the queue nobody has said yet that it is done."""
        return Asked(State.PENDING, may_show=True) if self.queues else Asked(State.CONFIRMED)

    def _read(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read one envelope; a 200 with an exception inside is no answer."""
        body = self._wire.read(path, params)
        if not isinstance(body, dict) or body.get(_COMPLAINT):
            raise self._wire.unreadable(_COMPLAINT if isinstance(body, dict) else "")
        return body

    def _rows(self, name: str, params: Mapping[str, str] | None = None) -> Iterator[Mapping[str, Any]]:
        asked = dict(params or {}) | {"pageSize": str(self._connection.page_size)}

        def page(number: int) -> Page:
            body = self._read(f"{self._at}/{name}/", asked | {"page": str(number)})
            rows = body.get(name)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise self._wire.unreadable()
            # The last page names a next one too, so the pages are counted.
            pages = at(body, "__pagination__.0.PageCount")
            return rows, isinstance(pages, int) and number < pages

        return self._wire.rows(page, self._connection.most_pages)


def _mark(entry: Entry) -> dict[str, Any]:
    mark = entry.mark
    record: dict[str, Any] = {
        "StudentId": entry.pupil_id,
        "MarkType": "S",
        "Date": mark.day,
        "Session": mark.session,
        "Mark": entry.target,
    }
    if mark.minutes_late:
        record["Mins"] = mark.minutes_late
    if mark.comment and len(mark.comment) <= NOTES_LIMIT:
        record["Notes"] = mark.comment
    return record


def _standing(row: Mapping[str, Any], day: str, session: str) -> dict[Slot, Existing]:
    """Give what a row says of a slot; what stands there without a mark is nothing.

    Raises:
        RefusedDeliveryError: It does not say whose mark it is, or which; writing blindly could harm it.
    """
    pupil_id, letter = row.get("StudentId"), row.get("Mark")
    same_day = str(row.get("Date") or day)[:10] == day
    if not pupil_id or not same_day or str(row.get("Session") or session).upper() != session:
        raise RefusedDeliveryError(
            "The marks that Xporter shows us do not say whose they are. Nothing was written.",
            code="marks",
            what_now="Ask Xporter what AttendanceForDate gives at this school",
        )
    if not isinstance(letter, str) or letter.strip() in {"", _NO_MARK}:
        return {}
    minutes, notes = str(row.get("MinsLate") or ""), row.get("Notes")
    existing = Existing(
        letter.strip(),
        int(minutes) if minutes.isascii() and minutes.isdecimal() else None,
        notes if isinstance(notes, str) else "",
    )
    return {(str(pupil_id), day, session): existing}
