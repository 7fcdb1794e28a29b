"""Show what a register says, row by row: the fact, the code that the school should consider, and why. Nothing is kept."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import Row

from aphub.api.sources import Source, SourceBatch, SourceRow
from aphub.domain.absences import is_too_early
from aphub.domain.entries import Fact, Half
from aphub.domain.errors import LawUnknownError
from aphub.domain.outcomes import Mode
from aphub.domain.placements import ArrangedBy, Nature, Purpose, Registration
from aphub.domain.suggest import suggest
from aphub.domain.typed import read_day, read_half
from aphub.domain.vocabulary import Unread, Vocabulary, read_mark
from aphub.services.desk import Desk
from aphub.services.judging import NOT_BEGUN, begins_at, doubt_of, fact_or_doubt, vocabulary_of
from aphub.services.matching import Doubt, Match, Read, Roll, read_when
from aphub.store import pupils

_BATCH = 500
_REMEMBERED = 16_384
"""How many different readings are kept ready: registers say the same few things about every pupil."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """How one pupil's lesson was arranged, as far as it decides a code; compared by identity."""

    arranged_by: ArrangedBy
    registration: Registration
    purpose: Purpose
    nature: Nature = Nature.AP
    mode: Mode = Mode.IN_PERSON
    provider_has_urn: bool = False
    register_closes: int = 30


@dataclass(slots=True)
class Normalised:
    """One row as understood: outcome and suggested code with the reason, or the question it raises."""

    number: int
    outcome: str
    code: str
    why: str
    question: str


def read_rows(
    rows: Iterable[SourceRow],
    vocabulary: Vocabulary,
    arrangement_of: Callable[[SourceRow], Arrangement | None],
) -> Iterator[Normalised]:
    """Read rows in one pass with no store: mark to fact, fact to suggested code.

    `arrangement_of` finds a row's arrangement, or None for a pupil who is not known.
    """
    ready: dict[tuple[object, ...], tuple[str, str, str, str]] = {}
    for row in rows:
        arrangement = arrangement_of(row)
        key = (arrangement, row.mark, row.minutes, row.reason, row.day, row.session, row.problem)
        said = ready.get(key)
        if said is None:
            if len(ready) >= _REMEMBERED:
                ready.clear()
            said = ready[key] = _say(row, vocabulary, arrangement)
        yield Normalised(row.number, *said)


def normalise(desk: Desk, source: Source[Any], batch: SourceBatch) -> Iterator[Normalised]:
    """Read an original as intake would, against the pupils and lessons that are there; nothing is written.

    Raises:
        SourceRefusedError: It cannot be read at all.
    """
    vocabulary = vocabulary_of(desk)
    arrangements: dict[tuple[int, str, str], Arrangement] = {}
    rows = iter(source.rows(batch))
    while part := list(islice(rows, _BATCH)):
        reads = list(read_when(part))
        with desk.store.reading() as connection:
            roll = Roll.read(desk, connection, reads)
            matches = [roll.match(read) for read in reads]
            placed = {match.lesson.placement_id for match in matches if match.lesson is not None}
            told = pupils.recipients_of(connection, desk.provider_id, placed)
        for read, match in zip(reads, matches, strict=True):
            yield _matched(desk, vocabulary, roll, told, arrangements, read, match)


def _matched(
    desk: Desk,
    vocabulary: Vocabulary,
    roll: Roll,
    told: dict[int, list[Row[Any]]],
    arrangements: dict[tuple[int, str, str], Arrangement],
    read: Read,
    match: Match,
) -> Normalised:
    fact = fact_or_doubt(vocabulary, read, match)
    number = read.row.number
    if isinstance(fact, Doubt):
        return Normalised(number, "", "", "", f"{fact.words} {fact.mend}{_choices(fact.choices)}")
    lesson = match.lesson
    if lesson is not None and is_too_early(fact, begins_at(match), desk.now):
        return Normalised(number, "", "", "", f"{NOT_BEGUN.words} {NOT_BEGUN.mend}")
    if lesson is None or match.pupil_id is None:
        return Normalised(number, fact.outcome.value, "", "not due, and the register agrees", "")
    placement = next(
        one for one in roll.placements[match.pupil_id] if one.placement_id == lesson.placement_id
    )
    key = (lesson.placement_id, lesson.mode, lesson.nature)
    arrangement = arrangements.get(key)
    if arrangement is None:
        purposes = {row.purpose for row in told.get(lesson.placement_id, [])}
        arrangement = arrangements[key] = Arrangement(
            ArrangedBy(placement.arranged_by),
            Registration(placement.registration),
            Purpose.HOME_SCHOOL
            if not purposes or Purpose.HOME_SCHOOL in purposes
            else Purpose(min(purposes)),
            Nature(lesson.nature),
            Mode(lesson.mode),
            provider_has_urn=bool(desk.config.provider.urn),
            register_closes=desk.config.provider.own_register_closes_minutes,
        )
    halves = roll.halves_of(lesson, placement)
    half = match.half or (halves[0] if halves else None)
    return Normalised(number, *_suggested(fact, arrangement, lesson.day, half))


def _say(
    row: SourceRow, vocabulary: Vocabulary, arrangement: Arrangement | None
) -> tuple[str, str, str, str]:
    if row.problem:
        return "", "", "", row.problem
    day = read_day(row.day)
    if day is None:
        return "", "", "", "We cannot read this date. Write it like 3 March 2026 or 03/03/2026."
    if arrangement is None:
        return (
            "",
            "",
            "",
            "We do not know this pupil. Add the pupil with a placement, or check the reference.",
        )
    fact = read_mark(vocabulary, row.mark, row.minutes, row.reason, arrangement.mode, day)
    if isinstance(fact, Unread):
        doubt = doubt_of(fact)
        return "", "", "", f"{doubt.words} {doubt.mend}{_choices(doubt.choices)}"
    return _suggested(fact, arrangement, day, read_half(row.session))


def _suggested(
    fact: Fact, arrangement: Arrangement, day: date, half: Half | None
) -> tuple[str, str, str, str]:
    try:
        found = suggest(
            fact,
            arranged_by=arrangement.arranged_by,
            registration=arrangement.registration,
            purpose=arrangement.purpose,
            nature=arrangement.nature,
            mode=arrangement.mode,
            day=day,
            provider_has_urn=arrangement.provider_has_urn,
            half=half,
            register_closes=arrangement.register_closes,
        )
    except LawUnknownError as exc:
        return fact.outcome.value, "", str(exc), ""
    return fact.outcome.value, found.code, found.why, found.question


def _choices(choices: tuple[str, ...]) -> str:
    return f" Choose: {', '.join(choices)}." if choices else ""
