"""Weekly timetables as an office types them: "Mon 09:00-12:00 in person @ Riverside; Tue 13:00-15:00 online"."""

import re
from dataclasses import dataclass

from aphub.domain.calendar import timetable_problems
from aphub.domain.outcomes import Mode
from aphub.domain.placements import Nature, TimetableSlot
from aphub.domain.typed import read_clock, read_weekday

LONGEST_PLACE = 80
_LONGEST = 200

_SLOT = re.compile(
    r"(?P<days>[a-z]+\.?(?:\s*(?:-|to|,|/|&|and)\s*[a-z]+\.?)*)\s+"
    r"(?P<starts>\d[\d:.]*\s?(?:[ap]\.?m\.?)?)\s*(?:-|to|until)\s*(?P<ends>\d[\d:.]*\s?(?:[ap]\.?m\.?)?)"
    r"(?:\s+(?P<mode>[a-z][a-z -]*?))?(?:\s*@\s*(?P<place>.+))?",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s*(?:-|\bto\b)\s*", re.IGNORECASE)
_LIST = re.compile(r"\s*(?:,|/|&|\band\b)\s*", re.IGNORECASE)
_MODES = {
    "in person": Mode.IN_PERSON,
    "in-person": Mode.IN_PERSON,
    "face to face": Mode.IN_PERSON,
    "online": Mode.ONLINE,
    "remote": Mode.ONLINE,
    "at home": Mode.AT_HOME,
    "home": Mode.AT_HOME,
}
_USUAL = {Nature.ONLINE: Mode.ONLINE, Nature.TUITION_AT_HOME: Mode.AT_HOME}
_HOW = "Write it like: Mon 09:00-12:00 in person @ Riverside; Tue 13:00-15:00 online"


@dataclass(frozen=True, slots=True)
class Timetable:
    """A weekly timetable, or what is wrong with it and how to write it."""

    slots: tuple[TimetableSlot, ...] = ()
    problems: tuple[str, ...] = ()
    mend: str = ""


def read_timetable(text: str, nature: Nature) -> Timetable:
    """Read a weekly timetable; a lesson without a mode is given as its nature usually is."""
    parts = [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]
    if not parts:
        return Timetable(problems=("There is no timetable.",), mend=_HOW)
    slots: list[TimetableSlot] = []
    for number, part in enumerate(parts, 1):
        read = _slots(part, nature)
        if isinstance(read, str):
            return Timetable(problems=(f"Lesson {number} of the timetable: {read}",), mend=_HOW)
        slots += read
    slots.sort(key=lambda slot: (slot.weekday, slot.starts, slot.ends))
    problems = tuple(timetable_problems(slots))
    return Timetable(tuple(slots), problems, "Check the times of these lessons." if problems else "")


def _slots(part: str, nature: Nature) -> list[TimetableSlot] | str:
    """Read one lesson, which may stand for several weekdays; or say in words what we cannot read."""
    match = (
        _SLOT.fullmatch(" ".join(part.replace("\N{EN DASH}", "-").split())) if len(part) <= _LONGEST else None
    )
    if match is None:
        return "we cannot read it."
    days = _days(match["days"])
    if not days:
        return "we cannot read its weekday."
    starts, ends = read_clock(match["starts"]), read_clock(match["ends"])
    if starts is None or ends is None:
        return "we cannot read its times."
    typed = (match["mode"] or "").strip().casefold()
    mode = _MODES.get(typed) if typed else _USUAL.get(nature, Mode.IN_PERSON)
    if mode is None:
        return "we cannot read how it is given: in person, at home or online."
    place = (match["place"] or "").strip()
    if len(place) > LONGEST_PLACE:
        return f"its place is longer than {LONGEST_PLACE} letters."
    return [TimetableSlot(day, starts, ends, mode, place, nature) for day in days]


def _days(text: str) -> list[int]:
    """Read "Mon", "Mon-Fri", or "Mon, Wed and Fri"; empty when any of it is no weekday."""
    ends = [read_weekday(name) for name in _RANGE.split(text)]
    if len(ends) == 2 and None not in ends:  # noqa: PLR2004 - a first and a last day
        first, last = (day for day in ends if day is not None)
        return list(range(first, last + 1))
    days = [read_weekday(name) for name in _LIST.split(text)]
    return [day for day in days if day is not None] if None not in days else []
