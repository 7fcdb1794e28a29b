"""Marks of ours that a correction cannot reach: the register keeps them, so a person at the school changes them there.

News about where a child is goes to a person first, and some facts have no code. The register then still shows what we wrote
before, for all to read; that is said in the message, and somebody here makes sure of it.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from aphub.domain.reports import Kind
from aphub.services.decide import Decision, Part
from aphub.services.desk import Desk
from aphub.services.fallback import open_task
from aphub.services.freeze import Draft
from aphub.services.routes import Route
from aphub.store import lives

NOTE = "Your register still shows what we told you before. This message does not change it: change it there."


def standing(desk: Desk, connection: Connection, decision: Decision) -> frozenset[int]:
    """Give the owed reports under correction of which an earlier version stands in a school's own register."""
    corrected = [
        part.row.owed_id
        for (_, kind), parts in decision.parts.items()
        if kind is Kind.CORRECTION
        for part in parts
    ]
    registers = {
        (route.organisation, route.channel)
        for route in desk.routes.everything()
        if route.adapter.writes_register
    }
    if not corrected or not registers:
        return frozenset()
    return lives.written_before(connection, desk.provider_id, corrected, registers)


def notes_for(route: Route, parts: Sequence[Part], left: frozenset[int]) -> tuple[str, ...]:
    """Say in a message that goes another way that the register shows something else."""
    if not left or route.adapter.writes_register or left.isdisjoint([part.row.owed_id for part in parts]):
        return ()
    return (NOTE,)


def ask_people(desk: Desk, connection: Connection, kept: Sequence[Draft], left: frozenset[int]) -> None:
    """Give a person here each such message, to make sure that the register is changed."""
    for draft in kept:
        if not notes_for(draft.route, draft.parts, left):
            continue
        organisation = desk.config.organisations[draft.route.organisation].name
        reference, slug = draft.composed.message.reference, draft.route.organisation
        words = (
            f"{reference} corrects what stands in the register of {organisation}, by {draft.route.channel}. "
        )
        words += "Make sure that they change it there."
        open_task(desk, connection, "register_differs", reference, slug, words, desk.now)
