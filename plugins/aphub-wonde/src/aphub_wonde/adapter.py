"""The adapter: what is owed becomes marks in a school's own register, and is read back before it counts."""

import ssl
from collections.abc import Iterator, Sequence
from typing import ClassVar
from urllib.parse import quote

from aphub.api import (
    Answer,
    CheckStep,
    Delivery,
    DeliveryAdapter,
    DeliveryError,
    DeliveryResult,
    Document,
    Outbound,
    RefusedDeliveryError,
    Repeat,
    Report,
    Rung,
    Tools,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub_wonde import answers
from aphub_wonde.checking import steps
from aphub_wonde.expressible import why_not
from aphub_wonde.frozen import frozen_marks, is_test, marks_or_refusal, route_of
from aphub_wonde.marks import Mark, document_of, marks_of
from aphub_wonde.plan import Plan, Together, plan_of
from aphub_wonde.school import School
from aphub_wonde.settings import State, WondeConnection, WondeRoute
from aphub_wonde.wire import Reply, Wire, at, hide_queries

_LONGEST_EVIDENCE = 4000
_TRY_AGAIN = "Try again in a few minutes; if it stays so, ask Wonde"
_NOT_FOUND = "HTTP 404"
_NOT_SHOWN = "Wonde says that it was written, but the school's register does not show it."


class WondeAdapter(DeliveryAdapter[WondeConnection, WondeRoute]):
    """Writes session marks through Wonde; never over a mark that the school made or touched."""

    name = "wonde"
    connection_class = WondeConnection
    route_class = WondeRoute
    repeat = Repeat.HARMLESS
    reaches = Rung.ACCEPTED
    writes_register = True
    follows_up = True
    looks_up = True
    capabilities: ClassVar[dict[str, str]] = {
        "session marks": "yes",
        "lesson marks": "no: a lesson of ours is none of the school's timetable",
        "codes": "those that the school signed for and has in its own table, once each",
        "minutes late": "yes, as a number",
        "comment": "yes: code, minutes, kind of reason, our reference; no name, no free text",
        "absence notes, urgent news": "no: these go by another channel",
        "corrections": "of our own marks that nobody touched, where comments are on",
    }

    def __init__(self, connection: WondeConnection, tools: Tools) -> None:
        """Keep settings and tools; open nothing yet."""
        super().__init__(connection, tools)
        self._wire: Wire | None = None
        self._schools: dict[str, School] = {}

    @classmethod
    def compose(cls, outbound: Outbound, route: WondeRoute) -> tuple[Document, ...]:
        """Freeze the marks as one JSON document; UPNs stand where Wonde's ids will."""
        marks = marks_of(outbound.rows, comment=route.comment)
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
        hide_queries()
        options: dict[str, object] = {}
        if self.connection.ca_file is not None:
            try:
                options["verify"] = verifying = ssl.create_default_context(
                    cafile=str(self.connection.ca_file)
                )
                verifying.minimum_version = ssl.TLSVersion.TLSv1_2
            except OSError as exc:
                raise RefusedDeliveryError(
                    "The certificates in ca_file cannot be read. We have not sent anything.",
                    code=type(exc).__name__,
                    what_now="Check the path and that the file is PEM",
                ) from exc
        client = self.tools.http(
            base_url=self.connection.base_url,
            headers={
                "Authorization": f"Bearer {self.connection.token.get_secret_value()}",
                "Accept": "application/json",
            },
            timeout=self.connection.timeout_seconds,
            **options,
        )
        self._wire = Wire(client, self.connection.page_size, self.connection.most_pages)

    def close(self) -> None:
        """Close the connection and forget every pupil; a second call does nothing."""
        if self._wire is not None:
            self._wire.close()
        self._wire = None
        self._schools.clear()

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Read what stands there, then write what is missing, once and in one request."""
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
                together.setdefault(route_of(delivery).school_id, Together()).add(marks)
        unread = set(together)
        stopped: DeliveryError | None = None
        for delivery, marks in zip(deliveries, frozen, strict=True):
            if isinstance(marks, DeliveryError):
                yield delivery.key, marks
                continue
            if stopped is not None:
                yield delivery.key, _not_tried(stopped)
                continue
            school_id = route_of(delivery).school_id
            try:
                result: DeliveryResult | DeliveryError = self._deliver(
                    delivery, marks, together[school_id], fresh=school_id in unread
                )
                unread.discard(school_id)
            except DeliveryError as exc:
                result = exc
                stopped = exc if isinstance(exc, TransientDeliveryError | UncertainDeliveryError) else None
            yield delivery.key, result

    def look_up(self, delivery: Delivery) -> DeliveryResult | None:
        """Read the marks back after a doubt.

        None unless every mark that can stand there does. A write may still be queued at Wonde then; to write again is
        harmless, since a mark is written over by the same mark.
        """
        marks = frozen_marks(delivery)
        plan = self._plan(delivery, marks, Together(marks), fresh=True)
        if not plan.settled or not plan.any_there:
            return None
        return DeliveryResult(Rung.ACCEPTED, answers.read_back(plan, delivery, Answer.TAKEN))

    def follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:
        """Ask what became of a write-back, and read the marks back before they count; None while it is open.

        Raises:
            TransientDeliveryError: Wonde does not answer now.
            UncertainDeliveryError: Wonde will not say, so only the register itself can.
        """
        try:
            return self._follow_up(delivery, reference)
        except RefusedDeliveryError as exc:
            if exc.code == _NOT_FOUND:
                return None  # one number that they do not know, or not yet: the hub asks a person in the end
            # That they refuse the question says nothing about the marks.
            raise UncertainDeliveryError(exc.words, code=exc.code, what_now=exc.what_now) from exc

    def _follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:
        body = self._wire_now().read(f"writebacks/{quote(reference, safe='')}")
        word = at(body, self.connection.status_path)
        state = self.connection.state_of(word) if isinstance(word, str) else State.PENDING
        if state is State.PENDING:
            return None
        marks = frozen_marks(delivery)
        plan = self._plan(delivery, marks, Together(marks), fresh=False)
        if not plan.settled:  # what was read for an earlier question may be older than their word
            plan = self._plan(delivery, marks, Together(marks), fresh=True)
        words = _clip(answers.verbatim(body))
        if state is State.FAILED:
            absent = (Answer.REFUSED, words)
        elif plan.to_write and not plan.shows_ours and self.tools.now() < delivery.deadline:
            return None  # the school's system may show it later than Wonde says so
        else:
            absent = (Answer.DIFFERS, _NOT_SHOWN)
        results = answers.read_back(plan, delivery, Answer.TAKEN, absent)
        rung = Rung.ACCEPTED if plan.any_there else Rung.HANDED_OVER
        return DeliveryResult(rung, results, reference, {"status": str(word), "answer": words})

    def check(self, route: WondeRoute) -> Iterator[CheckStep]:
        """Prove token, school, permissions, codes, numbers and filters; sends no pupil's data."""
        opened_here = self._wire is None
        try:
            self.open()
            yield from steps(School(self._wire_now(), self.connection, route.school_id), self.tools.now())
        except DeliveryError as exc:
            mend = exc.what_now or _TRY_AGAIN
            yield CheckStep("Wonde answers us", ok=False, found=str(exc), mend=mend)
        finally:
            if opened_here:
                self.close()

    def _deliver(
        self, delivery: Delivery, marks: Sequence[Mark], together: Together, *, fresh: bool
    ) -> DeliveryResult:
        """Deliver one, reading for all of `together` where reading is needed."""
        school = self._school(delivery)
        school.require_writing()
        if is_test(delivery):
            return answers.for_test(delivery, sorted(delivery.may_write - school.code_ids().keys()))
        plan = self._plan(delivery, marks, together, fresh=fresh, writing=True)
        if not plan.to_write:
            rung = Rung.ACCEPTED if plan.any_there else Rung.PREPARED
            return DeliveryResult(rung, answers.read_back(plan, delivery, Answer.ALREADY_THERE))
        reply = self._write(plan)
        if reply.status == answers.UNPROCESSABLE:
            again = self._plan_anew(delivery, marks, plan)
            if again is None:
                return answers.refused(plan, delivery, _clip(reply.text), f"HTTP {reply.status}")
            plan, reply = again, self._write(again)
            if reply.status == answers.UNPROCESSABLE:
                return answers.refused(plan, delivery, _clip(reply.text), f"HTTP {reply.status}")
        return self._taken(plan, delivery, reply)

    def _write(self, plan: Plan) -> Reply:
        school = plan.school
        return self._wire_now().write(school.marks_path, {"attendance": plan.body()})

    def _plan_anew(self, delivery: Delivery, marks: Sequence[Mark], plan: Plan) -> Plan | None:
        """Find the pupils again: a 422 wrote nothing, and ids change with enrolment; None when none has changed."""
        upns = {mark.upn for mark in marks}
        known = plan.school.forget_students(upns)
        now = plan.school.students(upns)
        if all(now.get(upn, "") == student_id for upn, student_id in known.items()):
            return None
        again = self._plan(delivery, marks, Together(marks), fresh=True, writing=True)
        return again if again.to_write else None

    def _taken(self, plan: Plan, delivery: Delivery, reply: Reply) -> DeliveryResult:
        """Read what Wonde says to a write that it answered with a yes."""
        reference = at(reply.body, self.connection.reference_path)
        text = _clip(reply.text)
        if not isinstance(reference, str | int) or not str(reference):
            if reply.complaint:
                return answers.refused(plan, delivery, text, f"HTTP {reply.status}")
            raise UncertainDeliveryError(
                "Wonde said yes but gave no number to ask by. The marks may have arrived.",
                code=f"HTTP {reply.status}",
                what_now="If it happens again, ask Wonde where the write-back's id stands, and set reference_path",
            )
        evidence = {"writeback_id": str(reference), "answer": text}
        results = answers.pending(plan, delivery)
        return DeliveryResult(Rung.HANDED_OVER, results, str(reference), evidence, reply.hops)

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

    def _school(self, delivery: Delivery) -> School:
        school_id = route_of(delivery).school_id
        if school_id not in self._schools:
            self._schools[school_id] = School(self._wire_now(), self.connection, school_id)
        return self._schools[school_id]

    def _wire_now(self) -> Wire:
        if self._wire is None:
            self.open()
        if self._wire is None:  # pragma: no cover - open() has made it or raised
            raise TransientDeliveryError("The connection is not open.")
        return self._wire


def _not_tried(why: DeliveryError) -> TransientDeliveryError:
    """Say that a delivery was not tried, since the one before it found nobody at the other end."""
    wait = why.retry_after if isinstance(why, TransientDeliveryError) else None
    return TransientDeliveryError(
        "Wonde stopped taking marks just before. We have not sent these.", code=why.code, retry_after=wait
    )


def _clip(text: str) -> str:
    return text[:_LONGEST_EVIDENCE]
