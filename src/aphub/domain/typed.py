"""Days, times and halves as people and their programs write them in England: read exactly or not at all.

A day comes before its month, always: 03/04/2026 is the third of April, and 03/13/2026 is no day.
"""

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from aphub.domain.calendar import LONDON
from aphub.domain.entries import Half

_REMEMBERED = 4096
_LONGEST = 40
_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_EXCEL_BEGINS = date(1899, 12, 30)
_MINUTES_OF_DAY = 24 * 60

_MONTHS = {
    name[:length]: number
    for number, name in enumerate(
        (
            *("january", "february", "march", "april", "may", "june", "july"),
            *("august", "september", "october", "november", "december"),
        ),
        1,
    )
    for length in {3, 4, len(name)}
}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY = re.compile(
    r"(mon|tues|tue|weds|wed|thurs|thur|thu|fri|sat|sun)(?:day|sday|nesday|rsday|urday)?[ ,.]*"
)

_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4}|\d{2})")
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})")
_SERIAL = re.compile(r"(\d{5})(?:\.(\d+))?")
_DAY_AND_WORD = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ -]?(?:of )?([a-z]+)\.?[ ,-]*(\d{4}|\d{2})")
_WORD_AND_DAY = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_TIME_AFTER = re.compile(
    r"(.*\d)(?:t|,? +(?:at )?)(\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\.\d+)? ?(?:[ap]\.?m\.?)?)"
)
_INSTANT = re.compile(
    r"20\d{2}-[01]\d-[0-3]\d[t ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?(?:z|[+-][01]\d:[0-5]\d)"
)

_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?:[:.](\d{2})(?:\.\d+)?)? ?([ap])?\.?(?:m\.?)?")
_PLAIN_FIGURES = re.compile(r"(\d{2})(\d{2})")
_PART_OF_DAY = re.compile(r"0?\.\d+")
_AM = re.compile(r"(?:a\.?m\.?|morning)(?: (?:session|half|register))?")
_PM = re.compile(r"(?:p\.?m\.?|afternoon)(?: (?:session|half|register))?")


@lru_cache(maxsize=_REMEMBERED)
def read_day(text: str) -> date | None:
    """Read a day: ISO, English day first, a month in words, or Excel's serial number; a time after it is passed over.

    None for anything else, and where the weekday that stands with it is another day's.
    """
    both = read_day_and_time(text)
    return both[0] if both else None


@lru_cache(maxsize=_REMEMBERED)
def read_day_and_time(text: str) -> tuple[date, time | None] | None:
    """Read a day and the wall time behind it, if there is one."""
    folded = " ".join(text.casefold().split())
    if not folded or len(folded) > _LONGEST:
        return None
    day = _day(folded)
    if day is not None:
        serial = _SERIAL.fullmatch(folded)
        return day, read_clock(f"0.{serial[2]}") if serial and serial[2] else None
    if _INSTANT.fullmatch(folded):
        # A machine's instant names its own zone; people mean London's clocks.
        try:
            instant = datetime.fromisoformat(folded.upper()).astimezone(LONDON)
        except ValueError:
            return None
        return instant.date(), instant.time()
    parts = _TIME_AFTER.fullmatch(folded)
    day = _day(parts[1].rstrip(" ,")) if parts else None
    if parts is None or day is None:
        return None
    wall = read_clock(parts[2])
    return (day, wall) if wall is not None else None


@lru_cache(maxsize=_REMEMBERED)
def read_clock(text: str) -> time | None:
    """Read a London wall time: 09:30, 9.30am, 9am, 0930, 13:15:00, or Excel's part of a day."""
    folded = " ".join(text.casefold().split())
    if len(folded) > _LONGEST:
        return None
    if _PART_OF_DAY.fullmatch(folded):
        minutes = round(float(folded) * _MINUTES_OF_DAY) % _MINUTES_OF_DAY
        return time(minutes // 60, minutes % 60)
    figures = _PLAIN_FIGURES.fullmatch(folded)
    if figures:
        return _time(int(figures[1]), int(figures[2]), "")
    clock = _CLOCK.fullmatch(folded)
    if clock is None or not (clock[2] or clock[4]):
        return None
    return _time(int(clock[1]), int(clock[2] or 0), clock[4] or "")


@lru_cache(maxsize=_REMEMBERED)
def read_half(text: str) -> Half | None:
    """Read a half of the school day: AM, p.m., morning, afternoon session."""
    folded = " ".join(text.casefold().split())
    if _AM.fullmatch(folded):
        return Half.AM
    if _PM.fullmatch(folded):
        return Half.PM
    return None


def read_weekday(text: str) -> int | None:
    """Read a weekday, whole or its first letters; Monday is 0."""
    folded = text.strip().casefold().rstrip(".")
    found = [
        number
        for number, name in enumerate(_WEEKDAYS)
        if folded in {name, f"{name}s"} or (2 < len(folded) <= 5 and name.startswith(folded))  # noqa: PLR2004 - Tue, Tues
    ]
    return found[0] if found else None


def _time(hour: int, minute: int, half: str) -> time | None:
    if half:
        if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock with am and pm has twelve hours
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, minute)
    except ValueError:
        return None


def _day(folded: str) -> date | None:
    weekday = _WEEKDAY.match(folded)
    rest = folded[weekday.end() :] if weekday else folded
    day = _figures(rest) or _words(rest)
    if day is None or not _FIRST_YEAR <= day.year < _LAST_YEAR:
        return None
    if weekday and not _WEEKDAYS[day.weekday()].startswith(weekday[1][:3]):
        return None
    return day


def _figures(text: str) -> date | None:
    if match := _YEAR_FIRST.fullmatch(text):
        return _date(match[1], int(match[3]), match[4])
    if match := _DAY_FIRST.fullmatch(text):
        return _date(match[4], int(match[3]), match[1])
    if match := _COMPACT.fullmatch(text):
        return _date(match[1], int(match[2]), match[3])
    if match := _SERIAL.fullmatch(text):
        return _EXCEL_BEGINS + timedelta(days=int(match[1]))
    return None


def _words(text: str) -> date | None:
    if match := _DAY_AND_WORD.fullmatch(text):
        return _date(match[3], _MONTHS.get(match[2], 0), match[1])
    if match := _WORD_AND_DAY.fullmatch(text):
        return _date(match[3], _MONTHS.get(match[1], 0), match[2])
    return None


def _date(year: str, month: int, day: str) -> date | None:
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), month, int(day))  # noqa: PLR2004 - 26 is 2026
    except ValueError:
        return None
