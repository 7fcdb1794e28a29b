"""Find the pupil, the placement and the lesson that a register's row speaks of: exactly, or ask; never a guess."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from sqlalchemy import Connection, Row

from aphub.api.sources import SourceRow
from aphub.domain.entries import Half
from aphub.domain.halves import SchoolHours, spoken_halves
from aphub.domain.identifiers import UpnState, check_upn
from aphub.domain.typed import read_clock, read_day_and_time, read_half
from aphub.services.desk import Desk
from aphub.store import entries, pupils

_PADDED = range(2, 11)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a row cannot become an entry without a person: what, what to do, where, and choices."""

    kind: str
    words: str
    mend: str
    column: str
    choices: tuple[str, ...] = ()


@dataclass(slots=True)
class Read:
    """One row with its day, start and half as far as they can be read."""

    row: SourceRow
    day: date | None
    starts: time | None
    half: Half | None


@dataclass(slots=True)
class Match:
    """What a row speaks of; without a doubt there is a lesson."""

    pupil_id: int | None = None
    lesson: Row[Any] | None = None
    half: Half | None = None
    doubt: Doubt | None = None
    is_split: bool = False
    halves: tuple[Half, ...] = ()


@dataclass(slots=True)
class Roll:
    """All that some rows can speak of, read from the store in a few queries."""

    desk: Desk
    references: dict[bytes, list[int]] = field(default_factory=dict)
    upns: dict[bytes, list[int]] = field(default_factory=dict)
    names: dict[bytes, list[int]] = field(default_factory=dict)
    rows: dict[int, Row[Any]] = field(default_factory=dict)
    placements: dict[int, list[Row[Any]]] = field(default_factory=dict)
    lessons: dict[tuple[int, date], list[Row[Any]]] = field(default_factory=dict)
    halves: dict[tuple[str, str, SchoolHours], tuple[Half, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, desk: Desk, connection: Connection, reads: Sequence[Read]) -> "Roll":
        """Read pupils, placements and lessons for some rows."""
        roll = cls(desk)
        provider_id, index = desk.provider_id, desk.vault.index
        refs = {ref for read in reads if (ref := read.row.pupil_ref.strip())}
        roll.references = pupils.by_index(
            connection, provider_id, "reference", [index("reference", ref) for ref in refs]
        )
        lost = [ref for ref in refs if index("reference", ref) not in roll.references]
        spellings = [index("reference", other) for ref in lost for other in other_spellings(ref)]
        if spellings:
            roll.references |= pupils.by_index(connection, provider_id, "reference", spellings)
        upns = {upn for read in reads if (upn := check_upn(read.row.upn).value)}
        roll.upns = pupils.by_index(connection, provider_id, "upn", [index("upn", upn) for upn in upns])
        if desk.config.provider.match_by_name:
            names = {name for read in reads if (name := name_of(read.row.name))}
            roll.names = pupils.by_index(
                connection, provider_id, "name", [index("name", name) for name in names]
            )
        found = {
            number
            for some in (roll.references, roll.upns, roll.names)
            for ids in some.values()
            for number in ids
        }
        roll.rows = pupils.by_numbers(connection, provider_id, found)
        roll.placements = pupils.placements_of(connection, provider_id, found)
        days = [read.day for read in reads if read.day]
        if days and found:
            placed = [one.placement_id for some in roll.placements.values() for one in some]
            roll.lessons = entries.lessons_on(connection, provider_id, placed, min(days), max(days))
        return roll

    def match(self, read: Read) -> Match:
        """Match one row: reference, then UPN, then exact name if the profile allows it; then the lesson."""
        if read.row.problem:
            return Match(doubt=Doubt("row", read.row.problem, "Check this row in the register.", "row"))
        if read.day is None:
            words = "We cannot read this date." if read.row.day.strip() else "There is no date."
            return Match(doubt=Doubt("date", words, "Write it like 3 March 2026 or 03/03/2026.", "date"))
        pupil_id, doubt = self._pupil(read.row, read.day)
        if doubt is not None or pupil_id is None:
            return Match(pupil_id, doubt=doubt)
        placed = [one for one in self.placements.get(pupil_id, []) if _covers(one, read.day)]
        if not placed:
            words = "This pupil is not placed with you on that day."
            mend = "Check the date, or the first and last day of the placement."
            return Match(pupil_id, doubt=Doubt("not_placed", words, mend, "date"))
        return self._lesson(read, pupil_id, placed)

    def _pupil(self, row: SourceRow, day: date) -> tuple[int | None, Doubt | None]:
        by_ref = self._by_reference(row.pupil_ref.strip())
        upn = check_upn(row.upn)
        by_upn = self.upns.get(self.desk.vault.index("upn", upn.value), []) if upn.value else []
        if len(by_ref) > 1 or len(by_upn) > 1:
            column = "pupil_ref" if len(by_ref) > 1 else "upn"
            words = "Several pupils fit this row."
            return None, Doubt("several_pupils", words, "Give each pupil their own number.", column)
        if by_ref:
            return by_ref[0], self._other_upn(by_ref[0], by_upn, upn.value, upn.state)
        if by_upn:
            return by_upn[0], None
        if self.names and (name := name_of(row.name)):
            fits = [
                number
                for number in self.names.get(self.desk.vault.index("name", name), [])
                if any(_covers(one, day) for one in self.placements.get(number, []))
            ]
            if len(fits) == 1 and not row.pupil_ref.strip() and not upn.value:
                return fits[0], None
            if len(fits) > 1:
                words = "Several pupils of this name are placed with you on that day."
                return None, Doubt("several_pupils", words, "Add their reference to the register.", "name")
        if upn.state in {UpnState.WRONG_LETTER, UpnState.MALFORMED} and not row.pupil_ref.strip():
            words = "This UPN is not written as a UPN can be, and no pupil has it."
            return None, Doubt("no_pupil", words, "Check it with the pupil's school.", "upn")
        words = "We do not know this pupil."
        mend = "Add the pupil with a placement, or check the reference."
        return None, Doubt("no_pupil", words, mend, "pupil_ref" if row.pupil_ref.strip() else "upn")

    def _by_reference(self, ref: str) -> list[int]:
        if not ref:
            return []
        index = self.desk.vault.index
        exact = self.references.get(index("reference", ref))
        if exact:
            return exact
        # A spreadsheet eats the zeros that a reference begins with; only one pupil may fit then.
        return list(
            dict.fromkeys(
                number
                for other in other_spellings(ref)
                for number in self.references.get(index("reference", other), [])
            )
        )

    def _other_upn(self, pupil_id: int, by_upn: list[int], value: str, state: UpnState) -> Doubt | None:
        """Doubt a row whose UPN is not that of the pupil whom its reference names."""
        if not value or by_upn == [pupil_id] or (not by_upn and self.rows[pupil_id].upn_index is None):
            return None
        if by_upn:
            words = "The reference and the UPN in this row belong to two pupils."
        elif state is UpnState.WRONG_LETTER:
            words = "The UPN in this row has a wrong first letter, and is not the one we have for this pupil."
        else:
            words = "The UPN in this row is not the one we have for this pupil."
        return Doubt("upn_differs", words, "Check which of the two is right.", "upn")

    def _lesson(self, read: Read, pupil_id: int, placed: list[Row[Any]]) -> Match:
        here = {one.placement_id: one for one in placed}
        day = read.day
        lessons = (
            [one for one in self.lessons.get((pupil_id, day), []) if one.placement_id in here] if day else []
        )
        if not lessons:
            words = "No lesson is due for this pupil on that day."
            return Match(
                pupil_id, doubt=Doubt("no_lesson", words, "Check the date, or the timetable.", "date")
            )
        fits = lessons
        if read.starts is not None:
            wall = f"{read.starts:%H:%M}"
            fits = [one for one in lessons if one.starts_wall == wall]
        elif read.half is not None:
            fits = [one for one in lessons if read.half in self.halves_of(one, here[one.placement_id])]
        if len(fits) == 1:
            halves = self.halves_of(fits[0], here[fits[0].placement_id])
            return Match(pupil_id, fits[0], read.half, is_split=len(halves) > 1, halves=halves)
        choices = tuple(dict.fromkeys(one.starts_wall for one in (fits or lessons)))
        if fits:
            words = "Several lessons of that day fit this row."
            doubt = Doubt("several_lessons", words, "Add the start time to the register.", "starts", choices)
        else:
            words = "No lesson is due for this pupil at that time."
            column = "starts" if read.starts is not None else "session"
            doubt = Doubt("no_lesson", words, "Check the time, or the timetable.", column, choices)
        return Match(pupil_id, doubt=doubt)

    def halves_of(self, lesson: Row[Any], placement: Row[Any]) -> tuple[Half, ...]:
        """Give the halves in which a lesson stands by its commissioner's hours."""
        organisation = self.desk.config.organisations.get(placement.commissioner)
        hours = organisation.hours.hours() if organisation else SchoolHours()
        key = (lesson.starts_wall, lesson.ends_wall, hours)
        known = self.halves.get(key)
        if known is None:
            starts, ends = time.fromisoformat(lesson.starts_wall), time.fromisoformat(lesson.ends_wall)
            known = self.halves[key] = spoken_halves(starts, ends, hours)
        return known


def read_when(rows: Iterable[SourceRow]) -> Iterator[Read]:
    """Read each row's day, start and half from the source's own words."""
    for row in rows:
        both = read_day_and_time(row.day)
        starts = read_clock(row.starts) if row.starts else None
        if starts is None and both is not None:
            starts = both[1]
        half = read_half(row.session) if row.session else None
        if half is None and starts is None and row.session:
            starts = read_clock(row.session)
        yield Read(row, both[0] if both else None, starts, half)


def name_of(text: str) -> str:
    """Give a name as it is compared: "Family, Given" turned round."""
    family, comma, given = text.partition(",")
    return " ".join((f"{given} {family}" if comma else text).split())


def other_spellings(ref: str) -> list[str]:
    """Give a reference of figures with other numbers of zeros before it."""
    if not (ref.isascii() and ref.isdigit()):
        return []
    bare = ref.lstrip("0") or "0"
    return [spelled for width in _PADDED if (spelled := bare.zfill(width)) != ref] + [bare] * (bare != ref)


def _covers(placement: Row[Any], day: date) -> bool:
    return placement.starts_day <= day and (placement.ends_day is None or day <= placement.ends_day)
