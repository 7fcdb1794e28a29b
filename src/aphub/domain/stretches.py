"""The stretches of days that a summary tells about: a day, a week, a month, a term."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from aphub.domain.calendar import ONE_DAY, Span
from aphub.domain.choices import Choice
from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.wording import day_words

_WEEK = timedelta(days=7)


class Every(Choice):
    """How much one summary tells about."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TERM = "term"


class NoTermError(NeedsCorrectionError):
    """The day belongs to no term."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some days in a row; `until_day` is the first day after them, `key` stands in file names."""

    every: Every
    first_day: date
    until_day: date
    words: str
    key: str


def stretch_around(every: Every, day: date, terms: Sequence[Span] = ()) -> Stretch:
    """Give the stretch that holds a day; raises NoTermError for a term where none does."""
    if every is Every.DAY:
        return Stretch(every, day, day + ONE_DAY, day_words(day), day.isoformat())
    if every is Every.WEEK:
        monday = day - timedelta(days=day.weekday())
        year, week, _ = day.isocalendar()
        return Stretch(every, monday, monday + _WEEK, f"week of {day_words(monday)}", f"{year}-W{week:02d}")
    if every is Every.MONTH:
        first = day.replace(day=1)
        return Stretch(
            every, first, (first + timedelta(days=31)).replace(day=1), f"{first:%B %Y}", f"{first:%Y-%m}"
        )
    for term in terms:
        if term.starts <= day <= term.ends:
            name = term.name or "term"
            words = f"{name}, {day_words(term.starts)} to {day_words(term.ends)}"
            return Stretch(every, term.starts, term.ends + ONE_DAY, words, f"term-{term.starts.isoformat()}")
    raise NoTermError(
        f"{day_words(day)} is in no term.",
        mend="Name a day of a term, or write the terms in the provider's file.",
    )
