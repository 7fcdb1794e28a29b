"""What every rule stands on: the author's fixtures, one try as the hub makes it, and what came of it."""

import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretBytes, SecretStr

from aphub.api import (
    Answer,
    ConnectionSettings,
    Delivery,
    DeliveryError,
    DeliveryResult,
    Document,
    Message,
    RefusedDeliveryError,
    Rendering,
    RouteSettings,
    Tools,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.api.adapters import AnyAdapter
from aphub.conformance.far_sides import FarSide, RowFarSide, WrittenMark
from aphub.plugins import Plugins, load
from aphub.testing import (
    SAMPLE_SIGNED_CODES,
    invented_pupil,
    plain_rendering,
    sample_delivery,
    sample_message,
    sample_report,
    sample_tools,
)

F = TypeVar("F", bound=Callable[..., Any])

SOME_EXAMPLES = settings(
    max_examples=12,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
        HealthCheck.too_slow,
    ],
)
"""Few examples, since each is a delivery over a real connection."""

_SAFE_SIGNS = string.ascii_letters + string.digits + "._-"

AWKWARD = b"\x00\r\n.\r\n\n.\r\n\xff\xfe \t\n\x1a"
"""What a careless far side or adapter alters: NUL, bare line feeds, lone dots, no UTF-8, white space at the end."""

TAKEN = frozenset({Answer.TAKEN, Answer.ALREADY_THERE, Answer.PENDING})
"""Answers that claim that the far side has the report."""
NOT_TAKEN = frozenset({Answer.REFUSED, Answer.NOT_EXPRESSIBLE, Answer.DIFFERS})


def rule(*, owed_if: str = "") -> Callable[[F], F]:
    """Make a test one of the kit's rules; `owed_if` names the ability without which it is not owed."""

    def mark(function: F) -> F:
        function.conformance_rule = True  # type: ignore[attr-defined]
        function.owed_if = owed_if  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Tried:
    """What one try said: a result or one of the three errors."""

    result: DeliveryResult | None = field(repr=False, default=None)
    error: DeliveryError | None = field(repr=False, default=None)

    @property
    def word(self) -> str:
        """Say it in one word: taken, refused, transient, uncertain or mixed."""
        if isinstance(self.error, RefusedDeliveryError):
            return "refused"
        if isinstance(self.error, TransientDeliveryError):
            return "transient"
        if isinstance(self.error, UncertainDeliveryError):
            return "uncertain"
        if self.result is None:
            return f"a bare {type(self.error).__name__}"
        answers = {one.answer for one in self.result.results}
        if answers <= TAKEN:
            return "taken"
        return "refused" if answers <= NOT_TAKEN else "mixed"


class Ground:
    """Fixtures that an author overrides, and the steps that rules share."""

    aphub_conformance_kit: ClassVar[bool] = True
    adapter_class: ClassVar[type[AnyAdapter]]
    locks_freshly: ClassVar[bool] = False
    """Whether the route's documents are locked with fresh randomness, so that their bytes differ each time."""
    time_limit: ClassVar[float] = 10.0
    """Seconds within which the adapter, with the fixture's settings, gives up on a far side that falls silent."""
    contents: ClassVar[st.SearchStrategy[bytes]] = st.just(AWKWARD) | st.binary(max_size=2048)
    """What a document may hold; narrow it to what the adapter composes, such as mails."""
    names: ClassVar[st.SearchStrategy[str]] = st.text(_SAFE_SIGNS, min_size=1, max_size=60)
    """What a document may be called."""

    @pytest.fixture
    def far_side(self) -> Any:
        """Override: the far side, faked at the wire."""
        raise NotImplementedError("give a far_side fixture")

    @pytest.fixture
    def connection(self) -> ConnectionSettings:
        """Override: settings that reach the far side, with time-outs well below `time_limit`."""
        raise NotImplementedError("give a connection fixture")

    @pytest.fixture
    def route(self) -> RouteSettings:
        """Override: one organisation's place at the far side."""
        raise NotImplementedError("give a route fixture")

    @pytest.fixture
    def tools(self) -> Tools:
        """Lend what the hub lends."""
        return sample_tools(seconds=2.0)

    @pytest.fixture
    def rendering(self) -> Rendering:
        """Give the renderers that `compose` may ask for."""
        return plain_rendering()

    @pytest.fixture
    def plugins(self) -> Plugins:
        """Load what is installed."""
        return load()

    @classmethod
    def owes(cls, function: Any) -> bool:
        """Say whether this adapter owes this rule, from what it declares."""
        condition = getattr(function, "owed_if", "")
        adapter = cls.adapter_class
        answers = {
            "": True,
            "documents": not adapter.writes_register,
            "writes_register": adapter.writes_register,
            "looks_up": adapter.looks_up,
            "follows_up": adapter.follows_up,
            "collects": adapter.collects,
            "is_called": adapter.is_called,
            "repeatable": adapter.repeat.value != "harmful",
        }
        return answers[condition]

    # Steps

    def attempt(self, connection: ConnectionSettings, tools: Tools, delivery: Delivery) -> Tried:
        """Open, deliver and close, as the hub does for a burst of one; a bug in the adapter comes through."""
        adapter = self.adapter_class(connection, tools)
        try:
            adapter.open()
            return Tried(result=adapter.deliver(delivery))
        except DeliveryError as exc:
            return Tried(error=exc)
        finally:
            adapter.close()

    def delivery(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        *,
        message: Message | None = None,
        documents: tuple[Document, ...] | None = None,
        may_write: frozenset[str] = SAMPLE_SIGNED_CODES,
    ) -> Delivery:
        """Give a delivery that the adapter composed; by default about the planted pupil and two others."""
        return sample_delivery(
            self.adapter_class,
            route,
            message=message,
            connection=connection,
            rendering=rendering,
            documents=documents,
            may_write=may_write,
        )

    @staticmethod
    def message_about(*pupils: int, thread: str) -> Message:
        """Give a message about these invented pupils, in a thread of its own."""
        reports = [sample_report(invented_pupil(number), at) for at, number in enumerate(pupils)]
        return sample_message(reports, thread=thread)

    @staticmethod
    def has(far_side: FarSide, delivery: Delivery, reports: frozenset[str] | None = None) -> bool:
        """Say whether the far side has these reports of a delivery (all, where documents carry them)."""
        if isinstance(far_side, RowFarSide):
            return marks_of(delivery, reports) <= far_side.written
        kept = {one.content for one in far_side.received}
        return all(document.content in kept for document in delivery.documents)


def marks_of(delivery: Delivery, reports: frozenset[str] | None = None) -> frozenset[WrittenMark]:
    """Give the marks that the rows of these reports stand for."""
    return frozenset(
        WrittenMark(row["upn"], row["date"], row["session"], row["suggested_code"])
        for row, report in zip(delivery.rows, delivery.row_reports, strict=True)
        if reports is None or report in reports
    )


def taken_reports(result: DeliveryResult) -> frozenset[str]:
    """Give the reports that a result claims the far side has."""
    return frozenset(one.report for one in result.results if one.answer in TAKEN)


def secrets_of(*models: BaseModel) -> Iterator[str]:
    """Give every secret text in settings, however deep."""
    for model in models:
        for value in dict(model).values():
            yield from _secrets_in(value)


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield from (line for line in value.get_secret_value().splitlines() if len(line) > 5)  # noqa: PLR2004 - shorter lines of a key stand anywhere
    elif isinstance(value, SecretBytes):
        yield value.get_secret_value().decode(errors="replace")
    elif isinstance(value, BaseModel):
        yield from secrets_of(value)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _secrets_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _secrets_in(one)
