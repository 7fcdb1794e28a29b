"""Letters home: drafted by the hub from the provider's own words, read by a person, and released by them alone."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, Row

from aphub.domain.cases import row_of_days
from aphub.domain.steps import Act
from aphub.domain.wording import day_words
from aphub.services.case_acts import CannotFollowError, end_step, step_of
from aphub.services.case_facts import Facts, days_kinds, holding
from aphub.services.cases import follow_cases
from aphub.services.contacts import AtHome, check_act
from aphub.services.desk import Desk
from aphub.services.persons import person_of
from aphub.services.way import named
from aphub.store import following
from aphub.store.engine import lock_ledger


@dataclass(frozen=True, slots=True)
class LetterHome:
    """A letter as it would be printed; `mind` is what must be known before it is posted."""

    ref: str
    subject: str
    body: str = field(repr=False)
    mind: str = field(repr=False, default="")


def draft(desk: Desk, ref: str) -> LetterHome:
    """Draft the letter of a step; nothing is kept, and nobody is written to.

    Raises:
        CannotFollowError: The step has no letter, or the letter must not go any more.
    """
    with desk.store.reading() as connection:
        return _draft(desk, connection, step_of(desk, connection, ref))


def release(desk: Desk, ref: str, by: str) -> LetterHome:
    """Keep that a person read a letter and lets it go: a copy of it stays on file. Printing and posting are theirs.

    Raises:
        CannotFollowError: What raised it no longer holds: a letter must not go to the parent of an ill child.
    """
    name = named(by)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        step = step_of(desk, connection, ref)
        letter = _draft(desk, connection, step)
        said = f"{letter.subject}\n\n{letter.body}"
        end_step(desk, connection, step, name, said=said, result="released by a person")
    follow_cases(desk)
    desk.announce("cases")
    return letter


def _draft(desk: Desk, connection: Connection, step: Row) -> LetterHome:  # type: ignore[type-arg]
    if Act(step.act) is not Act.LETTER_HOME:
        raise CannotFollowError("This step has no letter.", "Nothing was changed.", "See: aphub cases")
    case = following.case_by_id(connection, desk.provider_id, step.case_id)
    facts = Facts.read(desk, connection, {case.pupil_id: {case.day}})
    if not any(one.ladder.name == step.ladder for one in holding(desk, facts, case.pupil_id, case.day)):
        raise CannotFollowError(
            "The days away have a reason now, so this letter must not go.",
            "Nothing was released.",
            f'Say so: aphub step {step.ref} --not-needed "the reason is known"',
        )
    pupil = person_of(desk, connection, case.pupil_id)
    if pupil is None or pupil.suppressed:
        raise CannotFollowError(
            "The hub writes no letter about this pupil.",
            "Nothing was released.",
            f"Ask {desk.config.provider.who('safeguarding lead')}.",
        )
    mend = f'Ask {{lead}}. Then: aphub step {step.ref} --not-needed "contact is restricted"'
    check_act(desk, pupil, Act.LETTER_HOME, "", mend)
    provider = desk.config.provider
    config = provider.letters.get(step.letter)
    if config is None:
        raise CannotFollowError(
            f"The letter '{step.letter}' is no longer in the configuration.",
            "Nothing was released.",
            "Add it.",
        )
    days = len(row_of_days(days_kinds(facts, case.pupil_id, case.day)))
    body = config.fill(
        pupil=pupil.name,
        days=str(days),
        provider=provider.name,
        phone=provider.phone,
        today=day_words(desk.today),
    )
    return LetterHome(step.ref, config.subject, body, AtHome.of(pupil).words)
