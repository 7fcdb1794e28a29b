"""Who is reached at home, and who must not be: set by a person, shown to whoever is about to telephone, and refused."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.cases import StepState
from aphub.domain.contacts import RESTRICTION_WORDS, Restriction, loosens, restriction_of
from aphub.domain.errors import AphubError
from aphub.domain.placements import Pupil
from aphub.domain.steps import AT_HOME, Act
from aphub.domain.wording import day_words
from aphub.services.accesses import What, note
from aphub.services.desk import Desk, place_of
from aphub.services.people_kept import sealed_pupil
from aphub.services.recording import Statement, record
from aphub.services.way import named, signed, typed, who
from aphub.services.whose import pupil_of
from aphub.store import following, pupils
from aphub.store.engine import lock_ledger

LONGEST_NOTE = 500
LEAD = "safeguarding lead"
"""The role that decides where contact with a home is restricted."""
INSTEAD = "Do not reach home: contact is restricted. Decide how else we find out where the pupil is"
"""What a step says that would reach a home, from the minute in which that is restricted; the safeguarding lead has it."""
_OPEN_AT_MOST = timedelta(days=366)
NO_LETTER = frozenset({Restriction.NO_CONTACT})
REACHES_HOME = AT_HOME | {Act.VISIT_HOME}
"""Acts that reach a home otherwise than by letter; a welfare visit is the safeguarding lead's own decision."""


class ContactRestrictedError(AphubError):
    """Contact with this pupil's home is restricted."""


@dataclass(frozen=True, slots=True)
class AtHome:
    """Whether a pupil's home may be reached, what must be known before it is, and who is there."""

    restriction: Restriction | None
    note: str = field(repr=False, default="")
    people: tuple[tuple[str, str], ...] = field(repr=False, default=())

    @classmethod
    def of(cls, pupil: Pupil | None) -> "AtHome":
        """Read it from a pupil; of one who was erased nothing is known."""
        if pupil is None:
            return cls(None)
        people = (
            ("first contact", pupil.first_contact),
            ("second contact", pupil.second_contact),
            ("emergency contacts", pupil.emergency_contacts),
        )
        return cls(
            restriction_of(pupil.contact_restriction),
            pupil.contact_note,
            tuple(one for one in people if one[1]),
        )

    @property
    def words(self) -> str:
        """Say what is restricted, with the note; empty where nothing is."""
        said = RESTRICTION_WORDS[self.restriction] if self.restriction else ""
        return " ".join(one for one in (said, self.note) if one)

    def forbids(self, act: Act) -> bool:
        """Say whether this act would reach a home that must not be reached so."""
        letter = act is Act.LETTER_HOME and self.restriction in NO_LETTER
        return self.restriction is not None and (act in REACHES_HOME or letter)

    def reach(self, whom: str) -> str:
        """Give the person of one place in the order of calls, as far as one is kept here."""
        return dict(self.people).get(whom, "")


def check_act(desk: Desk, pupil: Pupil | None, act: Act, despite: str, mend: str) -> None:
    """Refuse what reaches a home that must not be reached, unless it says who decided so.

    Raises:
        ContactRestrictedError: It is restricted, and nobody is named.
    """
    at_home = AtHome.of(pupil)
    if at_home.restriction is None or not at_home.forbids(act) or who(despite):
        return
    lead = desk.config.provider.who(LEAD)
    raise ContactRestrictedError(
        RESTRICTION_WORDS[at_home.restriction], "Nothing was kept.", mend.format(lead=lead)
    )


def show(desk: Desk, what: str, by: str) -> AtHome:
    """Give who is reached at home; who looked is noted.

    Raises:
        UnknownPupilError: There is no such pupil.
        AphubError: The pupil must not be shared, or was erased.
    """
    with desk.store.reading() as connection:
        row, pupil = _pupil(desk, connection, what)
    note(desk, What.NAMES, row.ref, by, [row.pupil_id], "who is reached at home")
    return AtHome.of(pupil)


def restrict(desk: Desk, what: str, restriction: Restriction | None, by: str, words: str = "") -> str:
    """Restrict contact with a pupil's home from now on, or lift that (None); give in words what holds.

    What would allow more than before is the safeguarding lead's word alone.

    Raises:
        ContactRestrictedError: Somebody else would lift it.
        NeedsCorrectionError: The note is too long.
    """
    name = named(by)
    lead = desk.config.provider.safeguarding
    words = typed("The note", words, LONGEST_NOTE)
    with desk.store.transaction() as connection:
        lock_ledger(connection, desk.provider_id)
        row, pupil = _pupil(desk, connection, what)
        before = restriction_of(pupil.contact_restriction)
        if loosens(before, restriction) and who(name) != who(lead.name):
            raise ContactRestrictedError(
                "Only the safeguarding lead allows what was restricted.",
                "Nothing was changed.",
                f"{lead.name} does it: --by",
            )
        stamp = f"({day_words(desk.today)}, {name})"
        data = {
            **_data(desk, row),
            "contact_restriction": restriction.value if restriction else "",
            "contact_note": f"{words.strip()} {stamp}".strip() if restriction else "",
        }
        _keep(desk, connection, row, {one: text for one, text in data.items() if text or one in _ALWAYS})
        content = desk.vault.digest_json(
            {"restriction": data["contact_restriction"], "note": data["contact_note"]}
        )
        [ref] = desk.references(1)
        fields = {"change": ref, "content": content.hex(), "by": signed(desk, name)}
        record(connection, desk, [Statement("contact.changed", ref, fields)])
        turned = _turned(desk, connection, row.pupil_id, AtHome(restriction))
    desk.announce("cases")
    if not restriction:
        return "Contact with home is not restricted any more."
    return " ".join(
        [RESTRICTION_WORDS[restriction], *(f"Case {one}: {lead.name} decides now." for one in turned)]
    )


def _turned(desk: Desk, connection: Connection, pupil_id: int, home: AtHome) -> list[str]:
    """Name the cases with a step that would reach home: whose it is now is said to whoever restricts it."""
    from_day = desk.today - _OPEN_AT_MOST
    rows = {
        row.case_id: row.ref
        for row in following.cases_of_pupils(connection, desk.provider_id, [pupil_id], from_day)
    }
    steps = following.steps_of(connection, desk.provider_id, rows)
    return [
        ref
        for case_id, ref in rows.items()
        if any(
            step.state in {StepState.OPEN, StepState.LATER} and home.forbids(Act(step.act))
            for step in steps.get(case_id, ())
        )
    ]


_ALWAYS = frozenset({"given_name", "family_name", "upn", "school_pupil_ref", "provider_ref"})


def _pupil(desk: Desk, connection: Connection, what: str) -> tuple[Row[Any], Pupil]:
    row = pupil_of(desk, connection, what)
    if row.erased_at is not None:
        raise AphubError("This pupil was erased.", "Nothing was changed.")
    return row, Pupil(ref=row.ref, suppressed=row.suppressed, **_data(desk, row))


def _data(desk: Desk, row: Row[Any]) -> dict[str, str]:
    place = place_of("pupils", desk.provider_id, row.pupil_id)
    data: dict[str, str] = desk.vault.open_json(row.key_id, place, row.sealed)
    return data


def _keep(desk: Desk, connection: Connection, row: Row[Any], data: dict[str, str]) -> None:
    [key] = desk.vault.data_keys([row.pupil_id], "pupil", desk.year())
    sealed = sealed_pupil(desk, row.pupil_id, data, key, suppressed=row.suppressed)
    change = {"key": row.pupil_id, "version": row.version + 1, **sealed}
    pupils.change_pupils(connection, desk.provider_id, [change])
