"""Erase one pupil for good, keep another whatever happens, and say when an erasure is complete.

What is sealed goes by destroying its key; what is clear is cut loose from the person. Outcomes without a name stay, so
that figures already given out stay right, and the ledger stays valid: it never held anything of a pupil.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from aphub.domain.calendar import school_year
from aphub.domain.errors import AphubError
from aphub.domain.wording import count_words, moment_words
from aphub.services.desk import Desk
from aphub.services.recording import Statement, record
from aphub.services.register_names import naming
from aphub.services.way import named, signed, typed
from aphub.services.whose import pupil_of
from aphub.store import calls, erasing, keeping, pupils
from aphub.store.engine import allocate

MESSAGE, ORIGINAL = "message", "original"
APART = frozenset({MESSAGE, ORIGINAL})
"""Record classes whose keys belong to one message or one register, not to a pupil."""
ASKED, TOO_OLD = "asked-for", "retention"


class CannotEraseError(AphubError):
    """This pupil cannot be erased now."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing a pupil does or did: how much goes, what stays for another pupil's legal hold, when it is complete."""

    ref: str
    keys: int
    messages: int
    registers: int
    left: int
    complete_at: datetime | None

    @property
    def words(self) -> str:
        """Say it in words."""
        what = (
            f"{count_words(self.keys, 'key')}, the content of {count_words(self.messages, 'message')} "
            f"and {count_words(self.registers, 'register')}"
        )
        if self.left:
            more = f"{self.left} more {'is' if self.left == 1 else 'are'} kept for another pupil's legal hold"
            return f"Erased: {what}. {more}, and {'goes' if self.left == 1 else 'go'} when that ends."
        return f"Erased: {what}."


def preview(desk: Desk, what: str) -> Erasure:
    """Say what erasing a pupil would destroy; nothing is changed.

    Raises:
        CannotEraseError: It cannot be done now.
        UnknownPupilError: There is no such pupil.
    """
    with desk.store.reading() as connection:
        pupil = pupil_of(desk, connection, what)
        _check(desk, connection, pupil)
        messages = erasing.messages_with(connection, desk.provider_id, pupil.pupil_id)
        registers = erasing.registers_with(connection, desk.provider_id, pupil.pupil_id)
    for number, held in naming(desk, pupil).items():
        if number not in registers[held]:
            registers[held].append(number)
    return Erasure(
        ref="",
        keys=len(desk.vault.names_of(pupil.pupil_id, APART)),
        messages=len(messages[False]),
        registers=len(registers[False]),
        left=len(messages[True]) + len(registers[True]),
        complete_at=desk.vault.copies_until(desk.now),
    )


def erase(desk: Desk, what: str, by: str, because: str) -> Erasure:
    """Erase a pupil: every key, the content of every message and register with it, all that leads back.

    Raises:
        CannotEraseError: A legal hold is on the pupil, or a placement goes on: its school would hear nothing any more.
        UnknownPupilError: There is no such pupil.
    """
    name = named(by)
    if not because.strip():
        raise CannotEraseError("We need to know why.", "Nothing was erased.", 'Add: --because "..."')
    with desk.store.transaction() as connection:
        pupil = pupil_of(desk, connection, what)
        _check(desk, connection, pupil)
        erasure_id = _begin(desk, connection, pupil.pupil_id, name, because)
    return _go_on(desk, erasure_id, ASKED, name)


def erase_by_age(desk: Desk, pupil_id: int, by: str, because: str) -> Erasure:
    """Erase a pupil whose time to be kept is over, or who was erased before a backup came back; `because` says by what rule."""
    with desk.store.transaction() as connection:
        erasure_id = _begin(desk, connection, pupil_id, by, because)
    return _go_on(desk, erasure_id, TOO_OLD, by)


def go_on(desk: Desk) -> int:
    """Finish erasures that waited for a hold's end or were cut short; give how many are done now."""
    with desk.store.reading() as connection:
        waiting = keeping.open_erasures(connection, desk.provider_id)
    return sum(not _go_on(desk, row.erasure_id, "", "").left for row in waiting)


