"""Share reports out to the ways they can go: live, approved for this very place, able to say them, and not known to be down."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row

from aphub.domain.agreements import URGENT_WITHIN
from aphub.domain.placements import Pupil
from aphub.domain.reports import Kind, Report
from aphub.domain.retries import RESERVE
from aphub.services.decide import Part
from aphub.services.desk import Desk
from aphub.services.letters import report_of
from aphub.services.routes import Route

Shared = list[tuple[Route, list[tuple[Part, Report]]]]
Lost = list[tuple[Part, str]]
_ALERT, _ROUTINE, _CATCH_UP = Kind.ALERT, Kind.ROUTINE, Kind.CATCH_UP


class _Open(NamedTuple):
    """The ways that are open, those that are down but could be waited for, and why there is no other."""

    up: tuple[Route, ...]
    down: tuple[Route, ...]
    reason: str


class Ways:
    """The ways to organisations as they are at one look; most parts of a message have the same, found once for all."""

    def __init__(
        self,
        desk: Desk,
        live: Mapping[tuple[str, str], Row[Any]],
        resting: Mapping[str, datetime],
        now: datetime,
    ) -> None:
        """Keep the live channels, and until when lanes rest."""
        self._desk = desk
        self._live = live
        self._resting = resting
        self.now = now
        self._found: dict[tuple[Any, ...], _Open] = {}

    def of(self, part: Part, kind: Kind) -> _Open:
        """Give the ways for a part of a message of this kind.

        An alert never goes into a register alone: it is for a person to read. A way that is not tried again in time for
        the promise is down; a child's safety waits for no lane that rests.
        """
        to_read = kind is _ALERT or part.urgent
        if kind is _ROUTINE or kind is _CATCH_UP:
            promised = part.row.due_by
        else:
            promised = self.now if kind is _ALERT else self.now + URGENT_WITHIN
        key = (part.row.organisation, part.agreement.channels, to_read, promised)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._look(part, to_read=to_read, promised=promised)
        return found

    def _look(self, part: Part, *, to_read: bool, promised: datetime) -> _Open:
        up: list[Route] = []
        down: list[Route] = []
        reason, complaint = "no channel", ""
        for route in self._desk.routes.of(part.row.organisation, part.agreement.channels):
            channel = self._live.get((route.organisation, route.channel))
            if channel is None or channel.approved_destination != route.destination:
                reason = "no live channel"
            elif to_read and route.adapter.writes_register:
                continue
            elif why := route.complaint(self.now):
                complaint = why
            else:
                waits = self._resting.get(route.lane, self.now) > max(self.now, promised - RESERVE)
                (down if waits else up).append(route)
        return _Open(tuple(up), tuple(down), complaint or reason)


def report_on(part: Part, pupil: Pupil, ref: str) -> Report:
    """Make the report that a part of a message is."""
    return report_of(
        part.row,
        pupil,
        part.lines,
        ref=ref,
        version=part.row.version + 1,
        changes=part.changes,
        agreement=part.agreement,
        place=part.place,
        supervised_by=part.staff,
        urgent=part.urgent_lines(),
    )


def share_out(
    desk: Desk, ways: Ways, parts: Sequence[Part], kind: Kind, pupils: Mapping[int, Pupil]
) -> tuple[Shared, Lost]:
    """Give reports by the first way each can go, and the parts that can go none with the reason.

    A way that is down is passed over while there is another.
    """
    shared: dict[str, tuple[Route, list[tuple[Part, Report]]]] = {}
    lost: Lost = []
    for part, ref in zip(parts, desk.references(len(parts)), strict=True):
        report = report_on(part, pupils[part.row.pupil_id], ref)
        up, down, reason = ways.of(part, kind)
        for route in (*up, *down):
            if why := route.why_not_this(report, part.agreement.may_write):
                reason = why
                continue
            shared.setdefault(route.channel, (route, []))[1].append((part, report))
            break
        else:
            lost.append((part, reason))
    return list(shared.values()), lost
