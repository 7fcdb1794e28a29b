"""What a pupil's school decided, kept as its own word: only then does a reason become C, C1, C2, G, E, J1 or S."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from aphub.domain.absences import LONGEST_DAYS, Stretch, Teller
from aphub.domain.entries import Fact
from aphub.domain.outcomes import DECIDED_BY_SCHOOL, Outcome, ReasonKind
from aphub.domain.placements import Registration
from aphub.domain.reports import REASON_WORDS
from aphub.services.absences import Filled, News, NewsError, keep_news
from aphub.services.desk import Desk, place_of
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed
from aphub.services.whose import pupil_of
from aphub.store import known as kept
from aphub.store import owed, pupils
from aphub.store.engine import lock_ledger

_NOTHING = "Nothing was changed."
_YEAR = 366


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as somebody reports it: whose it is, for whom, what, when, and who at the school said so."""

    pupil: str
    organisation: str
    reason: ReasonKind
    stretch: Stretch
    decided_by: str
    decided_on: date | None = None
    words: str = ""
    comes_anyway: bool = False


def record_decision(desk: Desk, decided: Decided, by: str) -> Filled:
    """Keep a school's decision, fill in the lessons it covers, and tell whoever was told otherwise.

    Raises:
        NewsError: It is no decision of a school, not this school's to make, or nobody is named for it.
    """
    name = named(by)
    _check(decided)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        pupil_id = pupil_of(desk, connection, decided.pupil).pupil_id
        _whose(desk, connection, pupil_id, decided)
        stretch = decided.stretch
        standing = kept.decisions_of(connection, desk.provider_id, [pupil_id], stretch.starts, stretch.ends)
        for one in standing.get(pupil_id, []):
            if (one.stretch, one.reason, one.organisation) == (stretch, decided.reason, decided.organisation):
                raise NewsError(f"We have this decision already: {one.ref}.", _NOTHING)
        ref = _keep(desk, connection, pupil_id, decided, name)
        filled = Filled(ref)
        if not decided.comes_anyway:
            news = News(
                decided.pupil,
                Fact(Outcome.ABSENT, decided.reason),
                _at_once(stretch),
                Teller.SCHOOL,
                decided.decided_by,
                decided.words,
            )
            try:
                filled = replace(keep_news(desk, connection, news, name, decided=True), ref=ref)
            except NewsError as exc:
                # A decision stands, also where no lesson is due here, or where its days were known before.
                filled.notes = (exc.what,)
        _look(desk, connection, pupil_id, stretch)
    desk.announce("tell")
    return filled


def withdraw_decision(desk: Desk, ref: str, by: str) -> str:
    """Take a decision back, as its school says: codes that rested on it are suggested no more; give in words what happens.

    Raises:
        NewsError: None of that reference stands.
    """
    name = named(by)
    with desk.store.transaction() as connection:
        row = kept.withdraw_decision(connection, desk.provider_id, ref.strip().upper(), name, desk.now)
        if row is None:
            raise NewsError("No decision of that reference stands.", _NOTHING, "See: aphub absences")
        _look(desk, connection, row.pupil_id, kept.stretch_of(row))
    desk.announce("tell")
    return f"{row.ref} no longer stands. The reason stays what it was told as, without a code."


def _check(decided: Decided) -> None:
    if decided.reason not in DECIDED_BY_SCHOOL:
        raise NewsError(
            "This is no decision of a school.", _NOTHING, f"Choose one of: {', '.join(decision_words())}."
        )
    person, _, role = decided.decided_by.partition(",")
    if not person.strip() or not role.strip():
        raise NewsError(
            "We need the name and the role of who decided at the school.",
            _NOTHING,
            'Write it like: "Mrs Example, head of year".',
        )
    days = (decided.stretch.ends - decided.stretch.starts).days
    if not 0 <= days < _YEAR:
        raise NewsError(
            "The last day is before the first." if days < 0 else "This is longer than a year.",
            _NOTHING,
            "Check the two days.",
        )


