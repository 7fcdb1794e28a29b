"""Rules about a delivery that goes well: what arrives, and what is said of it."""

import threading
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from aphub.api import (
    ConnectionSettings,
    DeliveryResult,
    Document,
    Rendering,
    Repeat,
    RouteSettings,
    Tools,
)
from aphub.conformance.far_sides import MOODS, FarSide, RowFarSide
from aphub.conformance.ground import (
    SOME_EXAMPLES,
    Ground,
    marks_of,
    rule,
    taken_reports,
)
from aphub.testing import PLANTED_PUPIL


class DeliveryRules(Ground):
    """What arrives, and what is said of it."""

    @rule(owed_if="documents")
    @SOME_EXAMPLES
    @given(data=st.data())
    def test_sends_the_frozen_documents_byte_for_byte(
        self,
        data: st.DataObject,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """Whatever bytes were frozen arrive unchanged, under their own name where names are kept."""
        before = Counter((kept.content, kept.name) for kept in far_side.received)
        number = sum(before.values())
        document = Document(
            f"{number}-{data.draw(self.names)}", "application/octet-stream", data.draw(self.contents)
        )
        delivery = self.delivery(connection, route, rendering, documents=(document,))
        tried = self.attempt(connection, tools, delivery)
        if tried.word == "refused":
            return  # an adapter may decline what it would never compose; what it takes must arrive
        assert tried.word == "taken", f"The far side takes everything, and the adapter said {tried.word}."
        new = Counter((kept.content, kept.name) for kept in far_side.received) - before
        contents = [content for content, _ in new.elements()]
        assert contents in ([document.content], []), "Something else arrived than the frozen bytes."
        assert contents or document.content in {content for content, _ in before}, "Nothing arrived."
        if far_side.keeps_names:
            assert [name for _, name in new.elements()] == [document.name], "It arrived under another name."

    @rule(owed_if="writes_register")
    def test_sends_the_rows_and_nothing_else(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RowFarSide,
        tools: Tools,
    ) -> None:
        """Exactly the marks of the reports said to be taken are written, and no pupil is named."""
        delivery = self.delivery(connection, route, rendering)
        tried = self.attempt(connection, tools, delivery)
        assert tried.result is not None, f"The register takes everything, and the adapter said {tried.word}."
        taken = taken_reports(tried.result)
        assert taken, "The register takes everything, and the adapter says it took nothing."
        assert far_side.written == marks_of(delivery, taken), (
            "Other marks were written than those said to be taken."
        )
        sent = far_side.everything.lower()
        for word in (PLANTED_PUPIL.given_name, PLANTED_PUPIL.family_name):
            assert word.lower().encode() not in sent, "A pupil's name was sent beside the rows."

    @rule(owed_if="writes_register")
    def test_writes_only_codes_that_the_school_signed_for(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: RowFarSide,
        tools: Tools,
    ) -> None:
        """A code outside the school's list is answered "not expressible" and never written."""
        delivery = self.delivery(connection, route, rendering, may_write=frozenset({"N"}))
        self.attempt(connection, tools, delivery)
        written = {mark.code for mark in far_side.written}
        assert written <= {"N"}, "A code was written that the school did not sign for."

    @rule()
    def test_says_taken_only_when_the_far_side_has_it(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """In every mood: what is said to be taken lies there; with everything accepted, it is said."""
        for number, mood in enumerate(MOODS):
            message = self.message_about(10 + number, 20 + number, thread=mood)
            delivery = self.delivery(connection, route, rendering, message=message)
            getattr(far_side, mood)()
            tried = self.attempt(connection, tools, delivery)
            far_side.accepts()
            if tried.result is not None and taken_reports(tried.result):
                has = self.has(far_side, delivery, taken_reports(tried.result))
                assert has, f"In the mood '{mood}' it was said to be taken, and it is not there."
            assert mood != "accepts" or tried.word == "taken", f"All was accepted, and it said {tried.word}."

    @rule()
    def test_answers_for_every_report_exactly_once(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,  # noqa: ARG002 - the connection reaches it
        tools: Tools,
    ) -> None:
        """One answer a report, alone and in a burst; one answer a delivery in a burst."""
        messages = [self.message_about(*pupils, thread=f"burst {pupils}") for pupils in ((30,), (31, 32, 33))]
        one, *burst = [
            self.delivery(connection, route, rendering, message=message)
            for message in (self.message_about(34, 35, 36, thread="alone"), *messages)
        ]
        answers: list[tuple[str, object]] = []
        adapter = self.adapter_class(connection, tools)
        adapter.open()
        try:
            answers.append((one.key, adapter.deliver(one)))
            answers.extend(adapter.deliver_many(burst))
        finally:
            adapter.close()
        keys = [key for key, _ in answers]
        assert sorted(keys) == sorted(d.key for d in (one, *burst)), "Not one answer for each delivery."
        by_key = dict(answers)
        for delivery in (one, *burst):
            result = by_key[delivery.key]
            assert isinstance(result, DeliveryResult), "All was accepted, and an error came back."
            answered = sorted(report.report for report in result.results)
            assert answered == sorted(delivery.reports), "Not one answer for each report."

    @rule()
    def test_carries_nothing_from_one_delivery_to_the_next(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """Two in a row over one connection, and two at once over two, bring what each one holds and no more."""
        deliveries = [
            self.delivery(connection, route, rendering, message=self.message_about(n, thread=f"carried {n}"))
            for n in (40, 41, 42, 43)
        ]
        adapter = self.adapter_class(connection, tools)
        adapter.open()
        try:
            for delivery in deliveries[:2]:
                adapter.deliver(delivery)
        finally:
            adapter.close()
        threads = [
            threading.Thread(target=self.attempt, args=(connection, tools, delivery))
            for delivery in deliveries[2:]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if isinstance(far_side, RowFarSide):
            expected = frozenset().union(*(marks_of(delivery) for delivery in deliveries))
            assert far_side.written == expected, "What was written is not what the four deliveries hold."
        else:
            sent = Counter(document.content for delivery in deliveries for document in delivery.documents)
            arrived = Counter(kept.content for kept in far_side.received)
            assert arrived == sent, "What arrived is not what the four deliveries hold."

    @rule(owed_if="repeatable")
    def test_a_second_identical_delivery_does_what_was_declared(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """`harmless`: nothing changes there; `recognisable`: it carries the same identity."""
        delivery = self.delivery(connection, route, rendering)
        self.attempt(connection, tools, delivery)
        first = self._state(far_side)
        again = self.attempt(connection, tools, delivery)
        if self.adapter_class.repeat is Repeat.HARMLESS:
            assert self._state(far_side) == first, "The repetition changed what lies at the far side."
            assert again.word == "taken", f"The far side has it already, and the adapter said {again.word}."
        else:
            identities = {kept.identity for kept in far_side.received}
            assert len(identities) == 1, "The repetition came under another identity."
            assert all(identities), "The deliveries carry no identity that could be recognised."

    @staticmethod
    def _state(far_side: FarSide) -> object:
        if isinstance(far_side, RowFarSide):
            return far_side.written
        return sorted((kept.name, kept.content) for kept in far_side.received)
