"""Read what a file of people says beyond who is taught when: what a census asks, and who is reached at home."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from aphub.domain.census import (
    MOST_SESSIONS,
    SETTING_WORDS,
    Pattern,
    Setting,
    hours_words,
    read_hours,
    week_of,
)
from aphub.domain.contacts import Restriction, read_restriction
from aphub.domain.errors import AphubError
from aphub.domain.halves import SchoolHours
from aphub.domain.identifiers import check_urn
from aphub.domain.narrative import tells_too_much
from aphub.domain.placements import TimetableSlot
from aphub.services.people_rows import HOME, Pairs
from aphub.settings.models import Snapshot

Say = Callable[[str, str, str], None]
"""Takes a column, what is wrong or to look at in it, and its mend."""

LONGEST: Mapping[str, int] = {"contact_note": 500, "emergency_contacts": 300}
"""Letters in a cell, where that is not the usual."""

_ALL = 100
_PATTERNS = {
    **dict.fromkeys(("full time", "full", "ft", "full time placement"), Pattern.FULL_TIME),
    **dict.fromkeys(("part time", "part", "pt", "part time placement"), Pattern.PART_TIME),
}
_SETTINGS = {
    **{setting.value.casefold(): setting for setting in Setting},
    **{words: setting for setting, words in SETTING_WORDS.items()},
    **dict.fromkeys(("one to one tuition", "1:1 tuition", "tuition"), Setting.TUITION),
    **dict.fromkeys(("work based placement", "work placement"), Setting.WORK),
    **dict.fromkeys(("other", "unregistered provider"), Setting.OTHER),
}


def read_items(
    config: Snapshot,
    names: Mapping[str, str],
    cells: Mapping[str, str],
    timetable: tuple[TimetableSlot, ...],
    wrong: Say,
    look_at: Say,
) -> Pairs:
    """Read what a census asks, and the target: each column that the file has, empty where its cell is."""
    found: dict[str, str] = {}
    if "setting_type" in cells:
        found["setting_type"] = _setting(config, cells["setting_type"], wrong)
    if "placement_reason" in cells:
        found["placement_reason"] = cells["placement_reason"]
        if tells_too_much(cells["placement_reason"]):
            words = "This reads like a safeguarding matter, and the commissioner's census gets it."
            look_at("placement_reason", words, "Write the reason in a few words, without the story.")
    if "attendance_pattern" in cells:
        found["attendance_pattern"] = _pattern(cells["attendance_pattern"], wrong)
    if "associated_school" in cells:
        found["associated_school"] = _school(config, names, cells["associated_school"], wrong)
    if "attendance_target" in cells:
        found["attendance_target"] = _target(cells["attendance_target"], wrong)
    found |= _amounts(cells, timetable, wrong, look_at)
    return tuple(sorted(found.items()))


def read_home(cells: Mapping[str, str], wrong: Say) -> Pairs:
    """Read who is reached at home and who must not be: each column that the file has, empty where its cell is."""
    found = {name: cells[name] for name in HOME if name in cells}
    typed = found.get("contact_restriction", "")
    if typed:
        restriction = read_restriction(typed)
        if restriction is None:
            names = " or ".join(one.words for one in Restriction)
            wrong("contact_restriction", "We do not know this word here.", f"Write {names}, or nothing.")
        else:
            found["contact_restriction"] = restriction.value
    return tuple(sorted(found.items()))


def _setting(config: Snapshot, text: str, wrong: Say) -> str:
    if not text:
        return ""
    found = _SETTINGS.get(" ".join(text.casefold().replace("-", " ").split())) or _SETTINGS.get(
        text.casefold()
    )
    if found is None:
        names = ", ".join(f"{one.value} ({SETTING_WORDS[one]})" for one in Setting)
        wrong("setting_type", "We do not know this type of setting.", f"Write one of: {names}.")
        return ""
    number = "URN" if config.provider.urn else "UKPRN" if config.provider.ukprn else ""
    if number:
        words = f"The census takes exactly one of URN, UKPRN and type of setting, and you have a {number}."
        wrong("setting_type", words, "Empty this cell.")
    return found.value


def _target(text: str, wrong: Say) -> str:
    number = text.removesuffix("%").strip()
    if not number:
        return ""
    if number.isascii() and number.isdigit() and 0 < int(number) <= _ALL:
        return str(int(number))
    wrong("attendance_target", "This is no per cent.", "Write a whole number from 1 to 100, or nothing.")
    return ""


def _pattern(text: str, wrong: Say) -> str:
    if not text:
        return ""
    found = _PATTERNS.get(text.casefold().replace("-", " "))
    if found is None:
        wrong("attendance_pattern", "We do not know this word here.", "Write full time or part time.")
    return found.value if found else ""


def _school(config: Snapshot, names: Mapping[str, str], text: str, wrong: Say) -> str:
    """Give the short name of a school that we know, or the URN of one that we do not."""
    if not text:
        return ""
    slug = names.get(text.casefold())
    if slug is not None and config.organisations[slug].kind == "school":
        return slug
    if text[:1].isdigit():
        try:
            return check_urn(text)
        except AphubError as exc:
            wrong("associated_school", f"{exc}", "Write its URN, or a school's short name.")
            return ""
    schools = [name for name, one in names.items() if config.organisations[one].kind == "school"]
    near = get_close_matches(text.casefold(), schools, 1)
    mend = f"Did you mean '{names[near[0]]}'?" if near else "Write a school's short name, or its URN."
    wrong("associated_school", "There is no school of this name.", mend)
    return ""


def _amounts(
    cells: Mapping[str, str], timetable: tuple[TimetableSlot, ...], wrong: Say, look_at: Say
) -> dict[str, str]:
    """Read how much of a week was commissioned, and look whether the timetable says the same."""
    found: dict[str, str] = {}
    week = week_of(timetable, SchoolHours())
    if "hours_per_week" in cells:
        text = cells["hours_per_week"]
        hours = read_hours(text) if text else None
        if text and hours is None:
            wrong("hours_per_week", "We cannot read these hours.", "Write them like 15 or 12.5.")
        elif hours is not None and timetable and hours != week.hours:
            words = f"This says {hours_words(hours)} hours a week, and the timetable has {hours_words(week.hours)}."
            look_at("hours_per_week", words, "Check which is right; both are kept.")
        found["hours_per_week"] = hours_words(hours) if hours is not None else ""
    if "sessions_per_week" in cells:
        text = cells["sessions_per_week"]
        if text and not (text.isascii() and text.isdigit() and int(text) <= MOST_SESSIONS):
            wrong(
                "sessions_per_week",
                "We cannot read how many half days these are.",
                "Write a number such as 5.",
            )
        found["sessions_per_week"] = str(int(text)) if text.isascii() and text.isdigit() else ""
    return found
