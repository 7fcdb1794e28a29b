"""Starting a stand-in by hand: `python -m aphub.sandbox arbor|graph|rest|sftp|smtp|wonde|xporter --to DIR`."""

import argparse
import contextlib
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aphub.sandbox.arbor import ArborStandIn
from aphub.sandbox.certificates import DemoAuthority, write_private
from aphub.sandbox.example_mis import ExampleMisStandIn
from aphub.sandbox.far_side import NOT_THE_VENDOR, FarSide
from aphub.sandbox.graph import GraphStandIn
from aphub.sandbox.mis_state import MisState, School
from aphub.sandbox.moods import MOODS, moods_of, put_into
from aphub.sandbox.sftp import SftpSink
from aphub.sandbox.smtp import SmtpSink
from aphub.sandbox.token_service import TokenService
from aphub.sandbox.wonde import WondeStandIn
from aphub.sandbox.xporter import XporterStandIn

Lines = Callable[[], list[str]]

ESTAB = "9994001"
RELYING_PARTY = "hub.example.org"
API_USER = "hub@example.org"
MAILBOX = "reports@riverbank.example.org"
SLUG, CLIENT, SUBSCRIPTION = "hill", "hub", "invented-subscription"
# Invented pupils: no local authority has the number 999.
PUPILS = (
    ("T999400126001", "Sam", "Example"),
    ("G999400126002", "Alex", "Invented"),
    ("W999400126003", "Robin", "Sample"),
)


def run(argv: Sequence[str] | None = None) -> int:
    """Read the arguments, start a far side, say how to reach it, and wait for Ctrl-C or SIGTERM."""
    arguments = _arguments(argv)
    try:
        far_side, lines = _STARTERS[arguments.kind](arguments)
        if not put_into(far_side, arguments.mood):
            _say(
                f"The {arguments.kind} stand-in has no mood {arguments.mood!r}. Nothing is running. Choose one:"
            )
            for name, mood in moods_of(far_side).items():
                _say(f"  {name:<14} {mood.words}")
            return 2
        far_side.start()
    except (ImportError, OSError, ValueError) as error:
        _say(f"The stand-in could not start: {error}. Nothing is running.")
        return 2
    # From here on a signal is a wish to stop, also when it comes before the last line is out.
    with far_side, _stopping() as stopped:
        host, port = far_side.address
        _say(f"{_KINDS[arguments.kind]}: a {NOT_THE_VENDOR}.")
        _say(f"It listens on {host}, port {port}, in the mood {arguments.mood!r}.")
        for line in lines():
            _say(line)
        _say("Stop it with Ctrl-C.")
        stopped.wait()
    return 0


@contextlib.contextmanager
def _stopping() -> Iterator[threading.Event]:
    stopped = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopped
    finally:
        for number, action in before.items():
            signal.signal(number, action)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("aphub sandbox", description=f"Start a {NOT_THE_VENDOR}.")
    parser.add_argument("kind", choices=sorted(_STARTERS))
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="where it keeps what it gets")
    parser.add_argument("--port", type=int, default=0, help="its port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--mood", default="accepts", help=f"how it behaves: {', '.join(MOODS)}")
    parser.add_argument("--tls", action="store_true", help="smtp: TLS from the first byte, not STARTTLS")
    parser.add_argument(
        "--authorized-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="sftp: a public key that may sign in (default: one is made)",
    )
    parser.add_argument("--token", help="the token or secret to ask for (default: one is made and kept)")
    return parser.parse_args(argv)


def _smtp(arguments: argparse.Namespace) -> tuple[FarSide, Lines]:
    authority = DemoAuthority.open_or_create(arguments.to / "authority")
    mode = "tls" if arguments.tls else "starttls"
    sink = SmtpSink(authority, arguments.to / "mail", port=arguments.port, mode=mode)
    return sink, lambda: [
        f"Encryption: {mode}. Trust this certificate: {authority.ca_path}",
        f"Messages lie in {arguments.to / 'mail' / 'new'}; nothing is sent on.",
    ]


def _graph(arguments: argparse.Namespace) -> tuple[FarSide, Lines]:
    authority = DemoAuthority.open_or_create(arguments.to / "authority")
    secret, where = _secret(arguments)
    service = TokenService(authority, client_secret=secret)
    graph = GraphStandIn(
        authority,
        arguments.to / "mail",
        token_service=service,
        mailboxes=[MAILBOX],
        port=arguments.port,
        starts_service=True,
    )
    return graph, lambda: [
        f"Base address: {graph.url}  Trust this certificate: {authority.ca_path}",
        f"A stand-in of Microsoft Entra gives tokens: {service.url}",
        f"tenant: {service.tenant}  client_id: {service.client_id}  client_secret: {where}",
        f"Mailbox: {MAILBOX}. What it sends lies in {arguments.to / 'mail' / 'new'}; nothing is sent on.",
    ]


