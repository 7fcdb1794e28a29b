"""A far side made of a listening socket and one thread a connection, with TLS from the demo authority."""

import contextlib
import socket
import socketserver
import ssl
import threading
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from aphub.sandbox.certificates import LOOPBACK_NAMES, CertificateKind, DemoAuthority
from aphub.sandbox.far_side import FarSide

HANDSHAKE_SECONDS = 10.0
IDLE_SECONDS = 120.0


class _Server(socketserver.TCPServer):
    """Accepts connections and gives each to a thread that can be cut off and joined."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], far_side: "ListeningFarSide") -> None:
        self.far_side = far_side
        self._open: dict[socket.socket, threading.Thread] = {}
        self._guard = threading.Lock()
        super().__init__(address, socketserver.BaseRequestHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection to a thread of its own."""
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        with self._guard:
            self._open[request] = thread
        thread.start()

    def _serve(self, request: socket.socket, client_address: tuple[str, int]) -> None:
        try:
            # A client that goes away, refuses our certificate or falls silent is everyday life for a server.
            with contextlib.suppress(OSError):
                request.settimeout(IDLE_SECONDS)
                request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.far_side.serve(request, client_address)
        finally:
            with self._guard:
                self._open.pop(request, None)
            self.shutdown_request(request)

    def cut_off(self) -> None:
        """Cut every open connection and join its thread."""
        with self._guard:
            threads = dict(self._open)
        for request in threads:
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        for thread in threads.values():
            thread.join()


class ListeningFarSide(FarSide):
    """A far side on a TCP port of 127.0.0.1."""

    def __init__(
        self, authority: DemoAuthority, *, port: int = 0, names: Sequence[str] = LOOPBACK_NAMES
    ) -> None:
        """Take certificates from `authority`; port 0 lets the machine choose."""
        super().__init__()
        self._authority = authority
        self._names = tuple(names)
        self._port = port
        self._contexts: dict[tuple[CertificateKind, bool], ssl.SSLContext] = {}
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return ("127.0.0.1", self._port)

    def up(self) -> None:
        """Listen, on the same port as before."""
        if self._server is not None:
            return
        server = _Server(("127.0.0.1", self._port), self)
        self._port = server.server_address[1]
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def down(self) -> None:
        """Stop listening and cut every open connection."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is None or thread is None:
            return
        server.shutdown()
        thread.join()
        server.server_close()
        with self._lock:
            self._changed.set()
            self._changed = threading.Event()
        server.cut_off()

    def shows_certificate(self, kind: CertificateKind) -> None:
        """Show this kind of certificate to every connection from now on."""
        with self._lock:
            self._certificate = kind

    def speaks_old_tls(self) -> None:
        """Offer TLS 1.0 and 1.1 only."""
        with self._lock:
            self._old_tls = True

    @abstractmethod
    def serve(self, connection: socket.socket, peer: tuple[str, int]) -> None:
        """Talk with one client until either side leaves; the caller closes the connection."""

    def secure(self, connection: socket.socket) -> ssl.SSLSocket:
        """Do the server's half of a TLS handshake, on a duplicate so that `down` can cut the original.

        Raises:
            OSError: The client went away or did not trust the certificate.
        """
        with self._lock:
            kind, old = self._certificate, self._old_tls
            if (kind, old) not in self._contexts:
                self._contexts[kind, old] = self._authority.server_context(self._names, kind, old_tls=old)
            context = self._contexts[kind, old]
        duplicate = connection.dup()
        duplicate.settimeout(HANDSHAKE_SECONDS)
        try:
            secured = context.wrap_socket(duplicate, server_side=True)
        except BaseException:
            duplicate.close()
            raise
        secured.settimeout(IDLE_SECONDS)
        return secured
