"""The test of a channel: its check, and a TEST message of invented pupils, a six-figure code to be read back, nothing of any real child."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Any, Protocol

from aphub.api.adapters import AnyAdapter, CheckStep, Delivery, DeliveryResult
from aphub.api.errors import DeliveryError
from aphub.api.mis import CodesStep
from aphub.domain.entries import Fact, Half, SessionEntry, Suggestion
from aphub.domain.errors import AphubError
from aphub.domain.identifiers import upn_check_letter
from aphub.domain.outcomes import Mode, Outcome, ReasonKind
from aphub.domain.placements import ArrangedBy, Nature, Purpose
from aphub.domain.reports import Kind, Report
from aphub.domain.wording import day_words
from aphub.services.desk import Desk
from aphub.services.letters import Composed, Letter, compose
from aphub.services.routes import Route
from aphub.services.way import NotYetError

HELPS_FOR = timedelta(minutes=15)
_PUPILS = (
    (
        ("Sam", "Example"),
        Fact(Outcome.ABSENT, ReasonKind.UNKNOWN),
        Suggestion("N", "absent, reason not yet known"),
    ),
    (
        ("Alex", "Invented"),
        Fact(Outcome.PRESENT),
        Suggestion("B", "attended in person, arranged by your school"),
    ),
    (
        ("Robin", "Sample"),
        Fact(Outcome.LATE, minutes=25),
        Suggestion("B", "arrived late, arranged by your school"),
    ),
)
"""Three mornings as a school will read them; no council has the number 999, so the UPNs are nobody's."""


class Adapters(Protocol):
    """Builds the adapter of a route: the hub does."""

    def adapter(self, desk: Desk, route: Route) -> AnyAdapter:
        """Build it; it is not opened yet."""
        ...


@dataclass(frozen=True, slots=True)
class Trial:
    """A TEST message made for one route, with the code that stands in it."""

    reference: str
    code: str = field(repr=False)
    delivery: Delivery = field(repr=False)


def make_trial(desk: Desk, route: Route, code: str, password: str) -> Trial:
    """Make the TEST message for a route, exactly as a real one is made.

    Raises:
        AphubError: It cannot be made for this route.
        ValueError: Likewise.
    """
    now = desk.now
    [thread_ref] = desk.references(1)
    letter = Letter(
        thread_id=0,
        thread_ref=thread_ref,
        number=1,
        kind=Kind.TEST,
        period=desk.today.isoformat(),
        period_words=day_words(desk.today),
        due_by=now + HELPS_FOR,
        useful_until=now + HELPS_FOR,
        reports=invented_reports(desk),
        made_at=now,
        test_code=code,
    )
    composed = compose(desk, letter, route, file_password=password)
    return Trial(composed.message.reference, code, _delivery(desk, letter, route, composed))


def invented_reports(desk: Desk) -> tuple[Report, ...]:
    """Give the reports of three children who do not exist."""
    return tuple(
        _report(desk, number, names, fact, suggestion)
        for number, (names, fact, suggestion) in enumerate(_PUPILS, start=1)
    )


def _report(desk: Desk, number: int, names: tuple[str, str], fact: Fact, suggestion: Suggestion) -> Report:
    given, family = names
    body = f"999400000{number:03d}"
    ref, placement_ref = desk.references(2)
    line = SessionEntry(
        day=desk.today,
        half=Half.AM,
        fact=fact,
        suggestion=suggestion,
        starts=time(9),
        ends=time(12),
        mode=Mode.IN_PERSON,
    )
    return Report(
        ref=ref,
        version=1,
        placement_ref=placement_ref,
        purpose=Purpose.HOME_SCHOOL,
        sessions=(line,),
        nature=Nature.AP,
        arranged_by=ArrangedBy.SCHOOL,
        pupil_name=f"{given} {family}",
        upn=upn_check_letter(body) + body,
        school_pupil_ref=f"TEST{number}",
    )


