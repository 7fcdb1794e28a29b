"""Find the pupil that somebody means by any reference that people hold, without a name ever being typed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.errors import NeedsCorrectionError
from aphub.domain.identifiers import UpnState, check_upn
from aphub.services.desk import Desk
from aphub.services.matching import other_spellings
from aphub.store import following, keeping, looking, pupils
from aphub.store.whose import providers_with

WHAT_TO_TYPE = "your own pupil reference, a UPN, or a reference from: aphub reasons, aphub cases"
"""The references of a pupil that people hold, and where they see them."""


class UnknownPupilError(NeedsCorrectionError):
    """We know no such pupil."""


def pupil_of(desk: Desk, connection: Connection, what: str) -> Row[Any]:
    """Give the row of the pupil meant by our reference, a placement's, a case's, the provider's own, or the UPN.

    Raises:
        UnknownPupilError: There is none, or it fits two.
    """
    rows = pupils_called(desk, connection, what)
    if len(rows) == 1:
        return rows[0]
    if rows:
        raise UnknownPupilError(
            "This reference fits two pupils.", "Nothing was changed.", "Give a placement's reference."
        )
    raise UnknownPupilError(unknown_words(what), "Nothing was changed.", f"Give {WHAT_TO_TYPE}.")


def placements_meant(desk: Desk, connection: Connection, what: str) -> list[Row[Any]]:
    """Give the current placement of a reference, or all of the pupil meant by any other reference that people hold.

    Raises:
        UnknownPupilError: There is none.
    """
    row = looking.placement(connection, desk.provider_id, what.strip().upper())
    if row is not None:
        return [row]
    rows = pupils_called(desk, connection, what)
    found = looking.placements_of(connection, desk.provider_id, rows[0].pupil_id) if len(rows) == 1 else []
    if found:
        return found
    words = unknown_words(what)
    if len(rows) > 1:
        words = "This reference fits two pupils."
    elif not (is_name(what) or is_upn(what)):
        words = "We know no placement and no pupil by this reference; or the pupil was erased, and nothing is left."
    raise UnknownPupilError(words, "Nothing was changed.", f"Give a placement's reference, {WHAT_TO_TYPE}.")


def pupils_called(desk: Desk, connection: Connection, what: str) -> list[Row[Any]]:
    """Give the pupils meant by a reference: one, none, or more where it fits several."""
    text, provider, index = what.strip(), desk.provider_id, desk.vault.index
    rows = keeping.find_pupils(connection, provider, text.upper(), index("reference", text))
    if rows:
        return rows
    numbers: set[int] = set()
    if is_upn(text):
        found = pupils.by_index(connection, provider, "upn", [index("upn", text.upper())])
        numbers = {number for ids in found.values() for number in ids}
    elif (case := following.case_by_ref(connection, provider, text.upper())) is not None:
        numbers = {case.pupil_id} - {None}
    else:
        # A spreadsheet eats the zeros that a reference begins with.
        spelled = [index("reference", other) for other in other_spellings(text)]
        found = pupils.by_index(connection, provider, "reference", spelled)
        numbers = {number for ids in found.values() for number in ids}
    return list(pupils.by_numbers(connection, provider, sorted(numbers)).values())


def is_upn(text: str) -> bool:
    """Say whether this is written as a UPN is: personal data, which nothing repeats."""
    return check_upn(text).state in {UpnState.OK, UpnState.TEMPORARY, UpnState.WRONG_LETTER}


def is_name(text: str) -> bool:
    """Say whether this looks like a person's name: words, and no figure or hyphen in them."""
    return " " in text.strip() and not any(letter.isdigit() for letter in text)


def unknown_words(what: str) -> str:
    """Say that nobody is found by this, without repeating what may be a pupil's name or UPN."""
    if is_name(what):
        return "We look nobody up by name, since what you type stays in your computer's history."
    if is_upn(what):
        return "We know no pupil with this UPN."
    return "We know no pupil by this reference."


def desk_with(desks: Sequence[Desk], reference: str) -> Desk | None:
    """Find the desk of the one provider whose message, case, task, mark or placement a reference is."""
    ref = reference.strip().upper()
    fits = [desk for desk in desks if desk.config.provider.prefix == ref.partition("-")[0]]
    if len(desks) > 1 and not fits:
        with desks[0].store.reading() as connection:
            numbers = providers_with(connection, ref)
        fits = [desk for desk in desks if desk.provider_id in numbers]
    return fits[0] if len(fits) == 1 else None
