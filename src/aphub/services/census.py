"""What a commissioner's census asks of the placements that it commissioned: nobody else's, and who exported it is noted."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from aphub.domain.census import hours_words, week_of
from aphub.domain.errors import AphubError
from aphub.domain.halves import SchoolHours
from aphub.domain.papers import Cell, Paper, Table, Text
from aphub.domain.placements import ArrangedBy, Registration
from aphub.domain.wording import day_words
from aphub.services.accesses import What, note
from aphub.services.desk import Desk
from aphub.services.people_kept import open_items
from aphub.services.summaries.people import Placed, placed_of
from aphub.store import records
from aphub.store.placements import timetable_from_text

COLUMNS = (
    *(
        "placement_ref",
        "upn",
        "surname",
        "forename",
        "school_pupil_ref",
        "associated_school",
        "associated_school_urn",
    ),
    *(
        "provider_name",
        "provider_urn",
        "provider_ukprn",
        "setting_type",
        "arranged_by",
        "power",
        "commissioner",
    ),
    *("registration", "nature", "reason", "start_date", "end_date", "attendance_pattern", "hours_per_week"),
    *("sessions_per_week", "timetable_hours_per_week", "timetable_sessions_per_week", "missing"),
)
"""The headings of the file, documented in docs/import-people.md; more are added at the end only."""

_NEEDED = ("reason", "attendance_pattern", "hours_per_week", "sessions_per_week")
_SCHOOL_YEAR_BEGINS = 9  # September


@dataclass(frozen=True, slots=True)
class Export:
    """A paper with the placements, how many stand in it, and how many of those lack something or were left out."""

    paper: Paper
    placements: int
    lacking: int
    left_out: int


def placements_of(
    desk: Desk,
    organisation: str,
    by: str,
    because: str = "",
    first: date | None = None,
    last: date | None = None,
) -> Export:
    """Describe the placements that a school or council commissioned and that ran between two days, this school year's by default.

    Raises:
        AphubError: There is no such school or council, or nobody is named.
    """
    commissioner = desk.config.organisations.get(organisation)
    if commissioner is None:
        known = ", ".join(sorted(desk.config.organisations)) or "none"
        words = f"We know no school or council '{organisation}'."
        raise AphubError(words, "Nothing was written.", f"There are: {known}.")
    starts = first or date(desk.today.year - (desk.today.month < _SCHOOL_YEAR_BEGINS), _SCHOOL_YEAR_BEGINS, 1)
    until = (last or desk.today) + timedelta(days=1)
    with desk.store.reading() as connection:
        rows = records.placements_between(
            connection, desk.provider_id, starts, until, commissioner=organisation
        )
    people = [one for one in placed_of(desk, rows) if one.pupil is not None]
    note(desk, What.PLACEMENTS, organisation, by, {one.pupil_id for one in people}, because)
    items = open_items(desk, [one.row for one in people])
    lines = [_line(desk, one, items[one.placement_id]) for one in people]
    left_out = sum(row.suppressed for row in rows)
    words = f"Placements commissioned by {commissioner.name}, {day_words(starts)} to {day_words(until - timedelta(days=1))}"
    [reference] = desk.references(1)
    paper = Paper(
        title=words,
        file_name="placements",
        provider=desk.config.provider.name,
        as_at=desk.now,
        reference=f"{desk.config.provider.prefix}-{reference}",
        parts=(
            Text(
                "The commissioner returns these in its census. What we were not told is named under missing."
            ),
            Table("Placements", COLUMNS, tuple(lines), nothing="No placement ran in these days."),
        ),
        wide=True,
        made_by=by,
    )
    return Export(paper, len(lines), sum(bool(line[-1]) for line in lines), left_out)


def _line(desk: Desk, one: Placed, items: dict[str, str]) -> tuple[Cell, ...]:
    row, pupil, provider = one.row, one.pupil, desk.config.provider
    school, urn = _school(desk, _associated(items, row))
    week = week_of(timetable_from_text(row.timetable), _hours(desk, items, row))
    # Exactly one of the three: the first that there is.
    numbers = (provider.urn, "" if provider.urn else provider.ukprn)
    values: dict[str, str] = {
        "placement_ref": row.ref,
        "upn": pupil.upn if pupil else "",
        "surname": pupil.family_name if pupil else "",
        "forename": pupil.given_name if pupil else "",
        "school_pupil_ref": pupil.school_pupil_ref if pupil else "",
        "associated_school": school,
        "associated_school_urn": urn,
        "provider_name": provider.name,
        "provider_urn": numbers[0],
        "provider_ukprn": numbers[1],
        "setting_type": "" if any(numbers) else items.get("setting_type", ""),
        "arranged_by": row.arranged_by,
        "power": row.power,
        "commissioner": desk.config.organisations[row.commissioner].name,
        "registration": row.registration.replace("_", " "),
        "nature": row.nature,
        "reason": items.get("placement_reason", ""),
        "start_date": row.starts_day.isoformat(),
        "end_date": row.ends_day.isoformat() if row.ends_day else "",
        "attendance_pattern": items.get("attendance_pattern", ""),
        "hours_per_week": items.get("hours_per_week", ""),
        "sessions_per_week": items.get("sessions_per_week", ""),
        "timetable_hours_per_week": hours_words(week.hours),
        "timetable_sessions_per_week": str(week.sessions),
    }
    missing = [name for name in ("upn", *_NEEDED) if not values[name]]
    if not any((*numbers, values["setting_type"])):
        missing.append("setting_type")
    if row.registration in {Registration.HOME, Registration.DUAL} and not (school or urn):
        missing.append("associated_school")
    values["missing"] = "; ".join(missing)
    return tuple(values[name] for name in COLUMNS)


def _associated(items: dict[str, str], row: Any) -> str:
    """Give the pupil's own school: as it was said, else the school that arranged the placement."""
    return items.get("associated_school", "") or (
        row.commissioner if row.arranged_by == ArrangedBy.SCHOOL else ""
    )


def _school(desk: Desk, kept: str) -> tuple[str, str]:
    """Give the name and URN of a school that is kept by its short name, or by its URN where we know no more."""
    known = desk.config.organisations.get(kept)
    return (known.name, known.urn) if known is not None else ("", kept)


def _hours(desk: Desk, items: dict[str, str], row: Any) -> SchoolHours:
    """Give the hours whose half days are counted: the pupil's own school's, else the commissioning school's."""
    known = desk.config.organisations
    for slug in (_associated(items, row), row.commissioner):
        if slug in known and known[slug].kind == "school":
            return known[slug].hours.hours()
    return SchoolHours()
