"""What the tests of delivery share: two ways to a school, and a report ready to leave."""

from typing import Any

from aphub.api.errors import RefusedDeliveryError, TransientDeliveryError, UncertainDeliveryError
from tests.services.conftest import MakeWorld
from tests.world import Placed, School, World

BUSY = TransientDeliveryError("Their system is busy.", code="451")
NO_MAILBOX = RefusedDeliveryError("There is no such mailbox.", code="550 5.1.1")
LOST = UncertainDeliveryError("The answer was lost.")


def two_ways(make_world: MakeWorld, first: str = "told", second: str = "told", **options: Any) -> World:
    """Give a world with one school and two ways to it."""
    ways = (("first", first, "one"), ("second", second, "two"))
    return make_world(schools=[School(channels=ways)], **options)


def with_report(world: World) -> Placed:
    """Have one routine report ready to leave at 9:05."""
    sam = world.pupil()
    world.owe()
    world.at("09:05")
    world.enter(sam)
    return sam
