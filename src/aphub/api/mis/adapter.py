"""The adapter that all registers share: what is owed becomes marks there, and is read back before it counts."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar, cast

from aphub.api.adapters import (
    Answer,
    CheckStep,
    Delivery,
    DeliveryAdapter,
    DeliveryResult,
    Document,
    Outbound,
    Repeat,
    Rung,
)
from aphub.api.errors import (
    DeliveryError,
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub.api.lent import Tools
from aphub.api.mis import answers
from aphub.api.mis.checking import steps
from aphub.api.mis.expressible import why_not
from aphub.api.mis.frozen import frozen_marks, is_test, marks_or_refusal
from aphub.api.mis.marks import Mark, document_of, marks_of
from aphub.api.mis.plan import Plan, Together, plan_of
from aphub.api.mis.register import Asked, Entry, Register, Written, asked_of
from aphub.api.mis.settings import RegisterConnection, RegisterRoute, State
from aphub.api.mis.wire import Wire
from aphub.domain.reports import Report

_TRY_AGAIN = "Try again in a few minutes; if it stays so, ask them"

C = TypeVar("C", bound=RegisterConnection)
R = TypeVar("R", bound=RegisterRoute)


class RegisterAdapter(DeliveryAdapter[C, R], Generic[C, R]):
    """Writes session marks; never over a mark that the school made or touched.

    A vendor's class gives `vendor`, `says_no`, `headers` (a fixed token), and `school`, which knows the vendor's contract.
    """

    vendor: ClassVar[str]
    says_no: ClassVar[Mapping[int, tuple[str, str]]] = {}
    repeat = Repeat.HARMLESS
    reaches = Rung.ACCEPTED
    writes_register = True
    follows_up = True
    looks_up = True

    def __init__(self, connection: C, tools: Tools) -> None:
        """Keep settings and tools; open nothing yet."""
        super().__init__(connection, tools)
        self._wire: Wire | None = None
        self._schools: dict[str, Register] = {}

    @abstractmethod
    def school(self, wire: Wire, route: R) -> Register:
        """Give the register of one school; reads nothing yet."""

    def headers(self) -> Mapping[str, str]:
        """Give the headers of every request, such as a token."""
        return {}

    def least_gap(self) -> float:
        """Give the seconds that must lie between two requests."""
        return 0.0

    @classmethod
    def compose(cls, outbound: Outbound, route: R) -> tuple[Document, ...]:
        """Freeze the marks as one JSON document; UPNs stand where the school's own ids will."""
        marks = marks_of(outbound.rows, comment=route.says_more)
        name = f"{outbound.message.file_stem}.json"
        return (document_of(name, marks, test=outbound.message.is_test),)

    @classmethod
    def can_express(cls, report: Report, may_write: frozenset[str]) -> str:
        """Say why a register cannot hold this report; empty when it can."""
        return why_not(report, may_write)

    def open(self) -> None:
        """Make the one client of this instance; the first request connects."""
        if self._wire is not None:
            return
        trust = self.connection.trust()
        client = self.tools.http(
            base_url=self.connection.base_url,
            headers={"Accept": "application/json", **self.headers()},
            timeout=self.connection.timeout_seconds,
            **({} if trust is None else {"verify": trust}),
        )
        self._wire = Wire(
            client,
            self.vendor,
            says_no=self.says_no,
            least_gap=self.least_gap(),
            wait=self.tools.wait,
        )

    def close(self) -> None:
        """Close the connection and forget every pupil; a second call does nothing."""
        if self._wire is not None:
            self._wire.close()
        self._wire = None
        self._schools.clear()

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Read what stands there, then write what is missing, once."""
        marks = frozen_marks(delivery)
        return self._deliver(delivery, marks, Together(marks), fresh=True)

    def deliver_many(
        self, deliveries: Sequence[Delivery]
    ) -> Iterator[tuple[str, DeliveryResult | DeliveryError]]:
        """Deliver a burst: pupils and marks of a school are read once for all, each delivery is written by itself.

        Where one finds nobody at the other end, the rest of the burst is left for later.
        """
        frozen = [marks_or_refusal(delivery) for delivery in deliveries]
        together: dict[str, Together] = {}
        for delivery, marks in zip(deliveries, frozen, strict=True):
            if not isinstance(marks, DeliveryError):
                together.setdefault(_place(delivery), Together()).add(marks)
        unread = set(together)
        stopped: DeliveryError | None = None
        for delivery, marks in zip(deliveries, frozen, strict=True):
            if isinstance(marks, DeliveryError):
                yield delivery.key, marks
                continue
            if stopped is not None:
                yield delivery.key, self._not_tried(stopped)
                continue
            place = _place(delivery)
            try:
                result: DeliveryResult | DeliveryError = self._deliver(
                    delivery, marks, together[place], fresh=place in unread
                )
                unread.discard(place)
            except DeliveryError as exc:
                result = exc
                stopped = exc if isinstance(exc, TransientDeliveryError | UncertainDeliveryError) else None
            yield delivery.key, result

    def look_up(self, delivery: Delivery) -> DeliveryResult | None:
        """Read the marks back after a doubt.

        None unless every mark that can stand there does. A write may still be queued there then; to write again is
        harmless, since a mark is written over by the same mark.
        """
        marks = frozen_marks(delivery)
        plan = self._plan(delivery, marks, Together(marks), fresh=True)
        if not plan.settled or not plan.any_there:
            return None
        return DeliveryResult(Rung.ACCEPTED, answers.read_back(plan, delivery, Answer.TAKEN))

    def follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:
        """Ask what became of a write, and read the marks back before they count; None while it is open.

        Raises:
            TransientDeliveryError: They do not answer now.
            UncertainDeliveryError: They will not say, so only the register itself can.
        """
        try:
            asked = self._ask(delivery, reference)
            return self._read_back(delivery, reference, asked) if asked else None
        except RefusedDeliveryError as exc:
            # That they refuse the question says nothing about the marks.
            raise UncertainDeliveryError(exc.words, code=exc.code, what_now=exc.what_now) from exc

    def check(self, route: R) -> Iterator[CheckStep]:
        """Prove sign-in, school, permissions and codes; sends no pupil's data."""
        opened_here = self._wire is None
        try:
            yield from steps(self.school(self._wire_now(), route), self.tools.now())
        except DeliveryError as exc:
            mend = exc.what_now or _TRY_AGAIN
            yield CheckStep(f"{self.vendor} answers us", ok=False, found=str(exc), mend=mend)
        finally:
            if opened_here:
                self.close()

    def _ask(self, delivery: Delivery, reference: str) -> Asked | None:
        """Ask after each of the references; one that failed decides, then one that is open; None while it is open."""
        school = self._school(delivery)
        called = {one.reference: one for one in self.tools.callbacks.said(delivery)} if self.is_called else {}
        # A call that names another write than those we made says nothing about ours.
        asked = [
            asked_of(called[one]) if one and one in called else school.ask(one)
            for one in reference.split(" ")
        ]
        said = [one for one in asked if one is not None]
        failed = next((one for one in said if one.state is State.FAILED), None)
        if failed:
            return failed
        # A number that they do not know, or not yet: the hub asks a person in the end.
        if len(said) < len(asked):
            return None
        still_open = next((one for one in said if one.state is not State.CONFIRMED), None)
        if still_open is None:
            return said[0]
        return still_open if all(one.may_show for one in said if one.state is State.PENDING) else None

    def _read_back(self, delivery: Delivery, reference: str, asked: Asked) -> DeliveryResult | None:
        marks = frozen_marks(delivery)
        plan = self._plan(delivery, marks, Together(marks), fresh=False)
        if not plan.settled:  # what was read for an earlier question may be older than their word
            plan = self._plan(delivery, marks, Together(marks), fresh=True)
        if asked.state is State.FAILED:
            absent = (Answer.REFUSED, asked.words)
        elif asked.state is State.PENDING and not plan.settled:
            return None
        elif plan.to_write and not plan.shows_ours and self.tools.now() < delivery.deadline:
            return None  # the school's system may show it later than they say so
        else:
            words = f"{self.vendor} says that it was written, but the school's register does not show it."
            absent = (Answer.DIFFERS, words)
        results = answers.read_back(plan, delivery, Answer.TAKEN, absent)
        rung = Rung.ACCEPTED if plan.any_there else Rung.HANDED_OVER
        evidence = {"status": asked.word, "answer": asked.words} if asked.word else {}
        return DeliveryResult(rung, results, reference, evidence)

    def _deliver(
        self, delivery: Delivery, marks: Sequence[Mark], together: Together, *, fresh: bool
    ) -> DeliveryResult:
        """Deliver one, reading for all of `together` where reading is needed."""
        school = self._school(delivery)
        school.require_writing()
        if is_test(delivery):
            return answers.for_test(delivery, sorted(delivery.may_write - school.codes().targets.keys()))
        plan = self._plan(delivery, marks, together, fresh=fresh, writing=True)
        if not plan.to_write:
            rung = Rung.ACCEPTED if plan.any_there else Rung.PREPARED
            return DeliveryResult(rung, answers.read_back(plan, delivery, Answer.ALREADY_THERE))
        said = self._write(plan, delivery)
        if any(one.stale_ids for one in said) and (again := self._plan_anew(delivery, marks, plan)):
            plan, said = again, self._write(again, delivery)
        return answers.written(plan, delivery, said)

    def _write(self, plan: Plan, delivery: Delivery) -> list[Written]:
        """Write all that is to be written, request by request; where a later one fails, the earlier ones stand."""
        said: list[Written] = []
        for batch in plan.school.batches(plan.entries()):
            try:
                said.append(self._write_one(plan.school, batch, delivery))
            except RefusedDeliveryError as exc:
                if not said:
                    raise
                said.append(Written.turned_away(batch, exc.words, exc.code))
            except TransientDeliveryError as exc:
                if not said:
                    raise
                raise UncertainDeliveryError(
                    f"{self.vendor} took some of the marks and then stopped answering.", code=exc.code
                ) from exc
        return said

    def _write_one(self, school: Register, batch: Sequence[Entry], delivery: Delivery) -> Written:
        """Write one request; queued where they can call us when it is done, at an address for this request alone."""
        address = self.tools.callbacks.address(delivery) if school.queues else ""
        return school.queue(batch, address) if address else school.write(batch)

    def _plan_anew(self, delivery: Delivery, marks: Sequence[Mark], plan: Plan) -> Plan | None:
        """Find the pupils again: they refused, and ids change with enrolment; None when none has changed."""
        upns = {mark.upn for mark in marks}
        known = plan.school.forget_pupils(upns)
        now = plan.school.pupils(upns)
        if all(now.get(upn, "") == pupil_id for upn, pupil_id in known.items()):
            return None
        again = self._plan(delivery, marks, Together(marks), fresh=True, writing=True)
        return again if again.to_write else None

    def _plan(
        self,
        delivery: Delivery,
        marks: Sequence[Mark],
        together: Together,
        *,
        fresh: bool,
        writing: bool = False,
    ) -> Plan:
        """Resolve, read and judge."""
        school, now = self._school(delivery), self.tools.now()
        return plan_of(school, delivery, marks, together, now, fresh=fresh, writing=writing)

    def _school(self, delivery: Delivery) -> Register:
        route = cast("R", delivery.route)
        if route.place not in self._schools:
            self._schools[route.place] = self.school(self._wire_now(), route)
        return self._schools[route.place]

    def memory_place(self, route: R) -> str:
        """Name the place under which pupils' ids of one school are remembered."""
        return f"{self.name} {self.connection.host} {route.place}"

    def _not_tried(self, why: DeliveryError) -> TransientDeliveryError:
        """Say that a delivery was not tried, since the one before it found nobody at the other end."""
        wait = why.retry_after if isinstance(why, TransientDeliveryError) else None
        words = f"{self.vendor} stopped taking marks just before. We have not sent these."
        return TransientDeliveryError(words, code=why.code, retry_after=wait)

    def _wire_now(self) -> Wire:
        if self._wire is None:
            self.open()
        return cast("Wire", self._wire)


def _place(delivery: Delivery) -> str:
    return cast("RegisterRoute", delivery.route).place
