"""Tomorrow's sheet: a numbered paper register for the day on which the hub, or the internet, is away; typed in afterwards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from html import escape
from itertools import groupby
from typing import Any

from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.wording import day_words, moment_words
from aphub.services.answering import fact_of
from aphub.services.desk import Desk
from aphub.services.entering import NewEntry, enter
from aphub.services.persons import people_of
from aphub.services.way import named
from aphub.store import entries, pupil_days
from aphub.store.engine import recall, remember

_CSS = (
    "body{font:12pt sans-serif;margin:12mm}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #000;padding:2mm;text-align:left}tr{break-inside:avoid}thead{display:table-header-group}"
    "section{break-after:page}section:last-child{break-after:auto}"
)


class SheetError(NeedsCorrectionError):
    """This sheet cannot be made or typed in as it was given."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A printed sheet: its reference, how many lines it has, and the page itself."""

    ref: str
    lines: int
    html: str = field(repr=False)


def make_sheet(desk: Desk, day: date) -> Sheet:
    """Make a day's sheet with one page a place, and remember which lesson each number means.

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
    numbered = list(enumerate(lessons, 1))
    provider = desk.config.provider
    sections = []
    for place, some in groupby(numbered, key=lambda one: one[1].place):
        rows = "".join(_row(number, row, people.get(row.pupil_id)) for number, row in some)
        sections.append(
            f"<section><h1>{escape(provider.name)}: register for {day_words(day)}</h1>"
            f"<p>{escape(place or 'All lessons')}. Sheet {ref}, printed {moment_words(desk.now)}. "
            "Confidential pupil information: shred it once it is typed in.</p>"
            "<table><thead><tr><th scope='col'>No.</th><th scope='col'>Pupil</th><th scope='col'>Lesson</th>"
            "<th scope='col'>Mark, minutes, reason</th><th scope='col'>Time and initials</th></tr></thead>"
            f"<tbody>{rows}</tbody></table><p>Signed: ______________________________</p>"
            f'<p>Afterwards: aphub typed {ref} "1 present" "2 absent, ill"</p></section>'
        )
    page = (
        f"<!doctype html><html lang='en-GB'><head><meta charset='utf-8'><title>Sheet {ref}</title>"
        f"<style>{_CSS}</style></head><body>{''.join(sections)}</body></html>"
    )
    return Sheet(ref, len(lessons), page)


def type_in(desk: Desk, ref: str, marks: Mapping[int, tuple[str, str, str]], by: str) -> int:
    """Enter what stands on a sheet: by number, the word with minutes and reason; give how many there were.

    Nothing is entered unless all of it can be.

    Raises:
        SheetError: There is no such sheet or number.
        CannotAnswerError: A word is none of the provider's, or needs minutes or a reason.
    """
    name = named(by)
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
            new.append(
                NewEntry(
                    lesson_id=lesson.lesson_id,
                    pupil_id=lesson.pupil_id,
                    version=(lesson.version or 0) + 1,
                    fact=fact_of(desk, word, minutes, reason, day),
                    made_by=name[:80],
                    because=f"typed from sheet {ref.strip().upper()}",
                    by_person=True,
                )
            )
        enter(desk, connection, new)
    desk.announce("intake")
    return len(new)


def _row(number: int, row: Any, pupil: Any) -> str:
    name = "pupil not to be shared" if pupil is None or pupil.suppressed else pupil.name
    whose = f"{name} ({pupil.provider_ref})" if pupil is not None else name
    lesson = f"{row.starts_wall} to {row.ends_wall} {row.subject}".strip()
    return f"<tr><td>{number}</td><td>{escape(whose)}</td><td>{escape(lesson)}</td><td></td><td></td></tr>"


def _name(desk: Desk, ref: str) -> str:
    return f"sheet:{desk.provider_id}:{ref}"