def _sftp(arguments: argparse.Namespace) -> tuple[FarSide, Lines]:
    keys = [path.read_text(encoding="utf-8").strip() for path in arguments.authorized_key]
    own = arguments.to / "client-key"
    if not keys:
        keys = [_client_key(own)]
    sink = SftpSink(
        arguments.to / "drop",
        authorized_keys=keys,
        port=arguments.port,
        host_key=arguments.to / "host-key",
    )
    return sink, lambda: [
        f"Sign in as {sink.user} with a key" + ("." if arguments.authorized_key else f": {own}"),
        f"Host key: {sink.fingerprint}",
        f"Files lie in {sink.folder}.",
    ]


def _client_key(path: Path) -> str:
    import asyncssh  # noqa: PLC0415 - an extra, wanted by those who start one

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, asyncssh.generate_private_key("ssh-ed25519").export_private_key())
    return asyncssh.read_private_key(str(path)).export_public_key().decode().strip()


def _invented_school() -> tuple[MisState, School]:
    state = MisState()
    school = state.add_school("Hill School", urn="999001")
    for upn, forename, surname in PUPILS:
        state.add_student(school, upn, forename, surname)
    return state, school


def _secret(arguments: argparse.Namespace) -> tuple[str, str]:
    """Give the secret to ask for, and in words where it is: what was typed is not printed."""
    kept = arguments.to / "token"
    if arguments.token:
        return arguments.token, "the one you gave."
    if not kept.exists():
        write_private(kept, secrets.token_hex(20).encode())
    return kept.read_text(encoding="ascii").strip(), f"see {kept}"


def _mis_lines(arguments: argparse.Namespace, url: str, authority: DemoAuthority) -> list[str]:
    return [
        f"Base address: {url}  Trust this certificate: {authority.ca_path}",
        f"Its register is written to {arguments.to / 'mis'} after every write.",
    ]


def _wonde(arguments: argparse.Namespace) -> tuple[FarSide, Lines]:
    authority = DemoAuthority.open_or_create(arguments.to / "authority")
    token, where = _secret(arguments)
    state, school = _invented_school()
    stand_in = WondeStandIn(authority, state, token=token, port=arguments.port, folder=arguments.to / "mis")
    return stand_in, lambda: [
        *_mis_lines(arguments, stand_in.url, authority),
        f"Token: {where}",
        f"Invented school: {school.name}, id {school.id}, with {len(PUPILS)} invented pupils.",
    ]


def _xporter(arguments: argparse.Namespace) -> tuple[FarSide, Lines]:
    authority = DemoAuthority.open_or_create(arguments.to / "authority")
    secret, where = _secret(arguments)
    state, school = _invented_school()
    stand_in = XporterStandIn(
        authority,
        state,
        school,
        estab=ESTAB,
        relying_party=RELYING_PARTY,
        secret=secret,
        port=arguments.port,
        folder=arguments.to / "mis",
    )
    # Nobody is there to work its queue off by hand; whoever is called shows a certificate of the same authority.
    stand_in.calls_after = 2.0
    return stand_in, lambda: [
        *_mis_lines(arguments, stand_in.url, authority),
        f"The school's secret: {where}  Relying party: {RELYING_PARTY}",
        f"Invented school: {school.name}, estab {ESTAB}, with {len(PUPILS)} invented pupils.",
    ]


def _arbor(arguments: argparse.Namespace) -> tuple[FarSide, Lines]:
    authority = DemoAuthority.open_or_create(arguments.to / "authority")
    password, where = _secret(arguments)
    state, school = _invented_school()
    stand_in = ArborStandIn(
        authority,
        state,
        school,
        user=API_USER,
        password=password,
        port=arguments.port,
        folder=arguments.to / "mis",
    )
    return stand_in, lambda: [
        *_mis_lines(arguments, stand_in.url, authority),
        f"User: {API_USER}  Password: {where}",
        f"Invented school: {school.name}, with {len(PUPILS)} invented pupils.",
    ]


def _rest(arguments: argparse.Namespace) -> tuple[FarSide, Lines]:
    authority = DemoAuthority.open_or_create(arguments.to / "authority")
    secret, where = _secret(arguments)
    state, school = _invented_school()
    stand_in = ExampleMisStandIn(
        authority,
        state,
        school,
        slug=SLUG,
        user=CLIENT,
        secret=secret,
        subscription=SUBSCRIPTION,
        port=arguments.port,
        folder=arguments.to / "mis",
    )
    return stand_in, lambda: [
        *_mis_lines(arguments, stand_in.url, authority),
        f"It is what the template example-mis describes. User: {CLIENT}  Secret: {where}",
        f"Second secret: {SUBSCRIPTION}",
        f"Invented school: {school.name}, called {SLUG}, with {len(PUPILS)} invented pupils.",
    ]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


_KINDS = {
    "arbor": "A school's Arbor",
    "graph": "Microsoft Graph, with one mailbox",
    "rest": "A school's system with a JSON API",
    "sftp": "A secure drop (SFTP)",
    "smtp": "A mail server",
    "wonde": "Wonde, with one school",
    "xporter": "Xporter, with one school",
}
_STARTERS = {
    "arbor": _arbor,
    "graph": _graph,
    "rest": _rest,
    "sftp": _sftp,
    "smtp": _smtp,
    "wonde": _wonde,
    "xporter": _xporter,
}
