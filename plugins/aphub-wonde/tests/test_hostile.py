"""Each rule about registers can fail: an adapter that breaks it is caught by it."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from aphub.api import Answer, DeliveryResult, Rung, TransientDeliveryError
from aphub.conformance import RegisterAdapterRules, WondeFarSide
from aphub.sandbox.certificates import DemoAuthority
from aphub.testing import PLANTED_SECRET, plain_rendering, sample_tools
from aphub_wonde import WondeAdapter, WondeConnection, WondeRoute
from aphub_wonde.school import School


class ClaimsAtOnce(WondeAdapter):
    """Calls accepted what was only handed over."""

    def deliver(self, delivery):
        result = super().deliver(delivery)
        answers = tuple(replace(one, answer=Answer.TAKEN) for one in result.results)
        return replace(result, rung=Rung.ACCEPTED, results=answers)


class Blind(School):
    """Sees no mark, whoever made it."""

    def read_marks(self, days, pupil_ids):
        return {}


class Guessing(School):
    """Takes any code for the one that is lacking, and any pupil for the one who is not there."""

    def read_codes(self):
        known = list(super().read_codes())
        return known + [("N", known[0][1])] * all(letter != "N" for letter, _ in known)


class Forgetful(School):
    """Looks a pupil up each time, and remembers nothing."""

    def __init__(self, wire, connection, route, place, memory):
        super().__init__(wire, connection, route, place, sample_tools().memory)


class WritesBlindly(WondeAdapter):
    """Never looks before it writes."""

    def school(self, wire, route):
        return Blind(wire, self.connection, route, self.memory_place(route), self.tools.memory)


class GuessesCodes(WondeAdapter):
    """Writes another code where the school lacks ours."""

    def school(self, wire, route):
        return Guessing(wire, self.connection, route, self.memory_place(route), self.tools.memory)


class BelievesThem(WondeAdapter):
    """Takes their status for the register's."""

    def follow_up(self, delivery, reference):
        answer = super().follow_up(delivery, reference)
        return answer and DeliveryResult.all_taken(delivery, Rung.ACCEPTED, reference=reference)


class RemembersNobody(WondeAdapter):
    """Looks every pupil up again."""

    def school(self, wire, route):
        return Forgetful(wire, self.connection, route, self.memory_place(route), self.tools.memory)


class WaitsForAnImpostor(WondeAdapter):
    """Says that an impostor may be tried again later."""

    def deliver(self, delivery):
        try:
            return super().deliver(delivery)
        except Exception as exc:
            raise TransientDeliveryError("Not now.") from exc


class SaysTakenTwice(WondeAdapter):
    """Says that all was taken, whatever was answered to what."""

    def deliver(self, delivery):
        try:
            return super().deliver(delivery)
        except Exception:  # noqa: BLE001 - that is what is wrong with it
            return DeliveryResult.all_taken(delivery, Rung.HANDED_OVER)


HOSTILE: list[tuple[type[WondeAdapter], str]] = [
    (ClaimsAtOnce, "counts_only_what_was_read_back"),
    (WritesBlindly, "leaves_a_mark_of_the_schools_own_as_it_is"),
    (GuessesCodes, "writes_nothing_about_a_pupil_or_code_that_the_school_has_not"),
    (BelievesThem, "says_of_each_report_whether_it_is_there_when_only_half_was_taken"),
    (RemembersNobody, "remembers_whose_id_is_whose_until_it_is_refused"),
    (WaitsForAnImpostor, "tells_an_impostor_nothing"),
    (WritesBlindly, "settles_an_answer_that_came_too_late"),
    (SaysTakenTwice, "believes_no_answer_twice"),
]


class Rules(RegisterAdapterRules):
    """The rules, called one by one."""

    __test__ = False


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def kept(authority) -> Callable[[type[WondeAdapter], str], None]:
    """Hold an adapter to one rule, at a school of its own."""

    def run(adapter: type[WondeAdapter], rule: str) -> None:
        rules: Any = Rules()
        rules.adapter_class = adapter
        with closing(WondeFarSide(authority, token=PLANTED_SECRET)) as far_side:
            connection = WondeConnection(
                base_url=far_side.stand_in.url,
                token=SecretStr(PLANTED_SECRET),
                ca_file=authority.ca_path,
                timeout_seconds=0.5,
            )
            getattr(rules, f"test_{rule}")(
                connection=connection,
                route=WondeRoute(school_id=far_side.school.id),
                rendering=plain_rendering(),
                far_side=far_side,
                tools=sample_tools(seconds=1.0),
            )

    return run


@pytest.mark.parametrize(("adapter", "rule"), HOSTILE, ids=lambda one: getattr(one, "__name__", one))
def test_an_adapter_that_breaks_a_rule_is_caught_by_it(kept, adapter, rule):
    kept(WondeAdapter, rule)
    with pytest.raises(AssertionError):
        kept(adapter, rule)


def test_every_rule_about_registers_has_somebody_who_breaks_it():
    owed = {name.removeprefix("test_") for name in dir(RegisterAdapterRules) if name.startswith("test_")}
    more = owed - {name.removeprefix("test_") for name in dir(RegisterAdapterRules.__mro__[1])}
    assert {rule for _, rule in HOSTILE} == more
