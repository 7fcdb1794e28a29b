"""How summaries stand: those that are due on a day, and older ones that were not sent."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from aphub.domain.calendar import to_utc
from aphub.domain.wording import period_words
from aphub.services.desk import Desk
from aphub.store import summing

_STATES = {"prepared": "to be sent", "met": "sent", "held": "waiting for you", "missed": "overdue"}


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """One summary to one organisation, or a part of it that stands otherwise: about how many pupils, and how it stands."""

    organisation: str
    name: str
    every: str
    of: str
    pupils: int
    state: str
    due: datetime
    sent: datetime | None

    @property
    def late(self) -> bool:
        """Whether it was handed over after the agreed time."""
        return self.sent is not None and self.sent > self.due


def summaries_on(desk: Desk, day: date | None = None) -> list[SummaryLine]:
    """Say how the summaries stand that are due on a day, with older ones that were not sent; one query."""
    day = day or desk.today
    after, before = to_utc(day, time()), to_utc(day + timedelta(days=1), time())
    with desk.store.reading() as connection:
        rows = summing.due_on(connection, desk.provider_id, after, before, desk.now)
    known = desk.config.organisations
    return [
        SummaryLine(
            row.organisation,
            known[row.organisation].name if row.organisation in known else row.organisation,
            row.summary,
            period_words(row.first_day, row.until_day, ""),
            row.pupils,
            _STATES.get(row.state) or ("overdue" if row.due_by < desk.now else "to come"),
            row.due_by,
            row.handed_over_at,
        )
        for row in rows
    ]
