"""Rules about what a far side says later: by a place where answers are read, or by calling us."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.api import Call, Collected, ConnectionSettings, DeliveryError, LaterNews, Tools
from aphub.conformance.ground import SOME_EXAMPLES, Ground, rule
from aphub.conformance.later_far_sides import LaterFarSide
from aphub.testing import PLANTED, SAMPLE_NOW, search_for_planted

FIRST, SECOND = "RB-7Q4K2M9P-1", "RB-7Q4K2M9P-2"
_MOST_TURNS = 10


class LaterRules(Ground):
    """What is heard later: once, whole, and without leaving a trace; `collects` or `is_called` make them owed."""

    @pytest.fixture
    def later(self) -> Any:
        """Override where the adapter `collects`: the place in which answers arrive."""
        raise NotImplementedError("give a later fixture")

    @pytest.fixture
    def calls(self) -> Sequence[tuple[Call, str]]:
        """Override where the adapter `is_called`: calls that are theirs, each with their reference in it."""
        raise NotImplementedError("give a calls fixture")

    @rule(owed_if="collects")
    def test_hears_what_came_since_the_mark_and_names_each_thing_for_good(
        self, connection: ConnectionSettings, tools: Tools, later: LaterFarSide
    ) -> None:
        """What came is told once by its mark; asked again from the same mark, it is told under the same identity."""
        later.says(FIRST)
        heard = self._collected(connection, tools, "")
        assert [one.about[0] for one in heard.news] == [FIRST], "It did not hear the one thing that was said."
        assert heard.mark, "Without a mark the same is read for ever."
        again = self._collected(connection, tools, "")
        assert [one.identity for one in again.news] == [one.identity for one in heard.news], (
            "The same thing has two identities, so it would be taken twice."
        )
        assert self._collected(connection, tools, heard.mark).news == (), "It told something twice."
        later.says(SECOND)
        more = self._collected(connection, tools, heard.mark)
        assert [one.about[0] for one in more.news] == [SECOND], "It did not go on from the mark."
        assert {one.identity for one in more.news}.isdisjoint(one.identity for one in heard.news), (
            "Two things have one identity, so the second would be lost."
        )

    @rule(owed_if="collects")
    def test_changes_nothing_where_answers_arrive(
        self, connection: ConnectionSettings, tools: Tools, later: LaterFarSide
    ) -> None:
        """People read the same mailbox: nothing is marked, moved or deleted."""
        later.says(FIRST)
        self._collected(connection, tools, "")
        assert later.changes == 0, "Reading has changed something there."

    @rule(owed_if="collects")
    def test_leaves_alone_what_is_about_nothing_of_ours(
        self, connection: ConnectionSettings, tools: Tools, later: LaterFarSide
    ) -> None:
        """A mailbox holds other mail too; it is read past, and never taken for an answer."""
        later.says_nothing_of_ours()
        later.says(FIRST)
        heard = self._collected(connection, tools, "")
        assert [one.about for one in heard.news if one.about] == [(FIRST,)], "It heard what was not said."

    @rule(owed_if="collects")
    def test_says_that_it_cannot_listen(
        self, connection: ConnectionSettings, tools: Tools, later: LaterFarSide
    ) -> None:
        """Nobody there is not the same as nothing said: an error, with words, and what was there comes next time."""
        later.says(FIRST)
        later.is_unreachable()
        with pytest.raises(DeliveryError) as failed:
            self._collected(connection, tools, "")
        assert failed.value.words, "It does not say why it cannot listen."
        later.accepts()
        assert [one.about[0] for one in self._collected(connection, tools, "").news] == [FIRST]

    @rule(owed_if="collects")
    def test_keeps_what_was_said_out_of_logs_and_reprs(
        self,
        connection: ConnectionSettings,
        tools: Tools,
        later: LaterFarSide,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """People name children in their answers: their words go to the hub, which seals them, and nowhere else."""
        later.says(FIRST)
        with caplog.at_level(logging.DEBUG):
            heard = self._collected(connection, tools, "")
        printed = capsys.readouterr()
        said = [one.what + one.code + one.identity for one in heard.news]
        seen = [repr(heard), caplog.text, printed.out, printed.err, *said]
        leaks = search_for_planted(*seen, planted=PLANTED)
        assert not leaks, f"{len(leaks)} names from an answer can be read."

    @rule(owed_if="is_called")
    @SOME_EXAMPLES
    @given(body=st.binary(max_size=300), kind=st.sampled_from(["application/json", "text/plain", ""]))
    def test_hears_only_calls_that_are_theirs(
        self,
        body: bytes,
        kind: str,
        connection: ConnectionSettings,
        tools: Tools,
        calls: Sequence[tuple[Call, str]],
    ) -> None:
        """A call of theirs gives their reference; whatever else comes gives None, and never an error."""
        adapter = self.adapter_class(connection, tools)
        for call, reference in calls:
            heard = adapter.hear(call)
            assert heard is not None, "A call of theirs was not heard."
            assert heard.reference == reference, "A call was taken for another write's."
            assert heard.reference not in {"", None}
        stranger = Call({}, {"content-type": kind}, body, SAMPLE_NOW)
        assert adapter.hear(stranger) is None, "A stranger's call was heard."

    def _collected(self, connection: ConnectionSettings, tools: Tools, after: str) -> Collected:
        """Collect as the hub does: without opening, turn by turn, closed at the end."""
        adapter = self.adapter_class(connection, tools)
        news: list[LaterNews] = []
        mark = after
        try:
            for _ in range(_MOST_TURNS):
                collected = adapter.collect(mark)
                news += collected.news
                mark = collected.mark
                if not collected.more:
                    break
        finally:
            adapter.close()
        return Collected(mark, tuple(news))
