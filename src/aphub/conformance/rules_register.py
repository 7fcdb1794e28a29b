"""Rules about a school's own register: whose marks stand, what counts as there, and whose id is whose."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aphub.api import (
    Answer,
    ConnectionSettings,
    Delivery,
    DeliveryError,
    DeliveryResult,
    RefusedDeliveryError,
    Rendering,
    RouteSettings,
    Rung,
    Tools,
    UncertainDeliveryError,
)
from aphub.conformance.ground import Ground, marks_of, rule, taken_reports
from aphub.conformance.register_far_side import RegisterFarSide
from aphub.sandbox.certificates import CertificateKind
from aphub.testing import PLANTED_SECRET, SAMPLE_DAY, invented_pupil

_STRANGER = 999
"""A pupil whom the kit's school has not enrolled."""
_OFTEN = 5


class Remembering:
    """A memory in the process, as the hub lends one that is sealed."""

    def __init__(self) -> None:
        """Begin knowing nobody."""
        self.known: dict[tuple[str, str], str] = {}

    def recall(self, place: str, upns: Sequence[str]) -> dict[str, str]:
        """Give what is known."""
        return {upn: self.known[place, upn] for upn in upns if (place, upn) in self.known}

    def remember(self, place: str, ids: Mapping[str, str]) -> None:
        """Keep them."""
        self.known |= {(place, upn): pupil_id for upn, pupil_id in ids.items()}

    def forget(self, place: str, upns: Sequence[str]) -> None:
        """Forget them."""
        for upn in upns:
            self.known.pop((place, upn), None)


