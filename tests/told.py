"""A far side that answers as a test tells it to, behind adapters that are registered as any plugin's."""

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aphub.api.adapters import (
    Answer,
    CheckStep,
    ConnectionSettings,
    Delivery,
    DeliveryAdapter,
    DeliveryResult,
    Document,
    Outbound,
    Repeat,
    ReportResult,
    RouteSettings,
    Rung,
)
from aphub.api.answers import Collected, LaterNews
from aphub.api.errors import TransientDeliveryError
from aphub.api.hooks import hookimpl
from aphub.domain.calls import CallResult
from aphub.domain.outcomes import Outcome
from aphub.domain.pacing import Pace
from aphub.domain.reports import Report

Say = Callable[[Delivery], DeliveryResult | None]


class ToldConnection(ConnectionSettings):
    """Names the far side, so that each name is a lane of its own."""

    far: str = "far"


class HeardConnection(ToldConnection):
    """A far side that says something later, asked every minute."""

    def listens_every(self) -> timedelta:
        return timedelta(minutes=1)


class PacedConnection(ToldConnection):
    """A far side that takes two messages a minute and five a day."""

    def pace(self) -> Pace:
        return Pace(2, 5, "the far side's limits")


class ToldRoute(RouteSettings):
    """Where at the far side."""

    address: str
    protection: str = ""

    def complaints(self, now: datetime) -> tuple[str, ...]:
        return (f"their certificate ended before {now:%Y}",) if self.protection == "ended" else ()

    def takes_summaries(self) -> bool:
        return self.protection != "grid"

    def cannot_carry(self, report: Report) -> str:
        late = any(session.fact.outcome is Outcome.LATE for session in report.sessions)
        return "it has no place for minutes late" if late and self.protection == "grid" else ""


