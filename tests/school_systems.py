"""Stand-ins of school systems with invented pupils, and the connections and schools that reach them."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import SecretStr

from aphub.sandbox import ExampleMisStandIn
from aphub.sandbox.arbor import ArborStandIn
from aphub.sandbox.certificates import DemoAuthority
from aphub.sandbox.json_api import JsonStandIn
from aphub.sandbox.mis_state import MisState, School
from aphub.sandbox.wonde import WondeStandIn
from aphub.sandbox.xporter import XporterStandIn
from aphub.testing import invented_upn
from tests.world import World

SECRET = "s3cret-of-hill"
USER = "hub@example.org"
SIGNED = '[signed_codes]\ncodes = {codes}\nsigned_by = "attendance officer"\non = 2026-01-05\n'
MIS_FIRST = {"daily": 'cadence = "daily"\ndue = "09:45"\nchannels = ["mis", "email"]\nmay_write = true'}
KINDS = ("arbor", "rest", "wonde", "xporter")


def stand_in(
    kind: str, authority: DemoAuthority, world: World, pupils: Sequence[int] = (1,), **more: Any
) -> JsonStandIn:
    """Make one school's system, not yet listening, with the pupils of these numbers."""
    state = MisState()
    school = state.add_school("Hill School")
    for number in pupils:
        state.add_student(school, invented_upn(number), "Zebedee", "Invented")
    if kind == "wonde":
        return WondeStandIn(authority, state, token=SECRET, **more)
    make: Callable[..., JsonStandIn] = {
        "arbor": ArborStandIn,
        "rest": ExampleMisStandIn,
        "xporter": XporterStandIn,
    }[kind]
    given: dict[str, dict[str, Any]] = {
        "arbor": {"user": USER, "password": SECRET},
        "rest": {"slug": "hill", "user": USER, "secret": SECRET, "subscription": SECRET},
        "xporter": {
            "estab": "9994001",
            "relying_party": "hub.example.org",
            "secret": SECRET,
            "now": world.clock.now,
        },
    }
    return make(authority, state, school, **given[kind], **more)


def school_of(far_side: JsonStandIn) -> School:
    """Give the one school behind a stand-in."""
    [school] = far_side.state.schools.values()  # type: ignore[attr-defined]  # all of them have one
    return school


def codes_in_register(far_side: JsonStandIn) -> list[str]:
    """Give the letters that stand in its register, in order of their slots."""
    school = school_of(far_side)
    return [school.code_of(mark.code_id) for _, mark in sorted(school.marks.items())]


def connection_to(
    kind: str,
    far_side: JsonStandIn,
    authority: DemoAuthority,
    world: World,
    *,
    name: str = "mis",
    timeout: float = 5.0,
    more: str = "",
) -> str:
    """Store the secret and give the connection as an operator writes it."""
    world.hub.keys.set_secret("hill", SecretStr(SECRET), world.clock.now())
    own = {
        "arbor": f'user = "{USER}"\npassword = "secret:hill"\n',
        "rest": f'template = "example-mis"\nuser = "{USER}"\nsecret = "secret:hill"\nsecond_secret = "secret:hill"\n',
        "wonde": 'token = "secret:hill"\n',
        "xporter": 'relying_party = "hub.example.org"\nsecret = "secret:hill"\n',
    }[kind]
    url: str = far_side.url  # type: ignore[attr-defined]  # all of them have one
    return (
        f'[connections.{name}]\nadapter = "{kind}"\nbase_url = "{url}"\nca_file = "{authority.ca_path}"\n'
        f"timeout_seconds = {timeout}\n{own}{more}"
    )


def channel_to(kind: str, far_side: JsonStandIn, *, connection: str = "mis", codes: str = '["B"]') -> str:
    """Give a school's signed list and its channel `mis`, as an operator writes them."""
    place = {
        "arbor": 'school = "127.0.0.1"',
        "rest": 'school = "hill"',
        "wonde": f'school_id = "{school_of(far_side).id}"',
        "xporter": 'estab = "9994001"',
    }[kind]
    return f'{SIGNED.format(codes=codes)}[[channels]]\nname = "mis"\nconnection = "{connection}"\n{place}\n'
