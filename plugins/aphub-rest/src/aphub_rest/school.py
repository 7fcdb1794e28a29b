"""One school as a template describes it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from urllib.parse import quote

from aphub.api import Memory, RefusedDeliveryError
from aphub.api.mis import (
    CANNOT_BE_READ,
    Asked,
    Entry,
    Existing,
    Finding,
    Page,
    Register,
    Reply,
    Slot,
    State,
    Wire,
    Written,
    at,
    verbatim,
)
from aphub_rest.settings import RestConnection, RestRoute
from aphub_rest.template import Listing, filled, places

_NOT_FOUND = "HTTP 404"


class School(Register):
    """A school's register behind a templated API."""

    def __init__(
        self, wire: Wire, connection: RestConnection, route: RestRoute, place: str, memory: Memory
    ) -> None:
        """Read nothing yet."""
        super().__init__(place, memory)
        self._wire = wire
        self._connection = connection
        self._api = connection.api
        self._given = {"school": route.school}
        self._half_days = {theirs.casefold(): ours for ours, theirs in self._api.sessions.items()}
        self.queues = self._api.callback is not None
        self._session_ids: dict[tuple[str, str], str] = {}
        self.by_pupil = "pupil_id" in places([self._api.marks.path, self._api.marks.query])

    def findings(self) -> Iterator[Finding]:
        """Look at what the template names for it, and at the code table."""
        vendor = self._api.vendor
        if self._api.permission is not None:
            seen = next(iter(self._rows(self._api.permission)), None) is not None
            yield Finding(
                f"{vendor} lets us in at this school",
                ok=seen,
                found="It answers" if seen else "It shows us nothing. Nothing was written.",
                mend="Ask the school to approve us there",
            )
        codes = bool(self.codes().targets)
        yield Finding(
            f"{vendor} has a code table for this school",
            ok=codes,
            found="It can be read" if codes else "There is none. Nothing was written.",
            mend="Check codes or code_table in the template",
        )

    def read_codes(self) -> Iterable[tuple[str, str]]:
        """Read their table, or give the template's."""
        codes = self._api.codes
        if codes is None:
            yield from self._api.code_table.items()
            return
        for row in self._rows(codes):
            letter, target = at(row, codes.letter), at(row, codes.target)
            if isinstance(letter, str) and isinstance(target, str | int):
                yield letter, str(target)

    def find_pupils(self, upns: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Look the pupils up, one at a time or all; only the number in the row itself says who it is."""
        pupils = self._api.pupils
        one_by_one = "upn" in places([pupils.path, pupils.query])
        shown = seen = False
        for upn in upns if one_by_one else [""]:
            for row in self._rows(pupils, {"upn": upn}):
                seen = True
                number, pupil_id = at(row, pupils.upn), at(row, pupils.id)
                shown = shown or isinstance(number, str)
                if isinstance(number, str) and isinstance(pupil_id, str | int):
                    yield number, str(pupil_id)
        if seen and not shown:
            raise RefusedDeliveryError(
                f"{self._api.vendor} shows us pupils without their numbers (UPN), so we cannot tell who is who. "
                "Nothing was written.",
                what_now="Ask the school to let us read UPNs, or check pupils.upn in the template",
            )

    def read_marks(self, days: Sequence[str], pupil_ids: Sequence[str]) -> dict[Slot, Existing]:
        """Read by day, by pupil or by half day, as the template asks."""
        marks = self._api.marks
        asked = places([marks.path, marks.query])
        halves = list(self._api.sessions) if asked & {"session", "session_id"} else [""]
        if self._api.session_ids is not None:
            for day in days:
                self._look_up_sessions(day)
        found: dict[Slot, Existing] = {}
        for pupil_id in pupil_ids if self.by_pupil else [""]:
            for day in days:
                for half in halves:
                    given = {
                        "date": self._their_day(day),
                        "pupil_id": pupil_id,
                        "session": self._api.sessions[half] if half else "",  # type: ignore[index]  # AM or PM
                        "session_id": self._session_ids.get((day, half), ""),
                    }
                    if half and "session_id" in asked and not given["session_id"]:
                        continue  # a half day that they do not have holds no mark
                    for row in self._rows(marks, given):
                        found |= self._standing(row)
        return found

    def _look_up_sessions(self, day: str) -> None:
        """Learn the numbers of a day's half days; one that has two numbers has none that we could trust."""
        listing = self._api.session_ids
        if listing is None or any(known == day for known, _ in self._session_ids):
            return
        seen: dict[tuple[str, str], set[str]] = {}
        asked = places([listing.path, listing.query])
        for word in self._api.sessions.values() if "session" in asked else [""]:
            for row in self._rows(listing, {"date": self._their_day(day), "session": word}):
                number, theirs = at(row, listing.id), at(row, listing.day)
                half = self._half_days.get(str(at(row, listing.session) or "").strip().casefold())
                if isinstance(number, str | int) and half and self._our_day(str(theirs)) == day:
                    seen.setdefault((day, half), set()).add(str(number))
        self._session_ids |= {slot: min(ids) for slot, ids in seen.items() if len(ids) == 1}

    def batches(self, entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
        """Part marks as the template says."""
        write = self._api.write

        def key(entry: Entry) -> tuple[str, ...]:
            slot = (entry.mark.day, entry.mark.session)
            return {"none": (), "date": slot[:1], "session": slot, "mark": (*slot, entry.pupil_id)}[
                write.group_by
            ]

        for _, group in groupby(sorted(entries, key=key), key=key):
            together = list(group)
            for start in range(0, len(together), write.most):
                yield together[start : start + write.most]

    def write(self, entries: Sequence[Entry]) -> Written:
        """Write one batch; a yes by status counts only if the template's test says so too."""
        return self.queue(entries, "")

    def queue(self, entries: Sequence[Entry], address: str) -> Written:
        """Write one batch likewise, and have them call `address` when it is done."""
        write, first = self._api.write, entries[0]
        if self._api.session_ids is not None:
            self._require_sessions(entries)
        items = [filled(write.item, self._of(entry)) for entry in entries]
        given = self._given | self._of(first) | {"items": items, "callback": address}
        body = items[0] if write.group_by == "mark" and write.body == "{items}" else filled(write.body, given)
        reply = self._wire.write(self._path(write.path, given), body, method=write.method)
        if reply.status == CANNOT_BE_READ or not self._is_yes(reply):
            stale = reply.status == CANNOT_BE_READ or not reply.complaint
            return Written.turned_away(entries, reply.text, reply.code, stale_ids=stale)
        reference = at(reply.body, write.reference) if write.reference else None
        evidence = {"answer": reply.text}
        word = str(reference) if isinstance(reference, str | int) else ""
        if " " in word:  # references of several requests are kept with a space between them
            word = ""
        return Written(word, evidence, reply.hops, self._turned_away(reply, entries))

    def _require_sessions(self, entries: Sequence[Entry]) -> None:
        """Refuse to write in a half day that their system does not have, or has twice."""
        for entry in entries:
            slot = (entry.mark.day, entry.mark.session)
            self._look_up_sessions(entry.mark.day)
            if slot not in self._session_ids:
                raise RefusedDeliveryError(
                    f"{self._api.vendor} shows no single session for {' '.join(slot)}. Nothing was written.",
                    code="session",
                    what_now="Ask the school whether its register has that session, or check session_ids in the template",
                )

    def ask(self, reference: str) -> Asked | None:
        """Ask what became of a write, where the template says how."""
        status = self._api.status
        if status is None or not reference:
            return Asked(State.CONFIRMED)
        try:
            body = self._wire.read(self._path(status.path, self._given | {"reference": reference}))
        except RefusedDeliveryError as exc:
            if exc.code == _NOT_FOUND:
                return None
            raise
        word = at(body, status.word)
        return Asked(status.words.get(str(word), State.PENDING), str(word), verbatim(body))

    def _is_yes(self, reply: Reply) -> bool:
        success = self._api.write.success
        if not success.path:
            return not reply.complaint
        found = at(reply.body, success.path)
        if success.empty:
            return isinstance(reply.body, dict) and found in (None, "", [], {})
        return any(type(found) is type(one) and found == one for one in success.values)

    def _turned_away(self, reply: Reply, entries: Sequence[Entry]) -> dict[Slot, str]:
        write = self._api.write
        results = at(reply.body, write.results) if write.results else None
        if not isinstance(results, list) or len(results) != len(entries):
            return {}
        said = zip(entries, results, strict=True)
        return {entry.slot: verbatim(one) for entry, one in said if at(one, write.result_ok) is not True}

    def _of(self, entry: Entry) -> dict[str, Any]:
        mark = entry.mark
        return {
            "pupil_id": entry.pupil_id,
            "target": entry.target,
            "code": mark.code,
            "date": self._their_day(mark.day),
            "session": self._api.sessions[mark.session],  # type: ignore[index]  # AM or PM, looked at before
            "session_id": self._session_ids.get((mark.day, mark.session), ""),
            "minutes_late": mark.minutes_late,
            "comment": mark.comment,
        }

    def _their_day(self, day: str) -> str:
        return date.fromisoformat(day).strftime(self._api.date_format)

    def _our_day(self, text: str) -> str:
        try:
            return datetime.strptime(text, self._api.date_format).date().isoformat()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            return text[:10]

    def _standing(self, row: Mapping[str, Any]) -> dict[Slot, Existing]:
        """Give what a row says of a slot; a row without a code is no mark.

        Raises:
            RefusedDeliveryError: It does not say whose mark it is, or when; writing blindly could harm it.
        """
        marks = self._api.marks
        pupil_id, day = at(row, marks.pupil), at(row, marks.day)
        half_day = str(at(row, marks.session) or "").strip().casefold()
        if marks.session_id:
            number = at(row, marks.session_id)
            slots = [slot for slot, known in self._session_ids.items() if known == str(number)]
            if pupil_id and number and not slots:
                return {}  # of a half day that was not asked for
            day, half = slots[0] if slots else (None, "")
            half_day = self._api.sessions[half].casefold() if half else ""  # type: ignore[index]  # AM or PM
        if not isinstance(pupil_id, str | int) or not isinstance(day, str) or not half_day:
            raise RefusedDeliveryError(
                f"The marks that {self._api.vendor} shows us do not say whose they are. Nothing was written.",
                code="marks",
                what_now="Check the part marks of the template",
            )
        target, session = at(row, marks.target), self._half_days.get(half_day)
        if session is None or target in (None, ""):
            return {}
        minutes, comment = str(at(row, marks.minutes) or ""), at(row, marks.comment)
        trouble = at(row, marks.trouble) if marks.trouble else None
        existing = Existing(
            str(target),
            int(minutes) if minutes.isascii() and minutes.isdecimal() else None,
            comment if isinstance(comment, str) else "",
            str(trouble) if trouble else "",
        )
        return {(str(pupil_id), self._our_day(day), session): existing}

    def _rows(self, listing: Listing, given: Mapping[str, str] | None = None) -> Iterator[Mapping[str, Any]]:
        places_given = self._given | dict(given or {})
        query = {name: str(filled(text, places_given)) for name, text in listing.query.items()}
        size = self._connection.page_size
        if listing.page_size:
            query[listing.page_size] = str(size)

        def page(number: int) -> Page:
            asked = query | ({listing.page: str(number)} if listing.page else {})
            body = self._wire.read(self._path(listing.path, places_given), asked or None)
            rows = at(body, listing.rows) if listing.rows else body
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise self._wire.unreadable()
            more = bool(at(body, listing.more)) if listing.more else len(rows) >= size
            return rows, bool(listing.page) and more

        return self._wire.rows(page, self._connection.most_pages)

    @staticmethod
    def _path(path: str, given: Mapping[str, Any]) -> str:
        """Fill the places of a path, each so that it cannot lead elsewhere."""
        quoted = {name: quote(str(value), safe="") for name, value in given.items()}
        return str(filled(path, quoted)).removeprefix("/")
