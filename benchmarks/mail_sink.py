"""A mail server that takes everything: Postfix's smtp-sink in C behind stunnel, so that Python measures only itself."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aphub.sandbox import CertificateKind, DemoAuthority

_STARTS_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Sink:
    """Where the sink listens with TLS, and the authority to trust."""

    port: int
    ca_file: Path


def missing() -> str:
    """Name what is not installed."""
    return ", ".join(name for name in ("stunnel4", "smtp-sink") if _program(name) is None)


def _program(name: str) -> str | None:
    return shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def mail_sink(folder: Path) -> Iterator[Sink]:
    """Run the sink until the block ends."""
    authority = DemoAuthority.create(folder / "authority")
    issued = authority.issue(["localhost", "127.0.0.1"], CertificateKind.GOOD)
    plain, secure = free_port(), free_port()
    settings = folder / "stunnel.conf"
    settings.write_text(
        "foreground = yes\npid =\ndebug = err\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n"
        f"[mail]\naccept = 127.0.0.1:{secure}\nconnect = 127.0.0.1:{plain}\n"
        f"cert = {issued.certificate}\nkey = {issued.key}\n"
    )
    sink, tunnel = _program("smtp-sink"), _program("stunnel4")
    if sink is None or tunnel is None:
        message = f"not installed: {missing()}"
        raise RuntimeError(message)
    started = [
        subprocess.Popen([sink, "-u", "nobody", f"127.0.0.1:{plain}", "1000"]),
        subprocess.Popen([tunnel, str(settings)], stderr=subprocess.DEVNULL),
    ]
    try:
        _wait_for(secure, authority.ca_path)
        yield Sink(secure, authority.ca_path)
    finally:
        for one in started:
            one.terminate()
            one.wait()


def _wait_for(port: int, ca_file: Path) -> None:
    context = ssl.create_default_context(cafile=str(ca_file))
    until = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            with (
                socket.create_connection(("127.0.0.1", port), 1) as plain,
                context.wrap_socket(plain, server_hostname="localhost") as secure,
            ):
                secure.recv(64)
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
