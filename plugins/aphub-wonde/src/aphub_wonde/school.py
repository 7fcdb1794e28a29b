"""One school as Wonde shows it: may we write, which codes it has, which pupils, which marks stand there."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from aphub.api import RefusedDeliveryError, TransientDeliveryError
from aphub_wonde.marks import Existing
from aphub_wonde.preflight import Finding, findings
from aphub_wonde.settings import WondeConnection
from aphub_wonde.standing import Slot, day_of, standing_in
from aphub_wonde.wire import Wire, at

_UPNS_IN_ONE_ADDRESS = 200
"""200 numbers make 2,800 characters of address; servers take 8,000."""
_FRESH = timedelta(seconds=30)
"""How long marks that were read count as what stands there now."""


class School:
    """A school's codes and pupils, kept for as long as the adapter lives, and its marks, for seconds."""

    def __init__(self, wire: Wire, connection: WondeConnection, school_id: str) -> None:
        """Read nothing yet."""
        self._wire = wire
        self._connection = connection
        self._at = f"schools/{school_id}"
        self._school_id = school_id
        self._refusal: RefusedDeliveryError | None = None
        self._may_write = False
        self._code_ids: dict[str, str] | None = None
        self._letters: dict[str, str] = {}
        self._twice: frozenset[str] = frozenset()
        self._students: dict[str, str] = {}
        self._asked: set[str] = set()
        self._marks: dict[Slot, Existing] = {}
        self._days: set[str] = set()
        self._marks_read_at: datetime | None = None

    @property
    def marks_path(self) -> str:
        """Where session marks are read and written."""
        return f"{self._at}/attendance/session/"

    @property
    def letters(self) -> dict[str, str]:
        """The school's letter for each code id."""
        return self._letters

    def require_writing(self) -> None:
        """Make sure, once, that the school lets us write.

        Raises:
            RefusedDeliveryError: It does not; the words say what to ask for.
            TransientDeliveryError: Its system is offline now.
        """
        if self._refusal is not None:
            raise self._refusal
        if self._may_write:
            return
        try:
            for finding in self.findings():
                if finding.ok:
                    continue
                kind = TransientDeliveryError if finding.passing else RefusedDeliveryError
                raise kind(finding.found, what_now=finding.mend)
        except RefusedDeliveryError as exc:
            self._refusal = exc
            raise
        self._may_write = True

    def findings(self) -> Iterator[Finding]:
        """Look at the school, its approval and our permissions, one after the other."""
        return findings(self._wire, self._connection, self._school_id)

    def code_ids(self) -> dict[str, str]:
        """Give the school's own code table, letter to id; a letter that stands there twice is left out."""
        if self._code_ids is None:
            seen: dict[str, str] = {}
            twice = set()
            for row in self._wire.rows(f"{self._at}/attendance-codes/"):
                letter, code_id = row.get("code"), row.get("id")
                if not isinstance(letter, str) or not isinstance(code_id, str | int):
                    continue
                self._letters[str(code_id)] = letter.strip()
                if seen.setdefault(letter.strip(), str(code_id)) != str(code_id):
                    twice.add(letter.strip())
            self._twice = frozenset(twice)
            self._code_ids = {letter: code_id for letter, code_id in seen.items() if letter not in twice}
        return self._code_ids

    def why_no_code(self, letter: str) -> str:
        """Say why a letter has no id."""
        if letter in self._twice:
            return f"The school's system has the code {letter} twice, so we cannot tell which is meant."
        return f"The school's system has no code {letter}."

    def students(self, upns: set[str], together: Iterable[str] = ()) -> dict[str, str]:
        """Give the student id of each UPN that is one pupil's there.

        Asks only for those not asked for yet, and then for those of `together` in the same breath.
        """
        if upns <= self._asked:
            return self._students
        missing = sorted({upn for upn in (*upns, *together) if upn} - self._asked)
        for start in range(0, len(missing), _UPNS_IN_ONE_ADDRESS):
            part = missing[start : start + _UPNS_IN_ONE_ADDRESS]
            self._read_students(part)
            self._asked.update(part)
        return self._students

    def ask_again(self) -> None:
        """Let the next question ask again for those who were not found: enrolments take time."""
        self._asked = set(self._students)

    def forget_students(self, upns: set[str]) -> dict[str, str]:
        """Drop what is known of these pupils, since ids change when a pupil is enrolled again; gives what was known."""
        self._asked -= upns
        return {upn: self._students.pop(upn, "") for upn in upns}

    def marks(self, days: set[str], now: datetime, *, fresh: bool) -> dict[Slot, Existing]:
        """Give the marks that stand there on these days.

        Wonde has no filter by pupil, so the school's whole day comes, as ids only; it is kept for seconds, so that a
        burst reads it once.
        """
        stale = self._marks_read_at is None or not timedelta(0) <= now - self._marks_read_at < _FRESH
        if fresh or stale or not self._days >= days:
            found: dict[Slot, Existing] = {}
            for first, last in _spans(sorted(days)):
                found.update(self._read_marks(first, last))
            self._marks, self._days, self._marks_read_at = found, set(days), now
        return self._marks

    def upns_are_shown(self) -> bool:
        """Whether one student's answer holds a UPN where we look for it; sends no number."""
        body = self._wire.read(f"{self._at}/students", {"include": self._include(), "per_page": "1"})
        rows = body.get("data")
        return isinstance(rows, list) and (not rows or bool(at(rows[0], self._connection.upn_path)))

    def filters_are_heard(self, day: date) -> bool:
        """Whether a page of marks keeps to the days asked for."""
        params = self._mark_params(day, day) | {"per_page": "1"}
        margin = timedelta(days=self._connection.marks_margin_days)
        rows = self._wire.read(self.marks_path, params).get("data")
        if not isinstance(rows, list):
            return False
        days = {day_of(row.get("date")) for row in rows if isinstance(row, dict)}
        return all((day - margin).isoformat() <= one <= (day + margin).isoformat() for one in days)

    def _include(self) -> str:
        return self._connection.upn_path.split(".", 1)[0]

    def _read_students(self, upns: Sequence[str]) -> None:
        """Find the pupils with these numbers; a number that two pupils have is nobody's."""
        params = {"only_upns": ",".join(upns), "include": self._include()}
        wanted, shown, seen = set(upns), False, False
        ids: dict[str, str] = {}
        twice = set()
        for row in self._wire.rows(f"{self._at}/students", params):
            seen = True
            upn, student_id = at(row, self._connection.upn_path), row.get("id")
            shown = shown or isinstance(upn, str)
            # The filter is theirs: only a number that stands in the answer itself names a pupil.
            if not isinstance(upn, str) or upn.strip().upper() not in wanted or not student_id:
                continue
            if ids.setdefault(upn.strip().upper(), str(student_id)) != str(student_id):
                twice.add(upn.strip().upper())
        if seen and not shown:
            raise RefusedDeliveryError(
                "Wonde shows us pupils without their numbers (UPN), so we cannot tell who is who. Nothing was written.",
                what_now="Ask the school to approve the UPN permission, or set upn_path",
            )
        self._students.update({upn: one for upn, one in ids.items() if upn not in twice})

    def _mark_params(self, first: date, last: date) -> dict[str, str]:
        margin = timedelta(days=self._connection.marks_margin_days)
        params = {
            self._connection.marks_after_parameter: (first - margin).isoformat(),
            self._connection.marks_before_parameter: (last + margin).isoformat(),
        }
        if self._connection.marks_include:
            params["include"] = self._connection.marks_include
        return params

    def _read_marks(self, first: date, last: date) -> dict[Slot, Existing]:
        return standing_in(self._wire.rows(self.marks_path, self._mark_params(first, last)))


def _spans(days: Sequence[str]) -> Iterator[tuple[date, date]]:
    """Join days in order to spans without a gap of more than a weekend."""
    dates = [date.fromisoformat(day) for day in days]
    start = 0
    for place in range(1, len(dates) + 1):
        if place == len(dates) or dates[place] - dates[place - 1] > timedelta(days=3):
            yield dates[start], dates[place - 1]
            start = place