def decision_words() -> dict[str, ReasonKind]:
    """Give what a school can decide, in words that people may type."""
    return {REASON_WORDS[reason].split(" by the school")[0]: reason for reason in sorted(DECIDED_BY_SCHOOL)}


def _whose(desk: Desk, connection: Connection, pupil_id: int, decided: Decided) -> None:
    """Refuse a decision that is not this organisation's to make: it must be the pupil's school on those days."""
    stretch, wanted = decided.stretch, decided.organisation
    placed = [
        row
        for row in pupils.placements_of(connection, desk.provider_id, [pupil_id]).get(pupil_id, [])
        if row.starts_day <= stretch.ends and (row.ends_day is None or row.ends_day >= stretch.starts)
    ]
    if wanted == desk.slug and any(row.registration == Registration.OWN for row in placed):
        return
    if all(row.registration == Registration.NO_ROLL for row in placed):
        raise NewsError(
            "This pupil is on no school's roll on those days, so no school can decide it.",
            _NOTHING,
            "Record the reason alone: aphub absence",
        )
    told = pupils.recipients_of(connection, desk.provider_id, [row.placement_id for row in placed])
    own = {row.commissioner for row in placed} | {
        row.organisation
        for rows in told.values()
        for row in rows
        if row.purpose == "home_school"
        and row.starts_day <= stretch.ends
        and (row.ends_day is None or row.ends_day >= stretch.starts)
    }
    schools = {slug for slug in own if _is_school(desk, slug)}
    if wanted not in schools:
        raise NewsError(
            "Only the pupil's own school decides this.",
            _NOTHING,
            f"That is: {', '.join(sorted(schools)) or 'none that we know'}.",
        )


def _is_school(desk: Desk, slug: str) -> bool:
    found = desk.config.organisations.get(slug)
    return found is not None and found.kind == "school"


def _keep(desk: Desk, connection: Connection, pupil_id: int, decided: Decided, by: str) -> str:
    decision_id = kept.number(connection, "school_decisions")
    [ref] = desk.references(1)
    [key] = desk.vault.data_keys([pupil_id], "entry", desk.year())
    words = {"decided_by": decided.decided_by.strip(), "words": decided.words.strip()}
    sealed = desk.vault.seal_json(key, place_of("school_decisions", desk.provider_id, decision_id), words)
    row = {
        "provider_id": desk.provider_id,
        "decision_id": decision_id,
        "ref": ref,
        "pupil_id": pupil_id,
        "organisation": decided.organisation,
        "reason": decided.reason.value,
        **kept.stretch_columns(decided.stretch),
        "comes_anyway": decided.comes_anyway,
        "key_id": key.key_id,
        "sealed": sealed,
        "decided_on": decided.decided_on or desk.today,
        "recorded_by": by,
        "recorded_at": desk.now,
    }
    kept.add_decision(connection, row)
    fields = {
        "decision": ref,
        "organisation": decided.organisation,
        "content": desk.vault.digest(sealed).hex(),
        "by": signed(desk, by),
    }
    record(connection, desk, [Statement("decision.recorded", ref, fields)])
    return ref


def _at_once(stretch: Stretch) -> Stretch:
    """Give a decision's days as far as an absence may be known ahead; its later lessons are asked about then."""
    longest = date.fromordinal(stretch.starts.toordinal() + LONGEST_DAYS - 1)
    return replace(stretch, ends=min(stretch.ends, longest))


def _look(desk: Desk, connection: Connection, pupil_id: int, stretch: Stretch) -> None:
    lessons = kept.lessons_of_pupils(connection, desk.provider_id, [pupil_id], stretch.starts, stretch.ends)
    if lessons:
        owed.look_again(connection, desk.provider_id, [row.lesson_id for row in lessons], desk.now)
