"""Any adapter with its far side taken away: what it composes is real, and what it would have sent is remembered."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aphub.api.adapters import AnyAdapter, CheckStep, Delivery, DeliveryResult, RouteSettings, Rung
from aphub.api.errors import DeliveryError


@dataclass(frozen=True, slots=True)
class Recorded:
    """One delivery as it would have left: when, by which adapter, and all that was in it."""

    at: datetime
    adapter: str
    delivery: Delivery = field(repr=False)


@dataclass(slots=True)
class Recorder:
    """What was handed over through every stand-in made here; an adapter in `down` raises its error instead."""

    heard: list[Recorded] = field(default_factory=list, repr=False)
    down: dict[str, DeliveryError] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def stand_in(self, adapter: type[AnyAdapter]) -> type[AnyAdapter]:
        """Give an adapter with the same name, settings and documents that talks to nobody and takes everything.

        What it hands over is accepted at the rung that the real one reaches at once, and as accepted when asked after.
        """
        recorder = self

        class Recording(adapter):  # type: ignore[valid-type, misc]  # the base is only known here
            """Remembers instead of sending."""

            def open(self) -> None:
                """Refuse where this far side is down."""
                if (error := recorder.down.get(adapter.name)) is not None:
                    raise error

            def close(self) -> None:
                """Leave nothing open."""

            def deliver(self, delivery: Delivery) -> DeliveryResult:
                """Remember a delivery, and take it."""
                self.open()
                with recorder._guard:
                    recorder.heard.append(Recorded(self.tools.now(), adapter.name, delivery))
                return DeliveryResult.all_taken(
                    delivery, Rung.HANDED_OVER, reference=f"recorded-{len(recorder.heard)}"
                )

            def deliver_many(
                self, deliveries: Sequence[Delivery]
            ) -> Iterator[tuple[str, DeliveryResult | DeliveryError]]:
                """Deliver one by one."""
                return AnyAdapter.deliver_many(self, deliveries)

            def look_up(self, delivery: Delivery) -> DeliveryResult | None:
                """Find what was remembered."""
                known = any(one.delivery.key == delivery.key for one in recorder.heard)
                return DeliveryResult.all_taken(delivery, Rung.HANDED_OVER) if known else None

            def follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:
                """Say that it is in the far side's own system."""
                return DeliveryResult.all_taken(delivery, Rung.ACCEPTED, reference=reference)

            def check(self, route: RouteSettings) -> Iterator[CheckStep]:  # noqa: ARG002 - every route is well
                """Say that the way is open."""
                yield CheckStep("recorded", ok=adapter.name not in recorder.down)

        Recording.__name__ = adapter.__name__
        return Recording
