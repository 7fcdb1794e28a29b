"""What is kept sealed of a pupil and a placement, and how a file's rows change it: what a file does not say stays."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from aphub.domain.contacts import loosens, restriction_of
from aphub.services.desk import Desk, place_of
from aphub.services.people_rows import HOME, ITEMS, PersonRow, Problem
from aphub.store.placements import timetable_from_text

RESTRICTED = ("contact_restriction", "contact_note")
"""What no empty cell takes away: a court's order does not end because a spreadsheet forgot it."""


def said(rows: Sequence[PersonRow], name: str) -> dict[str, str]:
    """Give what rows about one pupil (`home`) or placement (`items`) say, each column that the file has."""
    found: dict[str, str] = {}
    for row in rows:
        for column, text in getattr(row, name):
            found[column] = found.get(column) or text
    return found


def pupil_data(rows: Sequence[PersonRow], old: Mapping[str, str] | None) -> dict[str, str]:
    """Give all that is to be kept of a pupil: the first row's words, and who is reached at home."""
    row = rows[0]
    home = {name: text for name, text in (old or {}).items() if name in HOME}
    home |= {name: text for name, text in said(rows, "home").items() if text or name not in RESTRICTED}
    return {
        "given_name": row.given_name,
        "family_name": row.family_name,
        "upn": row.upn,
        "school_pupil_ref": row.school_pupil_ref,
        "provider_ref": row.pupil_ref,
        **{name: text for name, text in home.items() if text},
    }


def loosened(rows: Sequence[PersonRow], old: Mapping[str, str] | None) -> Problem | None:
    """Name a file that would allow contact which is forbidden: that is a person's word, not a cell's."""
    before = restriction_of((old or {}).get("contact_restriction", ""))
    after = said(rows, "home").get("contact_restriction", "")
    if not after or not loosens(before, restriction_of(after)):
        return None
    words = "Contact with this pupil's home is restricted more strictly than this says."
    return Problem(rows[0].number, "contact_restriction", words, "Empty this cell. To lift it: aphub contact")


def sealed_pupil(
    desk: Desk, number: int, data: Mapping[str, str], key: Any, *, suppressed: bool
) -> dict[str, Any]:
    """Seal a pupil's data, with the blind indexes by which the pupil is found."""
    index = desk.vault.index
    return {
        "key_id": key.key_id,
        "sealed": desk.vault.seal_json(key, place_of("pupils", desk.provider_id, number), dict(data)),
        "ref_index": index("reference", data["provider_ref"]),
        "upn_index": index("upn", data["upn"]) if data["upn"] else None,
        "name_index": index("name", f"{data['given_name']} {data['family_name']}"),
        "suppressed": suppressed,
        "changed_at": desk.now,
    }


def open_items(desk: Desk, rows: Sequence[Row[Any]]) -> dict[int, dict[str, str]]:
    """Open what a census asks of these placements, by number; those of which nothing was said are empty."""
    kept = [row for row in rows if row.sealed]
    places = [
        (row.key_id, place_of("placements", desk.provider_id, row.placement_id), row.sealed) for row in kept
    ]
    opened = desk.vault.try_open_json_many(places)
    found = {row.placement_id: data or {} for row, data in zip(kept, opened, strict=True)}
    return {row.placement_id: found.get(row.placement_id, {}) for row in rows}


def placement_items(rows: Sequence[PersonRow], old: Mapping[str, str]) -> dict[str, str]:
    """Give what is to be kept for a census: a column that the file does not have stays as it was."""
    merged = {**{name: text for name, text in old.items() if name in ITEMS}, **said(rows, "items")}
    return {name: text for name, text in merged.items() if text}


def sealed_items(desk: Desk, number: int, items: Mapping[str, str], key: Any) -> dict[str, Any]:
    """Seal what a census asks of a placement; nothing is kept where nothing was said."""
    if not items:
        return {"key_id": None, "sealed": None}
    place = place_of("placements", desk.provider_id, number)
    return {"key_id": key.key_id, "sealed": desk.vault.seal_json(key, place, dict(items))}


def same_placement(first: PersonRow, standing: Sequence[Row[Any]], *, alone: bool) -> Row[Any] | None:
    """Find the placement that a row is about: the one of that first day, told apart by nature and commissioner."""
    of_day = [row for row in standing if row.starts_day == first.starts]
    exact = [
        row for row in of_day if (row.nature, row.commissioner) == (first.nature.value, first.commissioner)
    ]
    if len(exact) == 1:
        return exact[0]
    return of_day[0] if alone and len(of_day) == 1 else None


def placement_differs(row: Row[Any], first: PersonRow) -> bool:
    """Say whether a row says anything else of a placement than we have."""
    have = (
        *(row.ends_day, row.arranged_by, row.power, row.registration, row.nature, row.commissioner),
        *(row.attends_on_school_closure, row.risk_flag, row.standing),
        timetable_from_text(row.timetable),
    )
    wanted = (
        *(
            first.ends,
            first.arranged_by.value,
            first.power.value,
            first.registration.value,
            first.nature.value,
        ),
        *(first.commissioner, first.attends_on_school_closure, first.risk, first.standing.value),
        first.timetable,
    )
    return have != wanted
