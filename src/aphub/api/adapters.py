"""The contract between the hub and an adapter: what it is given, and what it says back."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from aphub.api.answers import Collected
from aphub.api.callbacks import Call, Called
from aphub.api.errors import DeliveryError
from aphub.api.lent import Tools
from aphub.api.papers import Ending, ForTheirIt
from aphub.api.renderers import Rendering
from aphub.domain.pacing import Pace
from aphub.domain.reports import Message, Report, Row


class ConnectionSettings(BaseModel):
    """How to reach one far side; two routes with equal settings share a lane."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    not_where: ClassVar[frozenset[str]] = frozenset()
    """Settings that decide neither where a message goes nor who can read it: a change of them needs no approval."""

    def pace(self) -> Pace | None:
        """Say how quickly this far side takes messages; None where it names no limit.

        The hub keeps to it over restarts. A lane has one connection at a time, so that limits of connections are kept.
        """
        return None

    def listens_every(self) -> timedelta | None:
        """Say how often answers are to be fetched from this far side; None where they are not."""
        return None

    def elsewhere(self) -> str:
        """Name what else decides where messages go, such as a file's content: a change of it needs approval again."""
        return ""

    def complaints(self, now: datetime) -> tuple[str, ...]:  # noqa: ARG002 - most settings stay right
        """Say what is wrong with files, keys and certificates that these settings name, without talking to anybody.

        Said by `apply`, on settings whose secrets are filled in; no word of a secret is repeated.
        """
        return ()

    def endings(self) -> tuple[Ending, ...]:
        """Name what these settings rest on that will end, such as our own certificate; people are told in time."""
        return ()

    def wants_calls(self) -> bool:
        """Say whether this far side is to call us back, which needs `[callbacks]` in `hub.toml`."""
        return False


class RouteSettings(BaseModel):
    """Where at the far side one organisation's messages go, and how they are protected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def destination(self) -> str:
        """Name the fields that decide who can read a message; a change of them needs approval again."""
        return self.model_dump_json()

    def cannot_carry(self, report: Report) -> str:  # noqa: ARG002 - most can carry all
        """Say why this report cannot go this way as it is set up; empty when it can."""
        return ""

    def complaints(self, now: datetime) -> tuple[str, ...]:  # noqa: ARG002 - most settings stay right
        """Say what was right when it was written and is not any more, such as a certificate that has ended.

        Said by `apply`; reports go by the next way meanwhile.
        """
        return ()

    def lacks(self, connection: ConnectionSettings, now: datetime) -> str:  # noqa: ARG002 - most need nothing of it
        """Say what this way needs of its connection and does not find there; empty when nothing is missing."""
        return ""

    def wants_secrets(self) -> bool:
        """Say whether `compose` needs the connection's secrets, such as the key that signs; they stay out of documents."""
        return False

    def takes_summaries(self) -> bool:
        """Say whether summaries go this way too: papers for people to read, which no register takes."""
        return False

    def endings(self) -> tuple[Ending, ...]:
        """Name what this way rests on that will end, such as their key; people are told in time."""
        return ()

    def answered_within(self) -> timedelta:
        """Say how long the far side may take over a message it was handed, before a person is asked to look."""
        return timedelta(minutes=30)


C = TypeVar("C", bound=ConnectionSettings)
R = TypeVar("R", bound=RouteSettings)


class Repeat(StrEnum):
    """What it does to deliver the same thing twice."""

    HARMLESS = "harmless"
    RECOGNISABLE = "recognisable"
    HARMFUL = "harmful"


class Rung(StrEnum):
    """How far a message is known to have come: the rungs of the receipt ladder."""

    PREPARED = "prepared"
    HANDED_OVER = "handed_over"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"


