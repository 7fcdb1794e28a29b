"""Before the day: the hub is made, people are imported, and every way to a school is checked, tested and approved."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy

from aphub.clock import PlayedClock
from aphub.demo.day import at
from aphub.demo.display import Display
from aphub.demo.far_sides import FarSides
from aphub.demo.folder import Folder
from aphub.demo.pupils import PROVIDERS, import_file
from aphub.domain.errors import AphubError
from aphub.hub import Hub, create_hub, keep_played_time, open_hub
from aphub.sealing import MasterKey
from aphub.services import approve, people
from aphub.services.desk import Desk
from aphub.services.routes import Route

OFFICE, HEAD = "Jo Weaver, office", "Sam Heddle, head"
"""Two people, since nobody approves alone."""
AT_THE_SCHOOL = "Kim Archer, attendance officer"

LOCKED = ".p7m"
_CODE = re.compile(r"(?:back to us by phone: |TEST code )([0-9]{6})")


class NotReadyError(AphubError):
    """Something on the way to the day did not work; a real hub would say so too."""


def make_hub(folder: Folder, sides: FarSides, clock: PlayedClock) -> Hub:
    """Make the played hub, give it its secrets, and publish its configuration."""
    folder.write_config(sides.filled())
    create_hub(folder.home, MasterKey.generate(), simulated=True)
    hub = open_hub(folder.home, clock=clock)
    for provider in PROVIDERS:
        folder.inbox(provider).mkdir(parents=True, exist_ok=True)
    for name, secret in sides.secrets().items():
        hub.keys.set_secret(name, secret, clock.now())
    hub.apply(OFFICE)
    keep_played_time(hub)
    return hub


def import_people(hub: Hub, folder: Folder) -> Iterator[str]:
    """Import each provider's pupils, placements and recipients from a file; say what came of it."""
    for desk in hub.desks():
        file = folder.people / f"{desk.slug}.csv"
        file.write_bytes(import_file(desk.slug))
        counts = people.take_people(
            desk, people.read_people(desk, file.name, file.read_bytes()), OFFICE
        ).counts
        yield f"{desk.config.provider.name}: {counts.pupils_new} invented pupils imported"


def go_live(hub: Hub, clock: PlayedClock, display: Display, sides: FarSides) -> None:
    """Walk every channel from draft to live, as people would: check, TEST, code read back, second person.

    Raises:
        NotReadyError: A step failed.
    """
    ways = [(desk, route) for desk in hub.desks() for route in desk.routes.everything()]
    for desk, route in ways:
        steps = approve.check(hub, desk, route.organisation, route.channel)
        if failed := [step for step in steps if not step.ok]:
            raise NotReadyError(f"The check of {route.organisation} failed: {failed[0].step}.")
    display.say(clock.now(), f"{len(ways)} ways to schools and councils checked, step by step")
    clock.advance(timedelta(minutes=30))
    codes = [_test(hub, desk, route, sides) for desk, route in ways]
    display.move(clock.now(), sides.arrived())
    display.say(clock.now(), "TEST messages sent, with invented pupils and a code to read back")
    clock.advance(timedelta(minutes=60))
    for (desk, route), code in zip(ways, codes, strict=True):
        approve.read_back(desk, route.organisation, route.channel, code, OFFICE)
    display.say(clock.now(), "Every code read back by phone")
    clock.advance_to(at("15:00", clock.now().date()))
    for desk, route in ways:
        approve.approve(desk, route.organisation, route.channel, HEAD)
    display.say(clock.now(), "All approved by a second person: live")
    keep_played_time(hub)


def _test(hub: Hub, desk: Desk, route: Route, sides: FarSides) -> str:
    """Send a TEST and be the school: open what arrived and read the code, or give a name for a register."""
    sent = approve.test_report(hub, desk, route.organisation, route.channel, OFFICE)
    if not sent.by_code:
        return AT_THE_SCHOOL
    for text in (sent.script, *_arrived(sides, sent.reference)):
        if found := _CODE.search(text):
            return found.group(1)
    raise NotReadyError(f"The TEST message to {route.organisation} did not arrive.")


def _arrived(sides: FarSides, reference: str) -> Iterator[str]:
    for mail in reversed(sides.smtp.received):
        # Reading a mail whole takes milliseconds, so only the one that is looked for is read.
        if reference.encode() in mail.raw:
            body = message_from_bytes(mail.raw, policy=policy.default).get_body(("plain",))
            yield body.get_content() if body is not None else ""
    for name, content in sides.files().items():
        if reference in name:
            yield (sides.opened(content) if name.endswith(LOCKED) else content).decode()
