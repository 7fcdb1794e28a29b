"""The numbers of a summary as parts of a paper."""

from collections.abc import Mapping, Sequence

from aphub.domain.figures import Figures
from aphub.domain.papers import Cell, Facts, Hours, Share, Table
from aphub.domain.statistics import PlacementCounts
from aphub.services.summaries.people import Placed
from aphub.store.figures import Counted, Key

NOT_SCHOOL = (
    "These are counts of lessons and half days here, from the newest version of each mark. They are not school "
    "attendance, which needs marks that only the school holds, and no statutory count."
)
HALF_DAY_NOTE = (
    "A half day counts once: attended if any lesson of it was attended in person. Possible half days are those that "
    "were offered and of which the register was taken."
)
HOURS_NOTE = "Delivered counts whole lessons that the pupil came to. The parts add up to what was planned."

OUTCOME_TITLES = {
    "in_person": "Attended in person",
    "left_site": "Came, and left our site without leave",
    "taught_at_home": "Taught at home in person",
    "online": "Took part online",
    "worked_at_home": "Worked at home, not supervised in person",
    "could_not_join": "Could not join online (technical fault)",
    "absent": "Did not attend",
    "could_not_come": "Could not come (transport, or another cause beyond the pupil: in no rate)",
    "cancelled_by_us": "Cancelled by us",
    "at_home_school": "At the home school",
    "register_missing": "Register missing",
    "not_expected": "Not expected",
    "arrived_unexpected": "Came though not expected",
}
"""Where lessons are counted, as people read it."""


def in_person(counts: PlacementCounts) -> Share:
    """Give placement attendance as a cell."""
    return Share(counts.in_person + counts.left_site + counts.taught_at_home, counts.offered)


def whole(figures: Figures, pupils: int | None = None) -> list[Facts | Table]:
    """Give the figures of everybody, or of one pupil, in words."""
    half, lessons = figures.half_days, figures.lessons
    pairs = [("Pupils", str(pupils))] if pupils is not None else []
    pairs += [
        ("Placement attendance (lessons attended in person, of those offered)", _of(in_person(lessons))),
        ("Possible half days here", str(half.possible)),
        ("Half days attended in person", _of(Share(half.attended, half.possible))),
        ("Days due here", str(figures.days.due)),
        ("Days missed here (absent from all that was offered)", str(figures.days.missed)),
        ("Late", _lateness(figures)),
    ]
    outcomes = tuple(
        (title, getattr(lessons, name), Share(getattr(lessons, name), lessons.due))
        if name not in {"not_expected", "arrived_unexpected"}
        else (title, getattr(lessons, name), "not due")
        for name, title in OUTCOME_TITLES.items()
        if getattr(lessons, name)
    )
    return [
        Facts(tuple(pairs)),
        Table(
            "What became of the lessons",
            ("What", "Lessons", "Of those due"),
            outcomes,
            nothing="No lesson was due.",
        ),
        hours(figures),
    ]


def _lateness(figures: Figures) -> str:
    """Say how often, and for how long in all; "1 times" is no English."""
    times = {0: "never", 1: "once"}.get(figures.late, f"{figures.late} times")
    if not figures.late:
        return times
    unit = "minute" if figures.late_minutes == 1 else "minutes"
    return f"{times}, {figures.late_minutes} {unit}{' in all' if figures.late > 1 else ''}"


def hours(figures: Figures) -> Table:
    """Give the planned hours by what became of them."""
    time = figures.minutes
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Planned", Hours(time.planned)),
        ("Delivered", Hours(time.delivered)),
        ("Cancelled by us", Hours(time.cancelled)),
        ("Pupil absent", Hours(time.absent)),
        ("Online, at home, could not join", Hours(time.away)),
        ("At the home school", Hours(time.at_home_school)),
        ("Register missing", Hours(time.not_known)),
    )
    return Table("Hours", ("What", "Hours"), rows, HOURS_NOTE)


def each_pupil(people: Sequence[Placed], by_placement: Mapping[Key, Counted]) -> Table:
    """Give one line a placement."""
    rows: list[tuple[Cell, ...]] = []
    for one in people:
        found = by_placement.get((one.placement_id,))
        if found is None:
            continue
        figures = found.figures
        half, lessons, time = figures.half_days, figures.lessons, figures.minutes
        rows.append(
            (
                one.name, in_person(lessons), lessons.offered, Share(half.attended, half.possible), half.possible,
                figures.days.due, figures.days.missed, figures.late, Hours(time.planned), Hours(time.delivered),
                Hours(time.cancelled), lessons.register_missing,
            )
        )  # fmt: skip
    columns = (
        "Pupil", "Lessons attended", "Offered", "Half days attended", "Possible", "Days due", "Days missed", "Late",
        "Planned", "Delivered", "Cancelled by us", "Register missing",
    )  # fmt: skip
    return Table(
        "Each pupil",
        columns,
        tuple(rows),
        HALF_DAY_NOTE,
        nothing="No lesson was due.",
        widths=(4, *([2] * 11)),
    )


def _of(one: Share) -> str:
    return f"{one} ({one.part} of {one.whole})"
