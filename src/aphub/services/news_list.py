"""What is known beside the registers, as people look at it, and how they type it."""

from dataclasses import dataclass
from datetime import date

from aphub.domain.entries import Fact
from aphub.domain.meanings import fold_word
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.reports import OUTCOME_WORDS, REASON_WORDS
from aphub.services.absences import NewsError
from aphub.services.decisions import decision_words
from aphub.services.desk import Desk, place_of
from aphub.services.judging import vocabulary_of
from aphub.store import cancelling, known, pupils

MOST = 500
_AT_SCHOOL = frozenset({"at school", "at home school", "at their school", "in school", "with the school"})
_NOT_EXPECTED = frozenset({"not expected", "does not come", "not coming"})


@dataclass(frozen=True, slots=True)
class Known:
    """One known absence or decision: its pupil by the provider's own reference."""

    ref: str
    pupil: str
    what: str
    starts: date
    ends: date
    told_by: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Cancellation:
    """One cancellation in a list: its reference, the day, why, and by whom."""

    ref: str
    day: date
    because: str
    by: str


def fact_told(desk: Desk, text: str) -> Fact:
    """Read what somebody says about a pupil who is not coming.

    Raises:
        NewsError: It is none of the provider's words for a reason.
    """
    folded = fold_word(text)
    if folded in _AT_SCHOOL:
        return Fact(Outcome.AT_HOME_SCHOOL)
    if folded in _NOT_EXPECTED:
        return Fact(Outcome.NOT_EXPECTED)
    reason = vocabulary_of(desk).reason_of(text)
    if reason is None:
        raise NewsError(
            "We do not know this reason.",
            "Nothing was changed.",
            "Use one of your words for it, such as ill, dentist, or at school.",
        )
    return Fact(Outcome.ABSENT, reason)


def decision_told(text: str) -> ReasonKind:
    """Read what a school decided, in words.

    Raises:
        NewsError: It is nothing that a school decides.
    """
    known_words = {fold_word(words): reason for words, reason in decision_words().items()}
    found = known_words.get(fold_word(text).replace("part time", "part-time"))
    if found is None:
        raise NewsError(
            "This is no decision of a school.",
            "Nothing was changed.",
            f"Choose one of: {', '.join(known_words)}.",
        )
    return found


def running(desk: Desk) -> list[Known]:
    """Give the known absences and decisions that are not over, soonest first."""
    with desk.store.reading() as connection:
        absences = known.running(connection, desk.provider_id, desk.today, MOST)
        decided = known.standing_decisions(connection, desk.provider_id, desk.today, MOST)
        who = {row.pupil_id for row in (*absences, *decided)}
        rows = pupils.by_numbers(connection, desk.provider_id, who)
    opened = desk.vault.open_json_many(
        [
            (row.key_id, place_of("pupils", desk.provider_id, number), row.sealed)
            for number, row in rows.items()
        ]
    )
    names = {number: data["provider_ref"] for number, data in zip(rows, opened, strict=True)}
    found = [
        Known(
            row.ref,
            names[row.pupil_id],
            REASON_WORDS[ReasonKind(row.reason)] or OUTCOME_WORDS[Outcome(row.outcome)],
            row.starts_day,
            row.ends_day,
            row.told_by,
            row.evidence,
        )
        for row in absences
    ]
    found += [
        Known(
            row.ref,
            names[row.pupil_id],
            f"decided: {REASON_WORDS[ReasonKind(row.reason)]}",
            row.starts_day,
            row.ends_day,
            row.organisation,
            "",
        )
        for row in decided
    ]
    return sorted(found, key=lambda one: (one.starts, one.ref))


def cancellations(desk: Desk) -> list[Cancellation]:
    """List cancellations of today and later."""
    with desk.store.reading() as connection:
        rows = cancelling.on_days(connection, desk.provider_id, desk.today)
    return [Cancellation(row.ref, row.day, row.because, row.made_by) for row in rows]


def is_decision(desk: Desk, ref: str) -> bool:
    """Say whether a reference is a school's decision that stands."""
    with desk.store.reading() as connection:
        return known.is_decision(connection, desk.provider_id, ref.strip().upper())
