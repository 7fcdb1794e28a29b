"""Give a person the phone at minute 0: a child who left our site, or a missing one for whom a risk is known."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from aphub.domain.agreements import FirstCaller
from aphub.domain.outcomes import Outcome
from aphub.domain.threads import is_urgent_line
from aphub.services.decide import Part
from aphub.services.desk import Desk
from aphub.services.freeze import Draft
from aphub.store import dispatching
from aphub.store.engine import allocate

AT_ONCE = timedelta(minutes=5)
_FIRST = {
    FirstCaller.PROVIDER: "Phone home now",
    FirstCaller.SCHOOL: "Ask the school, which phones home first",
    FirstCaller.COUNCIL: "Ask the council, which phones home first",
}


def give_phone_tasks(desk: Desk, connection: Connection, drafts: Sequence[Draft], now: datetime) -> None:
    """Open one task a pupil and day beside the messages that have just been kept; a message alone is not enough."""
    found: dict[str, tuple[Part, str, str]] = {}
    for draft in drafts:
        for part in draft.parts:
            for line in part.lines:
                if why := _why(part, line.fact.outcome, urgent=is_urgent_line(line)):
                    subject = f"{part.row.placement_ref} {line.day.isoformat()}"
                    reference = f"{draft.letter.thread_ref}-{draft.letter.number}"
                    found.setdefault(subject, (part, f"{desk.config.provider.prefix}-{reference}", why))
    if not found:
        return
    numbers = allocate(connection, "tasks", len(found))
    refs = desk.references(len(found))
    dispatching.open_tasks(
        connection,
        [
            {
                "provider_id": desk.provider_id,
                "task_id": number,
                "ref": ref,
                "kind": "phone_home",
                "subject": subject,
                "pupil_id": part.row.pupil_id,
                "organisation": part.row.organisation,
                "words": (
                    f"{_FIRST[part.agreement.first_caller]}: one pupil {why} ({reference}). "
                    "The numbers are in your own file."
                ),
                "due_at": now + AT_ONCE,
                "state": "open",
                "raised_at": now,
            }
            for (subject, (part, reference, why)), number, ref in zip(
                found.items(), numbers, refs, strict=True
            )
        ],
    )


def _why(part: Part, outcome: Outcome, *, urgent: bool) -> str:
    if outcome is Outcome.LEFT_SITE:
        return "left our site"
    if outcome is Outcome.ABSENT and urgent and part.row.risk_flag:
        return "is missing, and a risk is known"
    return ""
