"""What we told of a pupil in earlier summaries, and what of it has changed since: the next summary says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import ONE_DAY
from aphub.domain.figures import Figures
from aphub.domain.papers import Cell, Hours, Table
from aphub.domain.wording import period_words
from aphub.services import figures
from aphub.services.desk import Desk, place_of
from aphub.services.summaries.parts import in_person
from aphub.store import summing
from aphub.store.figures import Key

Told = tuple[tuple[str, str], ...]
"""One pupil's figures of one stretch of days, by name, as people read them."""

LOOK_BACK = {
    "day": timedelta(days=14),
    "week": timedelta(weeks=6),
    "month": timedelta(days=130),
    "term": timedelta(days=400),
}
"""How far back a summary says what has changed since an earlier one."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One pupil's figures of an earlier stretch, as they are now, beside what was told."""

    first_day: date
    until_day: date
    was: Told = field(repr=False)
    now: Told = field(repr=False)

    @property
    def key(self) -> str:
        """Name the stretch by its first day."""
        return self.first_day.isoformat()


def told_of(found: Figures) -> Told:
    """Give the figures that a summary tells of one pupil."""
    lessons, half_days = found.lessons, found.half_days
    share = in_person(lessons)
    return (
        ("Lessons attended", f"{share.part} of {share.whole}"),
        ("Half days attended", f"{half_days.attended} of {half_days.possible}"),
        ("Days due", str(found.days.due)),
        ("Days missed", str(found.days.missed)),
        ("Late", str(found.late)),
        ("Planned", str(Hours(found.minutes.planned))),
        ("Delivered", str(Hours(found.minutes.delivered))),
        ("Cancelled by us", str(Hours(found.minutes.cancelled))),
        ("Register missing", str(lessons.register_missing)),
    )


def changed_since(
    desk: Desk, connection: Connection, rows: Sequence[Row[Any]], every: str, before: date
) -> dict[int, list[Changed]]:
    """Give by recipient what has changed since earlier summaries: one count, however many stretches."""
    numbers = [row.recipient_id for row in rows]
    since = before - LOOK_BACK[every]
    earlier = summing.told_before(connection, desk.provider_id, numbers, every, before, since)
    if not earlier:
        return {}
    last = _last_told(desk, earlier)
    by_day = figures.counted(
        desk,
        connection,
        figures.counting_of(
            desk, connection, min(row.first_day for row in earlier), max(row.until_day for row in earlier),
            organisation=rows[0].organisation, placement_ids=tuple({row.placement_id for row in earlier}),
        ),
        ("placement", "day"),
    )  # fmt: skip
    found: dict[int, list[Changed]] = {}
    for row in earlier:
        was = last.get((row.recipient_id, row.first_day.isoformat()))
        now = told_of(_sum(by_day, row))
        if was is not None and was != now:
            changed = Changed(row.first_day, row.until_day, was, now)
            found.setdefault(row.recipient_id, []).append(changed)
    return found


def changes_table(changes: Sequence[tuple[str, Changed]]) -> Table:
    """List what earlier summaries said otherwise: whose, of when, what it was and what it is."""
    rows: list[tuple[Cell, ...]] = [
        (name, period_words(one.first_day, one.until_day, ""), what, now, was)
        for name, one in changes
        for (what, was), (_, now) in zip(one.was, one.now, strict=True)
        if was != now
    ]
    return Table(
        "Changed since an earlier summary",
        ("Pupil", "Of", "What", "Now", "We said"),
        tuple(rows),
        "Registers were corrected since. What stands here replaces what we said then.",
        nothing="Nothing.",
    )


def _last_told(desk: Desk, earlier: Sequence[Row[Any]]) -> dict[tuple[int, str], Told]:
    """Give what was last told of each recipient's stretch: by its own summary, or by a later one that restated it."""
    opened = desk.vault.try_open_json_many(
        [(row.key_id, place_of("reports", desk.provider_id, row.report_id), row.sealed) for row in earlier]
    )
    last: dict[tuple[int, str], Told] = {}
    for row, data in zip(earlier, opened, strict=True):
        if data is None:
            continue
        last[row.recipient_id, row.first_day.isoformat()] = _read(data.get("figures", ()))
        for key, some in data.get("restated", ()):
            last[row.recipient_id, key] = _read(some)
    return last


def _read(data: Sequence[Sequence[str]]) -> Told:
    return tuple((name, value) for name, value in data)


def _sum(by_day: Mapping[Key, Any], row: Row[Any]) -> Figures:
    total, day = Figures(), row.first_day
    while day < row.until_day:
        one = by_day.get((row.placement_id, day))
        if one is not None:
            total += one.figures
        day += ONE_DAY
    return total