class RegisterRules(Ground):
    """What an adapter owes to whoever answers for a school's register; the far side is a `RegisterFarSide`."""

    @rule()
    def test_counts_only_what_was_read_back(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RegisterFarSide,
        tools: Tools,
    ) -> None:
        """Handing over is not yet accepted; asking later says accepted, and the register shows every mark."""
        delivery = self.delivery(connection, route, rendering)
        result, later = self._played(connection, tools, delivery)
        assert result.rung is Rung.HANDED_OVER, "It was called accepted before anybody had looked."
        assert {one.answer for one in result.results} == {Answer.PENDING}
        assert later is not None, "It was written, and asking later did not say so."
        assert later.rung is Rung.ACCEPTED
        assert {one.answer for one in later.results} == {Answer.TAKEN}
        assert far_side.written == marks_of(delivery)

    @rule()
    def test_leaves_a_mark_of_the_schools_own_as_it_is(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RegisterFarSide,
        tools: Tools,
    ) -> None:
        """Another mark by the school stands, and the report is told apart from those that could be written."""
        delivery = self.delivery(connection, route, rendering)
        theirs = delivery.rows[0]["upn"]
        far_side.marks_by_hand(theirs, SAMPLE_DAY, "AM", "I")
        result, later = self._played(connection, tools, delivery)
        for said in (result, later):
            assert said is not None
            answers = {one.report: one.answer for one in said.results}
            assert answers.pop(delivery.row_reports[0]) is Answer.DIFFERS, "The school's mark was not told."
            assert Answer.DIFFERS not in answers.values()
        assert theirs not in {mark.upn for mark in far_side.written}, (
            "The school's own mark was written over."
        )

    @rule()
    def test_writes_nothing_about_a_pupil_or_code_that_the_school_has_not(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RegisterFarSide,
        tools: Tools,
    ) -> None:
        """An unknown number, and a signed code that their table lacks, are answered "not expressible"."""
        far_side.lacks_code("N")
        message = self.message_about(1, 2, _STRANGER, thread="unknown")
        delivery = self.delivery(connection, route, rendering, message=message)
        result, _ = self._played(connection, tools, delivery)
        answers = {row["upn"]: one.answer for row, one in zip(delivery.rows, result.results, strict=True)}
        assert answers[invented_pupil(1).upn] is Answer.PENDING
        assert answers[invented_pupil(2).upn] is Answer.NOT_EXPRESSIBLE, "A code was written that they lack."
        assert answers[invented_pupil(_STRANGER).upn] is Answer.NOT_EXPRESSIBLE
        assert {mark.upn for mark in far_side.written} == {invented_pupil(1).upn}

    @rule()
    def test_says_of_each_report_whether_it_is_there_when_only_half_was_taken(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RegisterFarSide,
        tools: Tools,
    ) -> None:
        """Whatever they claim of a write of which they took half, only what the register shows is taken."""
        for number, claim in enumerate(("failed", "success")):
            message = self.message_about(*range(70 + 4 * number, 74 + 4 * number), thread=claim)
            delivery = self.delivery(connection, route, rendering, message=message)
            far_side.stand_in.half_fails(says=claim)
            _, said = self._played(connection, tools, delivery, past_deadline=True)
            far_side.accepts()
            assert said is not None, "Nothing was said of it when its time was over."
            there = marks_of(delivery) & far_side.written
            assert 0 < len(there) < len(delivery.rows), "The far side did not take half."
            assert marks_of(delivery, taken_reports(said)) == there, (
                f"They said {claim}, and it was believed."
            )

    @rule()
    def test_believes_no_answer_twice(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RegisterFarSide,
        tools: Tools,
    ) -> None:
        """A server that answers twice does not answer the next question with its last answer."""
        far_side.stand_in.answers_twice()
        for number in range(80, 83):
            message = self.message_about(number, thread=f"twice {number}")
            delivery = self.delivery(connection, route, rendering, message=message)
            tried = self.attempt(connection, tools, delivery)
            if tried.result is not None:
                taken = marks_of(delivery, taken_reports(tried.result))
                assert taken <= far_side.written, "An answer to something else was taken for ours."
        far_side.accepts()

    @rule()
    def test_remembers_whose_id_is_whose_until_it_is_refused(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RegisterFarSide,
        tools: Tools,
    ) -> None:
        """A number is looked up once, also by the next burst; one that they refuse is looked up again."""
        memory = Remembering()
        lent = replace(tools, memory=memory)
        pupil = invented_pupil(90)
        about = [self.message_about(90, thread=f"remembered {number}") for number in range(3)]
        first, second, third = (
            self.delivery(connection, route, rendering, message=message) for message in about
        )
        self._played(connection, lent, first)
        assert far_side.asked_for_pupils, "No pupil was looked up."
        assert len(memory.known) == 1, "Not just this pupil was remembered."
        asked = far_side.asked_for_pupils
        far_side.forgets_marks()
        self._played(connection, lent, second)
        assert far_side.asked_for_pupils == asked, "A pupil whose id was known was looked up again."
        far_side.forgets_marks()
        far_side.enrols_again(pupil.upn)
        result, _ = self._played(connection, lent, third)
        assert far_side.asked_for_pupils > asked, "An id that they refused was not looked up again."
        assert taken_reports(result) == set(third.reports)
        assert pupil.upn in {mark.upn for mark in far_side.written}

    @rule()
    def test_tells_an_impostor_nothing(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RegisterFarSide,
        tools: Tools,
    ) -> None:
        """A server that cannot prove who it is hears neither secret nor pupil, and that is not mended by waiting."""
        delivery = self.delivery(connection, route, rendering)
        for kind in (CertificateKind.EXPIRED, CertificateKind.WRONG_NAME, CertificateKind.SELF_SIGNED):
            far_side.stand_in.shows_certificate(kind)
            tried = self.attempt(connection, tools, delivery)
            assert isinstance(tried.error, RefusedDeliveryError), (
                f"{kind.name}: it was said to be {tried.word}."
            )
        far_side.accepts()
        assert PLANTED_SECRET.encode() not in far_side.everything

    @rule()
    def test_settles_an_answer_that_came_too_late(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RegisterFarSide,
        tools: Tools,
    ) -> None:
        """Taken, and said too late: a doubt, which the register settles without a second write."""
        delivery = self.delivery(connection, route, rendering)
        far_side.stand_in.answers_late(30)
        tried = self.attempt(connection, tools, delivery)
        far_side.accepts()
        assert isinstance(tried.error, UncertainDeliveryError), f"It was said to be {tried.word}."
        tries = far_side.tries
        again = self.attempt(connection, tools, delivery)
        assert again.result is not None
        assert {one.answer for one in again.result.results} == {Answer.ALREADY_THERE}
        assert far_side.tries == tries, "It was written a second time."

    def _played(
        self,
        connection: ConnectionSettings,
        tools: Tools,
        delivery: Delivery,
        *,
        past_deadline: bool = False,
    ) -> tuple[DeliveryResult, DeliveryResult | None]:
        """Deliver, then ask later as often as a hub would at least."""
        after = delivery.deadline + timedelta(minutes=1)
        adapter: Any = self.adapter_class(connection, tools)
        patient: Any = self.adapter_class(
            connection, replace(tools, now=lambda: after) if past_deadline else tools
        )
        try:
            result = adapter.deliver(delivery)
            for _ in range(_OFTEN):
                later = patient.follow_up(delivery, result.reference)
                if later is not None:
                    return result, later
        except DeliveryError as exc:
            raise AssertionError(f"It went wrong where all was accepted: {exc}") from exc
        finally:
            adapter.close()
            patient.close()
        return result, None
