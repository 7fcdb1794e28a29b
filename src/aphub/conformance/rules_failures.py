"""Rules about a delivery that goes wrong: named by what the hub does next."""

import threading
from datetime import timedelta

from aphub.api import (
    ConnectionSettings,
    Rendering,
    RouteSettings,
    Tools,
    TransientDeliveryError,
)
from aphub.conformance.far_sides import FarSide
from aphub.conformance.ground import Ground, Tried, rule, taken_reports

_SLACK = timedelta(seconds=5)


class FailureRules(Ground):
    """What is said when it goes wrong, and how soon."""

    @rule()
    def test_tries_once_and_leaves_retrying_to_the_hub(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """One delivery is begun at most once, even when the far side is busy or hangs up."""
        for number, mood in enumerate(("is_busy", "refuses", "cuts_off_after_reading")):
            message = self.message_about(50 + number, thread=f"once {mood}")
            delivery = self.delivery(connection, route, rendering, message=message)
            getattr(far_side, mood)()
            before = far_side.tries
            self.attempt(connection, tools, delivery)
            begun = far_side.tries - before
            far_side.accepts()
            most = max(1, len(delivery.documents)) if not self.adapter_class.writes_register else 1
            assert begun <= most, f"In the mood '{mood}' it was tried {begun} times."

    @rule()
    def test_says_refused_when_refused(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """A plain no is an error or answers that the hub does not retry."""
        delivery = self.delivery(connection, route, rendering)
        far_side.refuses()
        tried = self.attempt(connection, tools, delivery)
        # What claims to be taken is judged by the rule about taking.
        assert tried.word in {"refused", "taken"}, f"The far side said no, and the adapter said {tried.word}."

    @rule()
    def test_says_transient_when_nothing_was_sent(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """Not reached or busy: try again, after the time that the far side asked for."""
        delivery = self.delivery(connection, route, rendering)
        for mood in ("is_unreachable", "is_busy"):
            getattr(far_side, mood)()
            tried = self.attempt(connection, tools, delivery)
            far_side.accepts()
            assert tried.word in {"transient", "taken"}, (
                f"In the mood '{mood}' nothing was sent, and the adapter said {tried.word}."
            )
            wait = far_side.asks_to_wait
            if mood == "is_busy" and wait is not None and isinstance(tried.error, TransientDeliveryError):
                passed_on = tried.error.retry_after
                assert passed_on is not None, "The far side said how long to wait, and that was dropped."
                assert abs(passed_on - wait) <= _SLACK, (
                    "The far side asked for another wait than was passed on."
                )

    @rule()
    def test_says_uncertain_when_it_may_have_arrived(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """The far side read it and left without an answer: nobody may guess."""
        delivery = self.delivery(connection, route, rendering)
        far_side.cuts_off_after_reading()
        tried = self.attempt(connection, tools, delivery)
        assert tried.word == "uncertain", f"The answer was lost, and the adapter said {tried.word}."

    @rule()
    def test_ends_within_its_time_limit(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """A far side that falls silent costs no more than the time that the settings allow."""
        delivery = self.delivery(connection, route, rendering)
        far_side.falls_silent()
        tried: list[Tried] = []
        thread = threading.Thread(
            target=lambda: tried.append(self.attempt(connection, tools, delivery)), daemon=True
        )
        thread.start()
        thread.join(self.time_limit)
        ended = not thread.is_alive()
        far_side.accepts()
        thread.join(self.time_limit)
        assert ended, f"It had not ended after {self.time_limit} seconds."
        assert tried, "It ended with something other than a result or a delivery error."

    @rule()
    def test_closes_twice_without_complaint(
        self,
        connection: ConnectionSettings,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """Closing needs no opening before it, may be repeated, and bears a far side that has gone."""
        adapter = self.adapter_class(connection, tools)
        adapter.close()
        adapter.open()
        adapter.close()
        adapter.close()
        gone = self.adapter_class(connection, tools)
        gone.open()
        far_side.is_unreachable()
        gone.close()
        gone.close()

    @rule(owed_if="looks_up")
    def test_looks_up_what_became_of_a_delivery(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """It knows what arrived, what never did, and settles a lost answer; looking begins nothing."""
        arrived, lost, never = (
            self.delivery(
                connection, route, rendering, message=self.message_about(n, thread=f"looked up {n}")
            )
            for n in (60, 61, 62)
        )
        self.attempt(connection, tools, arrived)
        far_side.cuts_off_after_reading()
        self.attempt(connection, tools, lost)
        far_side.accepts()
        before = far_side.tries
        adapter = self.adapter_class(connection, tools)
        adapter.open()
        try:
            answers = [adapter.look_up(delivery) for delivery in (arrived, lost, never)]
        finally:
            adapter.close()
        for delivery, answer in zip((arrived, lost), answers, strict=False):
            assert answer is not None, "The far side has it, and looking it up did not find it."
            assert taken_reports(answer) == set(delivery.reports), "It was found, but not all its reports."
        assert answers[2] is None, "Something was found that was never sent."
        assert far_side.tries == before, "Looking it up began a delivery."

    @rule(owed_if="follows_up")
    def test_follows_up_without_beginning_anything(
        self,
        connection: ConnectionSettings,
        route: RouteSettings,
        rendering: Rendering,
        far_side: FarSide,
        tools: Tools,
    ) -> None:
        """Asking later gives nothing yet, or one answer a report, and starts no second delivery."""
        delivery = self.delivery(connection, route, rendering)
        tried = self.attempt(connection, tools, delivery)
        assert tried.result is not None, f"All was accepted, and the adapter said {tried.word}."
        before = far_side.tries
        adapter = self.adapter_class(connection, tools)
        adapter.open()
        try:
            answer = adapter.follow_up(delivery, tried.result.reference)
        finally:
            adapter.close()
        assert far_side.tries == before, "Following up began a delivery."
        if answer is not None:
            answered = sorted(one.report for one in answer.results)
            assert answered == sorted(delivery.reports), "Not one answer for each report."
