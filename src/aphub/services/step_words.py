"""What a step's task says: who telephones home first stands in the agreement, so the words follow it."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from aphub.domain.agreements import FirstCaller
from aphub.domain.cases import PlannedStep
from aphub.domain.steps import AT_HOME
from aphub.services.desk import Desk
from aphub.store import cancelling, pupils

_ASK = {
    FirstCaller.SCHOOL: "Ask the school, which phones home first",
    FirstCaller.COUNCIL: "Ask the council, which phones home first",
}
OWN_FILE = "The numbers are in your own file."


@dataclass(frozen=True, slots=True)
class StepWords:
    """Who telephones home first, by placement, and which lessons were cancelled together, by placement and start."""

    first: dict[int, FirstCaller]
    cancelled: dict[tuple[int, datetime], str] = field(default_factory=dict)

    @classmethod
    def read(cls, desk: Desk, connection: Connection, placement_ids: list[int]) -> "StepWords":
        """Read it from the agreements of those who are told; the provider, unless one of them says otherwise."""
        first: dict[int, FirstCaller] = {}
        today = desk.today
        for placement_id, rows in pupils.recipients_of(connection, desk.provider_id, placement_ids).items():
            for row in rows:
                agreement = desk.config.agreement_on(row.agreement, row.organisation, today)
                if agreement is not None and agreement.first_caller is not FirstCaller.PROVIDER:
                    first.setdefault(placement_id, agreement.first_caller)
        cancelled = cancelling.refs_of(connection, desk.provider_id, placement_ids, today)
        return cls(first, cancelled)

    def of(self, step: PlannedStep, placement_id: int | None) -> str:
        """Say what a step's task says."""
        if step.act not in AT_HOME:
            return step.words
        if ref := self.cancelled.get((placement_id or 0, step.lesson_at)):
            return f"{step.words}, and ask where the pupil will be. Then: aphub stays {ref}. {OWN_FILE}"
        asked = _ASK.get(self.first.get(placement_id or 0, FirstCaller.PROVIDER))
        return f"{asked}. {step.words}." if asked else f"{step.words}. {OWN_FILE}"