class Answer(StrEnum):
    """What the far side did with one report."""

    TAKEN = "taken"
    ALREADY_THERE = "already_there"
    DIFFERS = "differs"
    REFUSED = "refused"
    NOT_EXPRESSIBLE = "not_expressible"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Document:
    """One frozen piece of a dispatch: what leaves the machine, byte for byte."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message on its way to becoming documents, with what may be shown and written.

    `connection` is the one it will leave by, for adapters whose documents name their sender.
    """

    message: Message
    rows: tuple[Row, ...] = field(repr=False)
    rendering: Rendering = field(repr=False)
    file_password: str = field(repr=False, default="")
    connection: ConnectionSettings | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One dispatch at the edge: frozen documents and canonical rows, under one identity.

    `key` stays the same however often the delivery is tried. `reports` are the public references of the reports in
    the order of `rows` (a report may have several rows). `may_write` lists the codes that this school signed for.
    """

    key: str
    thread_ref: str
    deadline: datetime
    route: RouteSettings
    documents: tuple[Document, ...] = field(repr=False)
    rows: tuple[Row, ...] = field(repr=False)
    reports: tuple[str, ...]
    row_reports: tuple[str, ...]
    may_write: frozenset[str] = frozenset()
    attempt: int = 1
    test: bool = False


@dataclass(frozen=True, slots=True)
class ReportResult:
    """What became of one report; `words` are the far side's, kept sealed."""

    report: str
    answer: Answer
    words: str = field(repr=False, default="")
    code: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The far side's answer to one delivery.

    `reference` is the far side's own (queue id, file name, write-back id); `evidence` is kept sealed with the
    receipt; `hops` names the part of the way that was proved, such as "TLS 1.3 to mail.example.org". `at` is when it
    was handed over, where that was before we are told.
    """

    rung: Rung
    results: tuple[ReportResult, ...]
    reference: str = ""
    evidence: dict[str, str] = field(repr=False, default_factory=dict)
    hops: str = ""
    at: datetime | None = None

    @classmethod
    def all_taken(
        cls,
        delivery: Delivery,
        rung: Rung,
        *,
        reference: str = "",
        evidence: dict[str, str] | None = None,
        hops: str = "",
    ) -> "DeliveryResult":
        """Say that every report of the delivery was taken."""
        taken = Answer.TAKEN
        results = tuple([ReportResult(report, taken) for report in delivery.reports])
        return cls(rung, results, reference, evidence or {}, hops)


@dataclass(frozen=True, slots=True)
class CheckStep:
    """One ticked step of a connection check; `found` is what was seen, `mend` what to do.

    `stops` says that what the way was approved on is no longer so: a live way is paused until a check finds it again.
    """

    step: str
    ok: bool
    found: str = ""
    mend: str = ""
    stops: bool = False


class DeliveryAdapter(ABC, Generic[C, R]):
    """Carries dispatches to one far side; one instance serves one lane's burst.

    With `asks_person` a person delivers: the hub gives them a task with the first document as what to say, and tries
    only once somebody has recorded what came of it.

    It tries once. The hub owns retries, pace, time limits, logging, sealing and HTTP clients.
    """

    name: ClassVar[str]
    connection_class: ClassVar[type[ConnectionSettings]]
    route_class: ClassVar[type[RouteSettings]]
    repeat: ClassVar[Repeat]
    reaches: ClassVar[Rung]
    writes_register: ClassVar[bool] = False
    follows_up: ClassVar[bool] = False
    looks_up: ClassVar[bool] = False
    asks_person: ClassVar[bool] = False
    collects: ClassVar[bool] = False
    is_called: ClassVar[bool] = False
    takes_notices: ClassVar[bool] = False
    """Whether people read what arrives as a letter, so that one without any report can go this way."""
    burst: ClassVar[int] = 32
    capabilities: ClassVar[dict[str, str]] = {}

    def __init__(self, connection: C, tools: Tools) -> None:
        """Keep settings and tools; open nothing yet."""
        self.connection = connection
        self.tools = tools

    @classmethod
    @abstractmethod
    def compose(cls, outbound: Outbound, route: R) -> tuple[Document, ...]:
        """Make the exact documents that will leave; pure, encryption and protection included."""

    @classmethod
    def can_express(cls, report: Report, may_write: frozenset[str]) -> str:  # noqa: ARG003 - most can say all
        """Say why this far side cannot be told this report; empty when it can."""
        return ""

    @abstractmethod
    def open(self) -> None:
        """Connect, verify and sign in.

        Raises:
            TransientDeliveryError: The far side cannot be reached now.
            RefusedDeliveryError: It will not let us in, or it is not who it should be.
        """

    @abstractmethod
    def close(self) -> None:
        """Leave politely; a second call does nothing."""

    @abstractmethod
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Try once to hand the delivery over.

        Raises:
            DeliveryError: See the three kinds in `aphub.api.errors`.
        """

    def deliver_many(
        self, deliveries: Sequence[Delivery]
    ) -> Iterator[tuple[str, DeliveryResult | DeliveryError]]:
        """Deliver a burst, giving (key, answer) as each is known; override where a far side takes several at once."""
        for delivery in deliveries:
            try:
                yield delivery.key, self.deliver(delivery)
            except DeliveryError as exc:
                yield delivery.key, exc

    def look_up(self, delivery: Delivery) -> DeliveryResult | None:
        """Ask the far side whether it has this delivery; None when it certainly has not.

        Called only when `looks_up` is true.
        """
        raise NotImplementedError

    def follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:
        """Ask what became of a delivery that was handed over; None while it is still open.

        Called only when `follows_up` is true.
        """
        raise NotImplementedError

    def collect(self, after: str) -> Collected:
        """Fetch what the far side has said since the mark `after`, which is empty at first; `open` is not called for it.

        It changes nothing there: people read the same mailbox. Called only when `collects` is true.

        Raises:
            DeliveryError: It could not be fetched; what was there comes next time.
        """
        raise NotImplementedError

    def hear(self, call: Call) -> Called | None:
        """Read a call that came in at an address of ours; None where it is not theirs, or says nothing.

        Pure: it looks at the signature, if they sign, and at the words. Called, unopened, only when `is_called` is true.
        """
        raise NotImplementedError

    def for_their_it(self, route: R) -> ForTheirIt | None:  # noqa: ARG002 - most ways ask for nothing
        """Say what the far side's IT team is told and asked to allow; None where the page has only what was found."""
        return None

    @abstractmethod
    def check(self, route: R) -> Iterator[CheckStep]:
        """Prove connection and route step by step; no pupil's data leaves."""


def results_by_report(results: Iterable[ReportResult]) -> dict[str, ReportResult]:
    """Index results by their report."""
    return {result.report: result for result in results}


AnyAdapter = DeliveryAdapter[Any, Any]
