"""Tomorrow's sheet: a numbered paper register for the day on which the hub, or the internet, is away; typed in afterwards."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Row

from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.papers import Heading, NewPage, Paper, Part, Signature, Table, Text
from aphub.domain.placements import Pupil
from aphub.domain.wording import day_words
from aphub.services.answering import CannotAnswerError, fact_of, refuse_ahead
from aphub.services.desk import Desk
from aphub.services.entering import NewEntry, enter
from aphub.services.persons import people_of
from aphub.services.way import LONGEST_NAME, named, typed
from aphub.store import entries, pupil_days
from aphub.store.engine import recall, remember

_COLUMNS = ("No.", "Pupil", "Mark, minutes, reason", "Time, initials")


class SheetError(NeedsCorrectionError):
    """This sheet cannot be made or typed in as it was given."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to print: its reference, how many lines it has, and the paper itself."""

    ref: str
    lines: int
    paper: Paper = field(repr=False)


def make_sheet(desk: Desk, day: date) -> Sheet:
    """Make a day's sheet, a page a place and a table a teaching group, and remember which lesson each number means.

    Raises:
        SheetError: No lesson is due on that day.
    """
    with desk.store.reading() as connection:
        lessons = pupil_days.lessons_due(connection, desk.provider_id, day)
        people = people_of(desk, connection, [row.pupil_id for row in lessons])
    if not lessons:
        raise SheetError(
            f"No lesson is due on {day_words(day)}.", "Nothing was printed.", "Choose another day."
        )
    [ref] = desk.references(1)
    with desk.store.transaction() as connection:
        remember(
            connection, _name(desk, ref), json.dumps([day.isoformat(), [row.lesson_id for row in lessons]])
        )
    return Sheet(ref, len(lessons), _paper(desk, day, ref, lessons, people))


def type_in(
    desk: Desk, ref: str, marks: Mapping[int, tuple[str, str, str]], by: str, signed_by: str = ""
) -> int:
    """Enter what stands on a sheet: by number, the word with minutes and reason; give how many there were.

    `signed_by` is who signed the paper, which the record then names beside who typed it.

    Nothing is entered unless all of it can be.

    Raises:
        SheetError: There is no such sheet or number.
        CannotAnswerError: A word is none of the provider's, or needs minutes or a reason.
    """
    name = named(by)
    because = f"typed from sheet {ref.strip().upper()}"
    if signer := typed("A name with its role", signed_by, LONGEST_NAME):
        because = f"{because}, signed by {signer}"
    with desk.store.transaction() as connection:
        kept = recall(connection, _name(desk, ref.strip().upper()))
        if kept is None:
            raise SheetError(
                f"There is no sheet {ref}.", "Nothing was entered.", "It stands at the top of the page."
            )
        wall_day, lesson_ids = json.loads(kept)
        day = date.fromisoformat(wall_day)
        new = []
        for number, (word, minutes, reason) in sorted(marks.items()):
            if not 1 <= number <= len(lesson_ids):
                raise SheetError(
                    f"Sheet {ref} has no line {number}.",
                    "Nothing was entered.",
                    f"It has 1 to {len(lesson_ids)}.",
                )
            lesson = entries.lesson(connection, desk.provider_id, lesson_ids[number - 1])
            if lesson is None:
                raise SheetError(
                    f"The lesson of line {number} is gone.", "Nothing was entered.", "Leave it out."
                )
            try:
                fact = fact_of(desk, word, minutes, reason, day)
                refuse_ahead(desk, lesson, fact)
            except CannotAnswerError as exc:
                raise CannotAnswerError(
                    f"Line {number}: {exc.what}", "Nothing was entered.", exc.mend
                ) from None
            new.append(
                NewEntry(
                    lesson_id=lesson.lesson_id,
                    pupil_id=lesson.pupil_id,
                    version=(lesson.version or 0) + 1,
                    fact=fact,
                    made_by=name,
                    because=because,
                    by_person=True,
                )
            )
        enter(desk, connection, new)
    desk.announce("intake")
    return len(new)


def _paper(
    desk: Desk, day: date, ref: str, lessons: Sequence[Row[Any]], people: Mapping[Any, Pupil]
) -> Paper:
    parts: list[Part] = [
        Text(
            "Write your own words for what happened. Shred this sheet once it is typed in and its copy is filed."
        ),
        Text(
            f'Afterwards: aphub typed {ref} "1 present" "2 late, 10" "3 absent, ill" --signed-by "Name, role"'
        ),
    ]
    numbered = list(enumerate(lessons, 1))
    for first, (place, some) in enumerate(groupby(numbered, key=lambda one: one[1].place)):
        if first:
            parts.append(NewPage())
        parts.append(Heading(place or "All lessons"))
        for title, group in groupby(some, key=lambda one: _group(one[1])):
            rows = tuple((number, _whose(people.get(row.pupil_id)), "", "") for number, row in group)
            parts.append(Table(title, _COLUMNS, rows, widths=(1, 5, 5, 3)))
        parts.append(Signature(("Signed", "Name and role", "Date and time")))
    return Paper(
        title=f"Register for {day_words(day)}",
        file_name=f"sheet-{day.isoformat()}",
        provider=desk.config.provider.name,
        as_at=desk.now,
        reference=ref,
        parts=tuple(parts),
    )


def _group(row: Row[Any]) -> str:
    """Name a teaching group: those who are taught the same, at one time, by the same person."""
    taught = ", ".join(one for one in (row.subject, row.staff) if one)
    return f"{row.starts_wall} to {row.ends_wall}{': ' + taught if taught else ''}"


def _whose(pupil: Pupil | None) -> str:
    if pupil is None:
        return "pupil not to be shared"
    name = "pupil not to be shared" if pupil.suppressed else pupil.name
    return f"{name} ({pupil.provider_ref})"


def _name(desk: Desk, ref: str) -> str:
    return f"sheet:{desk.provider_id}:{ref}"
