"""The kit's rules, with people at the far side: a call is what was recorded of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from aphub.api import (
    CallResult,
    Delivery,
    PhoneCall,
    RefusedDeliveryError,
    Rung,
    TransientDeliveryError,
)
from aphub.conformance import DeliveryAdapterRules, Kept
from aphub.testing import (
    PLANTED_PUPIL,
    sample_delivery,
    sample_message,
    sample_outbound,
    sample_report,
    sample_tools,
)
from aphub_phone import PhoneAdapter, PhoneConnection, PhoneRoute

ROUTE = PhoneRoute(number="01632 960101")
AT = datetime(2026, 3, 3, 9, 20, tzinfo=UTC)


class SchoolOffice:
    """People at a school who answer their telephone, or do not."""

    asks_to_wait = None
    keeps_names = False
    addresses = frozenset()

    def __init__(self):
        self.received, self.tries, self._comes = [], 0, CallResult.ANSWERED

    def rings(self, delivery: Delivery) -> PhoneCall | None:
        self.tries += 1
        if self._comes is None:
            return None
        if self._comes in {CallResult.ANSWERED, CallResult.CUT_OFF}:
            self.received += [Kept(one.content, one.name, delivery.key) for one in delivery.documents]
        return PhoneCall(self._comes, "Jo Weaver, office", AT, "Ms Example, attendance", repeated=True)

    def accepts(self):
        self._comes = CallResult.ANSWERED

    def refuses(self):
        self._comes = CallResult.REFUSED

    def is_busy(self):
        self._comes = CallResult.ENGAGED

    def is_unreachable(self):
        self._comes = CallResult.NO_ANSWER

    def cuts_off_after_reading(self):
        self._comes = CallResult.CUT_OFF

    def falls_silent(self):
        self._comes = None

    @property
    def everything(self):
        return b"".join(one.content for one in self.received)


class TestPhone(DeliveryAdapterRules):
    """Against people."""

    adapter_class = PhoneAdapter

    @pytest.fixture
    def far_side(self):
        return SchoolOffice()

    @pytest.fixture
    def connection(self):
        return PhoneConnection()

    @pytest.fixture
    def route(self):
        return ROUTE

    @pytest.fixture
    def tools(self, far_side):
        return replace(sample_tools(seconds=2.0), phone=far_side.rings)


def delivered(result: CallResult | None, *, repeated: bool = False):
    call = result and PhoneCall(result, "Jo Weaver", AT, "Ms Example", repeated=repeated)
    tools = replace(sample_tools(), phone=lambda _delivery: call)
    return PhoneAdapter(PhoneConnection(), tools).deliver(sample_delivery(PhoneAdapter, ROUTE))


def test_answered_call_is_handed_over_when_it_was_made_and_confirmed_where_it_was_repeated():
    told = delivered(CallResult.ANSWERED)
    assert (told.rung, told.at) == (Rung.HANDED_OVER, AT)
    assert told.evidence["answered by"] == "Ms Example"
    assert "Ms Example" not in repr(told)
    assert delivered(CallResult.ANSWERED, repeated=True).rung is Rung.CONFIRMED


@pytest.mark.parametrize(
    ("result", "kind", "code"),
    [
        (None, TransientDeliveryError, "not phoned yet"),
        (CallResult.NO_ANSWER, TransientDeliveryError, "no answer"),
        (CallResult.ENGAGED, TransientDeliveryError, "engaged"),
        (CallResult.VOICEMAIL, TransientDeliveryError, "voicemail"),
        (CallResult.WRONG_NUMBER, RefusedDeliveryError, "wrong number"),
        (CallResult.REFUSED, RefusedDeliveryError, "refused"),
    ],
)
def test_only_an_answer_is_an_answer(result, kind, code):
    with pytest.raises(kind) as said:
        delivered(result)
    assert said.value.code == code


def test_script_asks_who_is_speaking_before_it_names_anybody_and_gives_a_machine_no_name():
    message = sample_message([sample_report(PLANTED_PUPIL, 1)])
    [document] = PhoneAdapter.compose(sample_outbound(message), ROUTE)
    text = document.content.decode()
    before, _, message_words = text.partition("-" * 78)
    assert "01632 960101" in before
    assert "Ask who is speaking" in " ".join(before.split())
    assert "A voicemail never names a pupil" in " ".join(before.split())
    assert PLANTED_PUPIL.family_name not in before
    assert PLANTED_PUPIL.family_name in message_words
    [document] = PhoneAdapter.compose(sample_outbound(message), ROUTE.model_copy(update={"names": False}))
    assert PLANTED_PUPIL.family_name not in document.content.decode()


@pytest.mark.parametrize("number", ["12345", "office", "01632 9601", "+1 202 555 0100"])
def test_number_that_cannot_be_dialled_is_refused_with_how_to_write_it(number):
    with pytest.raises(ValueError, match="01632 960101"):
        PhoneRoute(number=number)