def _delivery(desk: Desk, letter: Letter, route: Route, composed: Composed) -> Delivery:
    return Delivery(
        key=composed.message.reference,
        thread_ref=f"{desk.config.provider.prefix}-{letter.thread_ref}",
        deadline=letter.useful_until,
        route=route.settings,
        documents=composed.documents,
        rows=composed.rows,
        reports=tuple(report.ref for report in letter.reports),
        row_reports=composed.row_reports,
        may_write=frozenset(),
        test=letter.kind is Kind.TEST,
    )


def steps_of(hub: Adapters, desk: Desk, route: Route) -> list[CheckStep]:
    """Check a route; what goes wrong on the way is a step that failed."""
    steps: list[CheckStep] = []
    try:
        for step in hub.adapter(desk, route).check(route.settings):
            steps.append(step)  # noqa: PERF402 - what was seen before an error stays seen
    except DeliveryError as exc:
        steps.append(CheckStep("The check went on to its end", ok=False, found=exc.words, mend=exc.what_now))
    except AphubError as exc:
        steps.append(CheckStep("Everything it needs is there", ok=False, found=exc.what, mend=exc.mend))
    return [*steps, *_signed_codes(desk, route, steps)]


def _signed_codes(desk: Desk, route: Route, steps: list[CheckStep]) -> Iterator[CheckStep]:
    """Hold the list that the school signed against the table that its system has: a letter without a place is not written."""
    signed = desk.config.organisations[route.organisation].signed_codes
    table = next((step.letters for step in steps if isinstance(step, CodesStep) and step.ok), None)
    if signed is None or table is None:
        return
    lacking = " ".join(sorted(signed.codes - table))
    step = "The codes that the school signed for are among them"
    if lacking:
        found = f"its system does not have {lacking}, so nothing with it can be written"
        mend = "Ask the school which code it uses instead, and have the list signed anew"
        yield CheckStep(step, ok=False, found=found, mend=mend)
    else:
        yield CheckStep(
            step, ok=True, found=f"{' '.join(sorted(signed.codes)) or 'none'}, signed {signed.on:%d/%m/%Y}"
        )


def send_trial(hub: Adapters, desk: Desk, route: Route, trial: Trial) -> dict[str, Any]:
    """Send a TEST message at once; give the far side's evidence. Raises DeliveryError.

    One that a person delivers is read out by whoever is asked to: the six figures that come back are its evidence.
    """
    if route.adapter.asks_person:
        return {"delivered by": "a person"}
    return _evidence(_hand_over(hub, desk, route, trial.delivery))


def send_at_once(hub: Adapters, desk: Desk, route: Route, letter: Letter) -> tuple[str, DeliveryResult]:
    """Send a letter in which no pupil is told of, apart from every queue; give its reference and what became of it.

    Raises:
        AphubError: It cannot be made for this route.
        DeliveryError: The far side did not take it.
        ValueError: It cannot be made for this route.
    """
    composed = compose(desk, letter, route)
    return composed.message.reference, _hand_over(hub, desk, route, _delivery(desk, letter, route, composed))


def _hand_over(hub: Adapters, desk: Desk, route: Route, delivery: Delivery) -> DeliveryResult:
    adapter = hub.adapter(desk, route)
    try:
        adapter.open()
        return adapter.deliver(delivery)
    finally:
        with suppress(Exception):
            adapter.close()


def _evidence(result: DeliveryResult) -> dict[str, Any]:
    return {**result.evidence, "reference": result.reference, "hops": result.hops}


def test_register(hub: Adapters, desk: Desk, route: Route) -> tuple[str, str, dict[str, Any]]:
    """Check a register once more, and that the school has signed which codes may be written; no marks are made."""
    if desk.config.organisations[route.organisation].signed_codes is None:
        raise NotYetError(
            "The school has not signed which codes may be written in its register.",
            "Nothing was sent.",
            "Add [signed_codes] to the school's file, and run: aphub apply",
        )
    steps = steps_of(hub, desk, route)
    if not all(step.ok for step in steps):
        raise NotYetError(
            "The register is not as it should be.",
            "Nothing was sent.",
            f"Run: aphub check {route.organisation} {route.channel}",
        )
    reference = f"{desk.config.provider.prefix}-{desk.references(1)[0]}-1"
    return reference, "", {"checked": [step.step for step in steps]}
