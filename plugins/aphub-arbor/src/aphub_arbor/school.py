"""One school's Arbor, by the models of Arbor's own SDK."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from aphub.api import Memory, RefusedDeliveryError, UncertainDeliveryError
from aphub.api.mis import (
    CANNOT_BE_READ,
    Entry,
    Existing,
    Finding,
    Register,
    Reply,
    Slot,
    Wire,
    Written,
    at,
)
from aphub_arbor.envelope import Resource, Resources, code_in
from aphub_arbor.settings import ArborConnection, ArborRoute, is_shared

RECORDS = "attendance-roll-call-records"
NEEDED = ("attendance-marks", "attendance-roll-calls", "uk-dfe_upn-assignments", RECORDS)
_BROKEN = 500


class School(Register):
    """A school's roll calls; marks are read pupil by pupil, since a list gives addresses only."""

    by_pupil = True

    def __init__(
        self,
        wire: Wire,
        connection: ArborConnection,
        route: ArborRoute,
        place: str,
        memory: Memory,
        now: Callable[[], datetime],
    ) -> None:
        """Read nothing yet."""
        super().__init__(place, memory)
        self._wire = wire
        self._connection = connection
        self._host = route.school
        self._now = now
        self._resources = Resources(wire, connection.page_size, connection.most_pages)
        self._sessions: dict[str, str] | None = None

    def findings(self) -> Iterator[Finding]:
        """Look at address, resources and roll calls. That we may write is seen at the first mark only."""
        base_url = self._connection.base_url
        named = bool(self._connection.application_id) if is_shared(base_url) else self._at_home(base_url)
        yield Finding(
            "The address is this school's",
            ok=named,
            found=f"Marks for {self._host} go to {self._connection.host}. Nothing was written."
            if not named
            else f"It is {self._connection.host}",
            mend="Set base_url to the school's own address, or application_id at the shared one",
        )
        for name in NEEDED:
            code = self._resources.may_read(name)
            yield Finding(
                f"We may read {name}",
                ok=not code,
                found=f"Arbor says no ({code}). Nothing was written." if code else "It can be read",
                mend="Ask the school to approve our application in Arbor",
            )
        found = sorted(self._roll_calls().values())
        yield Finding(
            "Morning and afternoon have a roll call each",
            ok=found == ["AM", "PM"],
            found="They have" if found == ["AM", "PM"] else f"Found: {found}. Nothing was written.",
            mend="Set roll_call_am and roll_call_pm to the names that the school uses",
        )

    def read_codes(self) -> Iterator[tuple[str, str]]:
        """Read the letters that are in use, and their addresses."""
        for row in self._resources.all("attendance-marks", full="attendanceMark"):
            letter, href = row.get("attendanceMark"), row.get("href")
            if row.get("active") is not False and isinstance(letter, str) and isinstance(href, str):
                yield letter, href

    def find_pupils(self, upns: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Find the pupils with these numbers, one after the other; an assignment that has ended is nobody's."""
        today = f"{self._now():%Y-%m-%d %H:%M:%S}"
        for upn in upns:
            for row in self._resources.all("uk-dfe_upn-assignments", {"upn": upn}, full="student"):
                number, href, ends = row.get("upn"), at(row, "student.href"), row.get("endDatetime")
                if isinstance(number, str) and isinstance(href, str) and (not ends or str(ends) > today):
                    yield number, href

    def read_marks(self, days: Sequence[str], pupil_ids: Sequence[str]) -> dict[Slot, Existing]:
        """Read the records of each pupil and day."""
        found: dict[Slot, Existing] = {}
        for pupil_id in pupil_ids:
            for day in days:
                filters = {"student": pupil_id, "recordDate": day}
                for row in self._resources.all(RECORDS, filters, full="student"):
                    found |= self._standing(row)
        return found

    def write(self, entries: Sequence[Entry]) -> Written:
        """Write these marks in one request; a 200 may carry a no, for all or for one."""
        marks = [self._mark(entry) for entry in entries]
        reply = self._wire.write("rest-v2/attendance-roll-call-registration", {"request": {"marks": marks}})
        code = code_in(reply.body, reply.status)
        if code >= _BROKEN:
            raise UncertainDeliveryError(
                "Arbor failed while taking the marks. They may have arrived.", code=f"code {code}"
            )
        if code >= 400 or reply.complaint or at(reply.body, "response.errors"):  # noqa: PLR2004 - HTTP's own number
            return Written.turned_away(entries, reply.text, f"code {code}", stale_ids=code == CANNOT_BE_READ)
        return Written("", {"answer": reply.text}, reply.hops, _turned_away(reply, entries))

    def _at_home(self, base_url: str) -> bool:
        return self._connection.host.partition(":")[0] == self._host or base_url.startswith(
            f"https://{self._host}/"
        )

    def _roll_calls(self) -> dict[str, str]:
        """Give AM or PM for the address of each of the two roll calls; a name that two have is neither's."""
        if self._sessions is None:
            names = {
                self._connection.roll_call_am.strip().casefold(): "AM",
                self._connection.roll_call_pm.strip().casefold(): "PM",
            }
            self._sessions = {}
            for row in self._resources.all("attendance-roll-calls", full="name"):
                called = {str(row.get(field) or "").strip().casefold() for field in ("shortName", "name")}
                for name in called & names.keys():
                    self._sessions[str(row.get("href"))] = names[name]
        return self._sessions

    def _standing(self, row: Resource) -> dict[Slot, Existing]:
        """Give what a record says of a slot; what belongs to no roll call of ours is nothing.

        Raises:
            RefusedDeliveryError: It does not say whose mark it is; writing blindly could harm it.
        """
        pupil_id, call = at(row, "student.href"), at(row, "attendanceRollCall.href")
        day = str(row.get("recordDate") or "")[:10]
        if not isinstance(pupil_id, str) or not isinstance(call, str) or not day:
            raise RefusedDeliveryError(
                "The marks that Arbor shows us do not say whose they are. Nothing was written.",
                code="marks",
                what_now="Ask Arbor what attendance-roll-call-records gives at this school",
            )
        session, target = self._roll_calls().get(call), at(row, "attendanceMark.href")
        if session is None or not isinstance(target, str):
            return {}
        minutes, trouble = row.get("minutesLate"), row.get("validationError")
        existing = Existing(
            target,
            minutes if isinstance(minutes, int) else None,
            trouble=str(trouble) if trouble else "",
        )
        return {(pupil_id, day, session): existing}

    def _mark(self, entry: Entry) -> Mapping[str, Any]:
        call = self._connection.roll_call_am if entry.mark.session == "AM" else self._connection.roll_call_pm
        return {
            "student": {"entityType": "Student", "href": entry.pupil_id},
            "attendanceMark": {"entityType": "AttendanceMark", "href": entry.target},
            "minutesLate": entry.mark.minutes_late,
            "recordDate": entry.mark.day,
            "rollCall": call,
        }


def _turned_away(reply: Reply, entries: Sequence[Entry]) -> dict[Slot, str]:
    """Give their words for each mark of which they say that it did not go well."""
    results = at(reply.body, "results")
    if not isinstance(results, list) or len(results) != len(entries):
        return {}
    said = zip(entries, results, strict=True)
    return {entry.slot: reply.text for entry, one in said if at(one, "status.success") is False}
