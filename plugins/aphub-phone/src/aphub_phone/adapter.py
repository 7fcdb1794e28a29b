"""The telephone as a channel: a person delivers, and what they recorded is the far side's answer."""

from collections.abc import Iterator
from typing import ClassVar

from aphub.api import (
    CallResult,
    CheckStep,
    Delivery,
    DeliveryAdapter,
    DeliveryResult,
    Document,
    Outbound,
    PhoneCall,
    RefusedDeliveryError,
    Repeat,
    Rung,
    TransientDeliveryError,
    UncertainDeliveryError,
)
from aphub_phone.script import script
from aphub_phone.settings import PhoneConnection, PhoneRoute

_NOT_REACHED = {
    CallResult.NO_ANSWER: "Nobody answered.",
    CallResult.ENGAGED: "Their number was engaged.",
    CallResult.VOICEMAIL: "A machine answered, and a machine is told nothing about pupils.",
}
_REFUSED = {
    CallResult.WRONG_NUMBER: (
        "Their number is not in use.",
        "Ask the school for its number, and change `number`.",
    ),
    CallResult.REFUSED: ("They would not take it by telephone.", "Agree another way with them."),
}


class PhoneAdapter(DeliveryAdapter[PhoneConnection, PhoneRoute]):
    """Has a person telephone; only an answer counts, and a voicemail is none."""

    name = "phone"
    connection_class = PhoneConnection
    route_class = PhoneRoute
    repeat = Repeat.RECOGNISABLE
    reaches = Rung.CONFIRMED
    asks_person = True
    capabilities: ClassVar[dict[str, str]] = {
        "encryption": "none: a telephone line is as private as the rooms at its ends",
        "receipt": "a person wrote down who answered and when; confirmed where they repeated it",
        "protection": "no pupil is named before it is known who is speaking, and none to a machine",
    }

    @classmethod
    def compose(cls, outbound: Outbound, route: PhoneRoute) -> tuple[Document, ...]:
        """Write what to say; its name has only safe fields."""
        text = script(outbound, route).encode()
        return (Document(f"{outbound.message.file_stem}-script.txt", "text/plain", text),)

    def open(self) -> None:
        """Do nothing: the telephone stands on somebody's desk."""

    def close(self) -> None:
        """Nothing is held open."""

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Say what came of the newest call that a person recorded for this delivery.

        Raises:
            TransientDeliveryError: Nobody has phoned yet, or nobody answered.
            RefusedDeliveryError: The number is not in use, or they take nothing by telephone.
            UncertainDeliveryError: The line went while the message was read out.
        """
        call = self.tools.phone(delivery)
        if call is None:
            raise TransientDeliveryError("Nobody has phoned yet.", code="not phoned yet")
        code = call.result.value.replace("_", " ")
        if call.result is CallResult.ANSWERED:
            return _told(delivery, call)
        if call.result is CallResult.CUT_OFF:
            raise UncertainDeliveryError(
                "The line went while it was read out.",
                code=code,
                what_now="Phone again and ask what they heard.",
            )
        if call.result in _REFUSED:
            words, mend = _REFUSED[call.result]
            raise RefusedDeliveryError(words, code=code, what_now=mend)
        raise TransientDeliveryError(_NOT_REACHED[call.result], code=code)

    def check(self, route: PhoneRoute) -> Iterator[CheckStep]:
        """Say what is known without phoning; the TEST call proves the number and who answers there."""
        yield CheckStep("The number is written as a British number", ok=True, found=route.number)
        yield CheckStep("Somebody here makes the calls", ok=True, found=self.connection.staffed_by)


def _told(delivery: Delivery, call: PhoneCall) -> DeliveryResult:
    rung = Rung.CONFIRMED if call.repeated else Rung.HANDED_OVER
    taken = DeliveryResult.all_taken(delivery, rung)
    evidence = {
        "answered by": call.answered_by,
        "called by": call.called_by,
        "at": call.at.isoformat(),
        "repeated": "yes" if call.repeated else "no",
    }
    return DeliveryResult(taken.rung, taken.results, "", evidence, "by telephone, person to person", call.at)
