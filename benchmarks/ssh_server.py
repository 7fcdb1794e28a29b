"""OpenSSH's own server on loopback, for one account and one folder, so that Python measures only itself."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from benchmarks.mail_sink import free_port

_STARTS_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class SshServer:
    """Where it listens, the key that it shows, and the key that it lets in."""

    port: int
    host_key: str
    client_key: Path
    folder: Path
    user: str


def missing() -> str:
    """Name what is not installed."""
    return "" if _program() else "sshd"


def _program() -> str | None:
    return shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@contextmanager
def ssh_server(home: Path) -> Iterator[SshServer]:
    """Run it until the block ends."""
    program = _program()
    if program is None:
        message = "not installed: sshd"
        raise RuntimeError(message)
    folder = home / "drop"
    folder.mkdir()
    server, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    for name, key in (("host", server), ("client", client)):
        (home / name).touch(mode=0o600)
        (home / name).write_bytes(key.export_private_key())
    (home / "authorized").write_bytes(client.export_public_key())
    port = free_port()
    (home / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {home}/host\nAuthorizedKeysFile {home}/authorized\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\nPidFile none\n"
        f"PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp -d {folder}\n"
    )
    if os.geteuid() == 0:
        # Where sshd as root puts its unprivileged half; Debian's service makes it at start.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    command = [program, "-D", "-E", str(home / "log"), "-f", str(home / "sshd_config")]
    running = subprocess.Popen(command)
    try:
        _wait_for(port)
        yield SshServer(port, server.get_fingerprint(), home / "client", folder, getpass.getuser())
    finally:
        running.terminate()
        running.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as one:
                one.recv(8)
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