def _check(desk: Desk, connection: Connection, pupil: Row[Any]) -> None:
    if pupil.erased_at is not None:
        raise CannotEraseError("This pupil has been erased already.", "Nothing was changed.")
    if holds := keeping.open_holds(connection, desk.provider_id, pupil.pupil_id):
        raise CannotEraseError(
            f"{holds[0].placed_by} placed a legal hold on this pupil at {moment_words(holds[0].placed_at)}.",
            "Nothing was erased.",
            "Ask them why: aphub legal-hold lists it. Only when it may end: aphub legal-hold PUPIL --end",
        )
    if erasing.placed_after(connection, desk.provider_id, pupil.pupil_id, desk.today):
        raise CannotEraseError(
            "A placement of this pupil goes on, and its school would hear nothing any more.",
            "Nothing was erased.",
            "End the placement first, with its last day: aphub import",
        )


def _begin(desk: Desk, connection: Connection, pupil_id: int, by: str, because: str) -> int:
    [number] = allocate(connection, "erasures")
    row = {
        "provider_id": desk.provider_id,
        "erasure_id": number,
        "ref": desk.references(1)[0],
        "pupil_id": pupil_id,
        "because": typed("The reason", because),
        "asked_at": desk.now,
        "asked_by": by,
        "left": 0,
    }
    keeping.add_erasure(connection, row)
    return number


def _go_on(desk: Desk, erasure_id: int, cause: str, by: str) -> Erasure:
    """Do all of an erasure that can be done now; done again after a crash it does the rest.

    The rows go first and the keys after them, so that a key is never gone while nobody knows what it sealed.
    """
    provider, vault, now = desk.provider_id, desk.vault, desk.now
    with desk.store.reading() as connection:
        [row] = [one for one in keeping.open_erasures(connection, provider) if one.erasure_id == erasure_id]
        messages = erasing.messages_with(connection, provider, row.pupil_id)
        registers = erasing.registers_with(connection, provider, row.pupil_id)
        [pupil] = pupils.by_numbers(connection, provider, [row.pupil_id]).values()
    # While the name can still be read: registers that name the pupil in rows that fitted nobody.
    for number, held in naming(desk, pupil).items():
        if number not in registers[held]:
            registers[held].append(number)
    erase_content(desk, ORIGINAL, registers[False])
    with desk.store.transaction() as connection:
        names = vault.names_of(row.pupil_id, APART)
        by_phone = erasing.calls_with(connection, provider, row.pupil_id)
        names += [name for number in by_phone for name in vault.names_of(calls.key_subject(number))]
        erasing.empty_by_keys(connection, provider, vault.key_ids(names))
        erasing.empty_calls(connection, provider, by_phone)
        erasing.empty_of_pupil(connection, provider, row.pupil_id)
        erasing.cut_loose(connection, provider, row.pupil_id, _references(desk), now, desk.today)
        erasing.stop_messages(connection, provider, messages[False])
    desk.boundary("erase.emptied")
    erase_content(desk, MESSAGE, messages[False])
    vault.erase_named(names)
    desk.boundary("erase.keys_gone")
    left = len(messages[True]) + len(registers[True])
    complete_at = None if left else vault.copies_until(now)
    with desk.store.transaction() as connection:
        done = {"left": left, "erased_at": None if left else now, "complete_at": complete_at}
        keeping.change_erasure(connection, provider, erasure_id, **done)
        fields: dict[str, Any] = {"erasure": row.ref, "left": left, "cause": cause or "hold-ended"}
        if by:
            fields["by"] = signed(desk, by)
        if cause == TOO_OLD:
            fields["snapshot"] = desk.snapshot
        if cause or not left:
            record(connection, desk, [Statement("record.erased", row.ref, fields)])
    return Erasure(row.ref, len(names), len(messages[False]), len(registers[False]), left, complete_at)


def erase_content(desk: Desk, record_class: str, numbers: list[int]) -> int:
    """Destroy the content of messages or registers: the key first, so that no crash leaves one behind unnoticed."""
    if not numbers:
        return 0
    vault = desk.vault
    names = vault.names_for(numbers, record_class, _years(desk))
    key_ids = vault.key_ids(names)
    vault.erase_named(names)
    tables = erasing.MESSAGE_TABLES if record_class == MESSAGE else erasing.REGISTER_TABLES
    with desk.store.transaction() as connection:
        erasing.empty_by_keys(connection, desk.provider_id, key_ids, tables)
        erasing.empty_content(connection, desk.provider_id, tables[0], numbers)
    return len(numbers)


def _years(desk: Desk) -> list[str]:
    """Name the school years in which content that is still kept can have been sealed: none is kept longer than two."""
    today = desk.today
    return [school_year(today.replace(year=today.year - ago, day=1)) for ago in range(4)]


def _references(desk: Desk) -> Iterator[str]:
    while True:
        yield from desk.references(8)
