"""What is held for a person: what one word about it lets go, ends or withdraws with it."""

from typing import Any

from sqlalchemy import Connection, Row

from aphub.services.decide import TOO_LATE
from aphub.services.desk import Desk
from aphub.store import settling


def held_together(desk: Desk, connection: Connection, row: Row[Any]) -> list[Row[Any]]:
    """Give what is held with this owed report and asked of a person once: by school when late, by summary's message."""
    if row.because == TOO_LATE:
        return settling.held_like(connection, desk.provider_id, row.recipient_id, TOO_LATE)
    if row.summary:
        # One message again, not one for each pupil in it.
        return settling.held_with(connection, desk.provider_id, row.thread_id, row.because)
    return [row]


def held_about(desk: Desk, connection: Connection, ref: str) -> list[int]:
    """Give the owed reports that are still held and that an open task to phone or to release is about."""
    subject = settling.asked_about(connection, desk.provider_id, ref)
    if subject is None:
        return []
    row = settling.owed_by_ref(connection, desk.provider_id, subject)
    if row is None:
        return settling.held_of_message(connection, desk.provider_id, subject)
    return [one.owed_id for one in held_together(desk, connection, row) if one.state == "held"]
