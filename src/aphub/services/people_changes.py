"""What a file of people changes: worked out against what we have, then written in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from aphub.services.desk import Desk, place_of
from aphub.services.people_days import Booked, double_booked
from aphub.services.people_kept import (
    loosened,
    open_items,
    placement_differs,
    placement_items,
    pupil_data,
    same_placement,
    sealed_items,
    sealed_pupil,
)
from aphub.services.people_rows import PersonRow, Problem
from aphub.store import pupils as kept
from aphub.store.engine import allocate
from aphub.store.placements import timetable_from_text, timetable_to_text


@dataclass(slots=True)
class _Pupil:
    """A pupil of the file, with its row in the store if it has one."""

    data: dict[str, str] = field(repr=False)
    suppressed: bool
    row: Row[Any] | None = None
    number: int = 0


@dataclass(slots=True)
class _Placement:
    """A placement of the file that is new, or a new version of one we have."""

    pupil: _Pupil
    first: PersonRow
    version: int
    row: Row[Any] | None = None
    number: int = 0
    items: dict[str, str] = field(repr=False, default_factory=dict)


@dataclass(slots=True)
class _Recipient:
    """A recipient that is new, or changes."""

    placement: "_Placement | int"
    organisation: str
    purpose: str
    agreement: str
    starts: date
    ends: date | None = None
    row: Row[Any] | None = None


@dataclass(slots=True)
class Changes:
    """Everything that taking a file would change, and why it cannot."""

    new_pupils: list[_Pupil] = field(default_factory=list)
    changed_pupils: list[_Pupil] = field(default_factory=list)
    placements: list[_Placement] = field(default_factory=list)
    new_recipients: list[_Recipient] = field(default_factory=list)
    changed_recipients: list[_Recipient] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def apply(self, desk: Desk, connection: Connection, by: str) -> None:
        """Write all of it."""
        self._write_pupils(desk, connection)
        self._write_placements(desk, connection, by)
        self._write_recipients(desk, connection)

    def _write_pupils(self, desk: Desk, connection: Connection) -> None:
        for pupil, number in zip(
            self.new_pupils, allocate(connection, "pupils", len(self.new_pupils)), strict=True
        ):
            pupil.number = number
        everyone = [*self.new_pupils, *self.changed_pupils]
        keys = desk.vault.data_keys([pupil.number for pupil in everyone], "pupil", desk.year())
        sealed = {
            pupil.number: sealed_pupil(desk, pupil.number, pupil.data, key, suppressed=pupil.suppressed)
            for pupil, key in zip(everyone, keys, strict=True)
        }
        refs = desk.references(len(self.new_pupils))
        kept.add_pupils(
            connection,
            [
                {
                    "provider_id": desk.provider_id,
                    "pupil_id": pupil.number,
                    "ref": ref,
                    "version": 1,
                    **sealed[pupil.number],
                }
                for pupil, ref in zip(self.new_pupils, refs, strict=True)
            ],
        )
        kept.change_pupils(
            connection,
            desk.provider_id,
            [
                {
                    "key": pupil.number,
                    "version": pupil.row.version + 1 if pupil.row is not None else 1,
                    **sealed[pupil.number],
                }
                for pupil in self.changed_pupils
            ],
        )

    def _write_placements(self, desk: Desk, connection: Connection, by: str) -> None:
        fresh = [one for one in self.placements if one.row is None]
        for one, number in zip(fresh, allocate(connection, "placements", len(fresh)), strict=True):
            one.number = number
        refs = iter(desk.references(len(fresh)))
        asked = [one for one in self.placements if one.items]
        keys = desk.vault.data_keys([one.pupil.number for one in asked], "pupil", desk.year())
        key_of = {one.number: key for one, key in zip(asked, keys, strict=True)}
        rows = []
        for one in self.placements:
            first = one.first
            rows.append(
                {
                    "provider_id": desk.provider_id,
                    "placement_id": one.number,
                    "version": one.version,
                    "ref": one.row.ref if one.row is not None else next(refs),
                    "pupil_id": one.pupil.number,
                    "starts_day": first.starts,
                    "ends_day": first.ends,
                    "arranged_by": first.arranged_by.value,
                    "power": first.power.value,
                    "registration": first.registration.value,
                    "nature": first.nature.value,
                    "commissioner": first.commissioner,
                    "timetable": timetable_to_text(first.timetable),
                    "attends_on_school_closure": first.attends_on_school_closure,
                    "risk_flag": first.risk,
                    "standing": first.standing.value,
                    "current": True,
                    "made_at": desk.now,
                    "made_by": by,
                    **sealed_items(desk, one.number, one.items, key_of.get(one.number)),
                }
            )
        kept.add_placements(connection, desk.provider_id, rows)

    def _write_recipients(self, desk: Desk, connection: Connection) -> None:
        numbers = allocate(connection, "recipients", len(self.new_recipients))
        kept.add_recipients(
            connection,
            [
                {
                    "provider_id": desk.provider_id,
                    "recipient_id": number,
                    "placement_id": one.placement if isinstance(one.placement, int) else one.placement.number,
                    "organisation": one.organisation,
                    "purpose": one.purpose,
                    "agreement": one.agreement,
                    "starts_day": one.starts,
                    "ends_day": None,
                    "changed_at": desk.now,
                }
                for one, number in zip(self.new_recipients, numbers, strict=True)
            ],
        )
        kept.change_recipients(
            connection,
            desk.provider_id,
            [
                {"key": one.row.recipient_id, "agreement": one.agreement, "ends_day": one.ends}
                for one in self.changed_recipients
                if one.row is not None
            ],
            desk.now,
        )


def plan(desk: Desk, connection: Connection, rows: Sequence[PersonRow]) -> Changes:
    """Work out what these rows change against what is in the store."""
    changes = Changes()
    people = _pupils(desk, connection, rows, changes)
    numbers = [pupil.number for pupil in people.values() if pupil.row is not None]
    standing = kept.placements_of(connection, desk.provider_id, numbers)
    have_all = [row for some in standing.values() for row in some]
    told = kept.recipients_of(connection, desk.provider_id, [row.placement_id for row in have_all])
    kept_items = open_items(desk, have_all)
    by_placement: dict[object, list[PersonRow]] = {}
    for row in rows:
        by_placement.setdefault((row.pupil_ref.casefold(), *row.placement_key[1:]), []).append(row)
    starts: dict[tuple[str, date], int] = {}
    for some in by_placement.values():
        key = (some[0].pupil_ref.casefold(), some[0].starts)
        starts[key] = starts.get(key, 0) + 1
    booked: list[Booked] = []
    matched: set[int] = set()
    for some in by_placement.values():
        first = some[0]
        booked.append(
            Booked(first.pupil_ref.casefold(), first.number, first.starts, first.ends, first.timetable)
        )
        pupil = people[first.pupil_ref.casefold()]
        alone = starts[first.pupil_ref.casefold(), first.starts] == 1
        have = same_placement(
            first, standing.get(pupil.number, []) if pupil.row is not None else [], alone=alone
        )
        had = kept_items[have.placement_id] if have is not None else {}
        items = placement_items(some, had)
        if have is None:
            placement: _Placement | int = _Placement(pupil, first, 1, items=items)
        elif items != had or placement_differs(have, first):
            placement = _Placement(pupil, first, have.version + 1, have, have.placement_id, items)
        else:
            placement = have.placement_id
        if have is not None:
            matched.add(have.placement_id)
        if isinstance(placement, _Placement):
            changes.placements.append(placement)
        known = told.get(have.placement_id, []) if have is not None else []
        _recipients(changes, placement, some, known, desk.today)
    booked += [
        Booked(folded, 0, row.starts_day, row.ends_day, timetable_from_text(row.timetable))
        for folded, pupil in people.items()
        for row in standing.get(pupil.number, [])
        if row.placement_id not in matched
    ]
    changes.problems += double_booked(booked)
    return changes


def _pupils(
    desk: Desk, connection: Connection, rows: Sequence[PersonRow], changes: Changes
) -> dict[str, _Pupil]:
    """Find each pupil of the file by reference, and name those whose UPN belongs to somebody else."""
    index, provider_id = desk.vault.index, desk.provider_id
    by_pupil: dict[str, list[PersonRow]] = {}
    for row in rows:
        by_pupil.setdefault(row.pupil_ref.casefold(), []).append(row)
    firsts = {folded: some[0] for folded, some in by_pupil.items()}
    by_ref = kept.by_index(
        connection, provider_id, "reference", [index("reference", row.pupil_ref) for row in firsts.values()]
    )
    upns = [index("upn", row.upn) for row in firsts.values() if row.upn]
    by_upn = kept.by_index(connection, provider_id, "upn", upns)
    known = kept.by_numbers(connection, provider_id, {number for ids in by_ref.values() for number in ids})
    opened = dict(
        zip(
            known,
            desk.vault.try_open_json_many(
                [
                    (row.key_id, place_of("pupils", provider_id, number), row.sealed)
                    for number, row in known.items()
                ]
            ),
            strict=True,
        )
    )
    people = {}
    for folded, first in firsts.items():
        numbers = by_ref.get(index("reference", first.pupil_ref), [])
        others = [number for number in by_upn.get(index("upn", first.upn), []) if number not in numbers]
        if first.upn and others:
            words = "Another pupil, with another reference, has this UPN already."
            changes.problems.append(Problem(first.number, "upn", words, "Check which of the two has it."))
        have = known[numbers[0]] if numbers else None
        old = opened[numbers[0]] if numbers else None
        if forbidden := loosened(by_pupil[folded], old):
            changes.problems.append(forbidden)
        data = pupil_data(by_pupil[folded], old)
        pupil = _Pupil(data, first.suppressed, have, numbers[0] if numbers else 0)
        people[folded] = pupil
        if have is None:
            changes.new_pupils.append(pupil)
        elif old != pupil.data or have.suppressed != pupil.suppressed:
            changes.changed_pupils.append(pupil)
    return people


def _recipients(
    changes: Changes,
    placement: _Placement | int,
    rows: Sequence[PersonRow],
    known: Sequence[Row[Any]],
    today: date,
) -> None:
    standing = {(row.organisation, row.purpose): row for row in known}
    is_new = isinstance(placement, _Placement) and placement.row is None
    for row in rows:
        have = standing.pop((row.recipient, row.purpose.value), None)
        # Who joins a placement under way hears of it from now on: the days before were told to somebody else.
        starts = row.starts if is_new else max(row.starts, today)
        line = _Recipient(placement, row.recipient, row.purpose.value, row.agreement, starts, row=have)
        if have is None:
            changes.new_recipients.append(line)
        elif have.agreement != row.agreement or have.ends_day is not None:
            changes.changed_recipients.append(line)
    for have in standing.values():
        if have.ends_day is None:
            # Told up to yesterday: what is owed for earlier days stays owed.
            last = max(today - timedelta(days=1), have.starts_day - timedelta(days=1))
            changes.changed_recipients.append(
                _Recipient(
                    *(placement, have.organisation, have.purpose, have.agreement, have.starts_day, last), have
                )
            )