@dataclass
class FarSides:
    """All far sides of one world: what they are told to say, and what they have heard."""

    answers: dict[str, deque[Say | Exception]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Say | Exception] = field(default_factory=dict)
    opens: dict[str, deque[Exception]] = field(default_factory=lambda: defaultdict(deque))
    closed_for_good: dict[str, Exception] = field(default_factory=dict)
    found: dict[str, deque[Say | Exception]] = field(default_factory=lambda: defaultdict(deque))
    later: dict[str, deque[Say | Exception]] = field(default_factory=lambda: defaultdict(deque))
    heard: list[tuple[str, Delivery]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    news: dict[str, deque[LaterNews | Exception]] = field(default_factory=lambda: defaultdict(deque))
    marks: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def says(self, far: str, *answers: Say | Exception) -> None:
        """Answer the next deliveries so, one after the other; then take again."""
        self.answers[far].extend(answers)

    def to(self, far: str) -> list[Delivery]:
        """Give what one far side has heard."""
        return [delivery for name, delivery in self.heard if name == far]

    def hear(self, far: str, delivery: Delivery) -> DeliveryResult:
        """Note a delivery and answer it as told."""
        with self.guard:
            self.heard.append((far, delivery))
            number = len(self.heard)
            queue = self.answers[far]
            say = queue.popleft() if queue else self.always.get(far, taken)
        if isinstance(say, Exception):
            raise say
        answer = say(delivery)
        assert answer is not None
        return DeliveryResult(
            answer.rung, answer.results, answer.reference or f"queue-{number}", answer.evidence, answer.hops
        )


def taken(delivery: Delivery) -> DeliveryResult:
    """Take every report."""
    return DeliveryResult.all_taken(
        delivery, Rung.HANDED_OVER, evidence={"answer": "250 taken"}, hops="TLS 1.3"
    )


def accepted(delivery: Delivery) -> DeliveryResult:
    """Take every report, and be able to prove it."""
    return DeliveryResult.all_taken(delivery, Rung.ACCEPTED, evidence={"answer": "read back"})


def each(*answers: Answer, rung: Rung = Rung.HANDED_OVER) -> Say:
    """Answer report by report, the last answer for all that are left."""

    def say(delivery: Delivery) -> DeliveryResult:
        given = [*answers, *([answers[-1]] * len(delivery.reports))]
        results = tuple(ReportResult(*pair) for pair in zip(delivery.reports, given, strict=False))
        return DeliveryResult(rung, results)

    return say


class Told(DeliveryAdapter[ToldConnection, ToldRoute]):
    """Takes what it is given to a far side of the test's; recognises what it was given twice."""

    name = "told"
    takes_notices = True
    connection_class = ToldConnection
    route_class = ToldRoute
    repeat = Repeat.RECOGNISABLE
    reaches = Rung.HANDED_OVER
    burst = 8
    sides: ClassVar[FarSides]
    cannot_say: ClassVar[frozenset[Outcome]] = frozenset()

    @classmethod
    def compose(cls, outbound: Outbound, route: ToldRoute) -> tuple[Document, ...]:
        message = outbound.message
        said = {
            "to": route.address,
            "kind": message.kind.value,
            "late": message.late,
            "notes": message.notes,
            "rows": outbound.rows,
        }
        text = outbound.rendering.render("mail-text", message, named=True)
        return (
            Document("facts.json", "application/json", json.dumps(said, sort_keys=True).encode()),
            Document("message.txt", "text/plain", text),
        )

    @classmethod
    def can_express(cls, report: Report, _may_write: frozenset[str]) -> str:
        told = {session.fact.outcome for session in report.sessions}
        return "their register has no code for it" if told & cls.cannot_say else ""

    def open(self) -> None:
        far = self.connection.far
        with self.sides.guard:
            self.sides.opened.append(far)
        if far in self.sides.closed_for_good:
            raise self.sides.closed_for_good[far]
        if self.sides.opens[far]:
            raise self.sides.opens[far].popleft()

    def close(self) -> None:
        pass

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        return self.sides.hear(self.connection.far, delivery)

    def look_up(self, delivery: Delivery) -> DeliveryResult | None:
        self.sides.asked.append(("look_up", delivery.key))
        return self._asked(self.sides.found, delivery)

    def follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:
        self.sides.asked.append(("follow_up", reference))
        return self._asked(self.sides.later, delivery)

    def _asked(self, what: dict[str, deque[Say | Exception]], delivery: Delivery) -> DeliveryResult | None:
        queue = what[self.connection.far]
        say = queue.popleft() if queue else None
        if isinstance(say, Exception):
            raise say
        return say(delivery) if say else None

    def check(self, route: ToldRoute) -> Iterator[CheckStep]:
        yield CheckStep("open", ok=True)


def adapters_for(sides: FarSides) -> object:
    """Give a plugin with one adapter of every temperament, all of them before these far sides."""

    class Harmless(Told):
        name = "told-harmless"
        repeat = Repeat.HARMLESS

    class Harmful(Told):
        name = "told-harmful"
        repeat = Repeat.HARMFUL

    class LooksUp(Told):
        name = "told-looks-up"
        repeat = Repeat.HARMFUL
        looks_up = True

    class Register(Told):
        name = "told-register"
        writes_register = True
        follows_up = True
        cannot_say = frozenset({Outcome.LEFT_SITE, Outcome.CANCELLED, Outcome.NOT_YET_TAKEN})

    class Person(Told):
        name = "told-person"
        asks_person = True
        takes_notices = False
        reaches = Rung.CONFIRMED

        def deliver(self, delivery: Delivery) -> DeliveryResult:
            call = self.tools.phone(delivery)
            if call is None or call.result is not CallResult.ANSWERED:
                raise TransientDeliveryError("Nobody was told.", code=call.result.value if call else "")
            self.sides.hear(self.connection.far, delivery)
            rung = Rung.CONFIRMED if call.repeated else Rung.HANDED_OVER
            return replace(DeliveryResult.all_taken(delivery, rung), at=call.at)

    class Listens(Told):
        name = "told-listens"
        connection_class = HeardConnection
        collects = True

        def collect(self, after: str) -> Collected:
            """Give one piece a turn; the mark is how many were given."""
            self.sides.marks.append(after)
            queue = self.sides.news[self.connection.far]
            if not queue:
                return Collected(after)
            one = queue.popleft()
            if isinstance(one, Exception):
                raise one
            return Collected(str(int(after or 0) + 1), (one,), more=bool(queue))

    class Paced(Told):
        name = "told-paced"
        connection_class = PacedConnection

    Told.sides = sides
    kinds = (Told, Harmless, Harmful, LooksUp, Register, Person, Listens, Paced)

    class Plugin:
        @hookimpl
        def register_adapters(self, register: Callable[[type[Told]], None]) -> None:
            for kind in kinds:
                register(type(kind.__name__, (kind,), {"sides": sides}))

    return Plugin()


def facts_of(delivery: Delivery) -> dict[str, Any]:
    """Read back what a delivery says."""
    return dict(json.loads(delivery.documents[0].content))


def outcomes_of(delivery: Delivery) -> dict[tuple[str, str], str]:
    """Give the outcome by UPN and session."""
    return {(row["upn"], row["session"]): row["outcome"] for row in delivery.rows}


def text_of(delivery: Delivery) -> str:
    """Read back a delivery's words, unwrapped."""
    return " ".join(delivery.documents[1].content.decode().split())
