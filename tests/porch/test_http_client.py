"""Hostile HTTP servers on real TLS sockets: what left this machine, and what the hub would be told."""

import ssl
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import httpcore
import httpx
import pytest

from aphub.api import (
    DeliveryError,
    Reach,
    RefusedDeliveryError,
    TransientDeliveryError,
    UncertainDeliveryError,
    http_errors_as_delivery_errors,
)
from aphub.api.http_client import http_client
from aphub.sandbox.certificates import CertificateKind, DemoAuthority
from aphub.sandbox.listening import ListeningFarSide

LOOPBACK = Reach.to("127.0.0.0/8")
SECRET = "t0ken-of-an-invented-partner"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Scripted(ListeningFarSide):
    """Reads one request after the other and answers each by the script."""

    def __init__(self, authority: DemoAuthority) -> None:
        super().__init__(authority)
        self.script: Callable[[int], Iterator[bytes]] = lambda _: iter([OK])
        self.asked = 0
        self.connections = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.address[1]}/"

    def serve(self, connection, peer):
        secured = self.secure(connection)
        self.connections += 1
        try:
            while self._read(secured):
                self.asked += 1
                for part in self.script(self.asked):
                    if not part:
                        return
                    secured.sendall(part)
        finally:
            secured.close()

    def _read(self, secured) -> bool:
        got = b""
        while b"\r\n\r\n" not in got:
            chunk = secured.recv(65536)
            if not chunk:
                return False
            self._record(chunk)
            got += chunk
        head, _, body = got.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            ),
            0,
        )
        while len(body) < length:
            chunk = secured.recv(65536)
            self._record(chunk)
            body += chunk
        return True


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> DemoAuthority:
    return DemoAuthority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def far_side(authority) -> Iterator[Scripted]:
    with Scripted(authority) as one:
        yield one


@pytest.fixture
def make(authority) -> Iterator[Callable[..., httpx.Client]]:
    made = []

    def client(reach: Reach = LOOPBACK, **options: Any) -> httpx.Client:
        context = ssl.create_default_context(cafile=str(authority.ca_path))
        headers = {"Authorization": f"Bearer {SECRET}"}
        made.append(http_client(reach, verify=context, headers=headers, **({"timeout": 2.0} | options)))
        return made[-1]

    yield client
    for one in made:
        one.close()


def said(act: Callable[[], object]) -> DeliveryError | None:
    try:
        with http_errors_as_delivery_errors():
            act()
    except DeliveryError as exc:
        return exc
    return None


def test_a_private_address_that_nobody_listed_is_not_even_connected_to(far_side, make):
    with pytest.raises(RefusedDeliveryError, match=r"127\.0\.0\.1"):
        make(Reach()).post(far_side.url, json={"who": "Zebedee"})
    assert (far_side.connections, far_side.received_bytes) == (0, b"")


def test_a_name_that_moves_inside_after_it_was_judged_is_not_followed_there(far_side, make):
    """The name service answers anew each time: what was judged is what is connected to."""
    answers, tried = iter([["8.8.8.8"], ["127.0.0.1"]]), []

    class Nobody(httpcore.NetworkBackend):
        def connect_tcp(self, host: str, port: int, *_: object) -> NoReturn:
            tried.append(host)
            raise httpcore.ConnectError

    client = make(Reach(), resolve=lambda *_: next(answers), backend=Nobody())
    url = far_side.url.replace("127.0.0.1", "mis.example.org")
    assert isinstance(said(lambda: client.get(url)), TransientDeliveryError)
    assert isinstance(said(lambda: client.get(url)), RefusedDeliveryError)
    assert tried == ["8.8.8.8"]
    assert far_side.connections == 0


def test_of_two_addresses_the_private_one_is_left_out(far_side, make):
    client = make(Reach.to("127.0.0.1"), resolve=lambda *_: ["10.0.0.1", "127.0.0.1"])
    url = far_side.url.replace("127.0.0.1", "localhost")
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("asked", [{}, {"follow_redirects": True}])
def test_a_redirect_is_answered_with_nothing(far_side, make, authority, asked):
    with Scripted(authority) as inside:
        where = f"HTTP/1.1 307 Go\r\nLocation: {inside.url}\r\nContent-Length: 0\r\n\r\n".encode()
        far_side.script = lambda _: iter([where])
        client = make(**asked)
        for send in (
            lambda: client.post(far_side.url, json={}),
            lambda: client.post(far_side.url, json={}, follow_redirects=True),
            lambda: client.send(client.build_request("POST", far_side.url, json={})),
        ):
            assert send().status_code == 307
        assert inside.connections == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"400\r\n" + b"x" * 1024 + b"\r\n" * 1 + b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n"
        % len(zlib.compress(b"x" * 10_000_000))
        + zlib.compress(b"x" * 10_000_000),
    ],
    ids=["announced", "in pieces", "until the end", "packed"],
)
def test_a_giant_answer_is_not_read_and_a_write_is_then_uncertain(far_side, make, answer):
    far_side.script = lambda _: iter([answer, b""])
    client = make(most_bytes=2000)
    assert isinstance(said(lambda: client.post(far_side.url, json={})), UncertainDeliveryError)
    ready = client.build_request("POST", far_side.url, json={})
    assert isinstance(said(lambda: client.send(ready)), UncertainDeliveryError)
    assert (far_side.asked, far_side.connections) == (2, 2)


def test_an_answer_that_drips_is_given_up(far_side, make):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"
    far_side.script = lambda _: iter([head, *([b"x"] * 900)])
    assert isinstance(said(lambda: make(longest=0.0).post(far_side.url, json={})), UncertainDeliveryError)


def test_a_server_that_answers_twice_never_answers_the_next_question(far_side, make):
    far_side.script = lambda _: iter([OK + OK.replace(b"{}", b"42")])
    client = make()
    assert client.get(far_side.url).text == "{}"
    assert isinstance(said(lambda: client.post(far_side.url, json={})), UncertainDeliveryError)
    far_side.script = lambda _: iter([OK])
    assert client.get(far_side.url).text == "{}"


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([b""], UncertainDeliveryError),
        ([b"HTTP/1.1 200 OK\r\nContent-Le", b""], UncertainDeliveryError),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", b""], UncertainDeliveryError),
        ([b"550 5.1.1 who are you\r\n\r\n", b""], UncertainDeliveryError),
    ],
    ids=["no answer", "half a head", "half a body", "another tongue"],
)
def test_what_was_sent_and_not_answered_whole_is_uncertain(far_side, make, script, kind):
    far_side.script = lambda _: iter(script)
    error = said(lambda: make().post(far_side.url, json={"n": 1}))
    assert type(error) is kind
    assert b'{"n":1}' in far_side.received_bytes  # it had left


def test_a_time_out_after_everything_was_taken_is_uncertain(far_side, make):
    far_side.script = lambda _: iter(lambda: b"HTTP" if far_side._changed.wait(5) else b"", b"")
    assert isinstance(said(lambda: make(timeout=0.2).post(far_side.url, json={})), UncertainDeliveryError)
    far_side.accepts()


@pytest.mark.parametrize(
    "kind", [CertificateKind.EXPIRED, CertificateKind.WRONG_NAME, CertificateKind.SELF_SIGNED]
)
def test_an_impostor_hears_no_secret(far_side, make, kind):
    far_side.shows_certificate(kind)
    assert isinstance(said(lambda: make().get(far_side.url)), RefusedDeliveryError)
    assert far_side.received_bytes == b""


def test_old_encryption_is_not_spoken(far_side, make):
    far_side.speaks_old_tls()
    assert isinstance(said(lambda: make().get(far_side.url)), TransientDeliveryError)
    assert far_side.received_bytes == b""


def test_a_client_that_would_verify_less_is_not_built():
    lax = ssl.create_default_context()
    lax.check_hostname = False
    with pytest.raises(ValueError, match="must verify"):
        http_client(Reach(), verify=lax)


def test_proxies_of_the_environment_and_other_transports_are_not_used(far_side, make):
    client = make(trust_env=True, proxy="http://127.0.0.1:9", mounts={}, transport=httpx.MockTransport(print))
    assert client.get(far_side.url).text == "{}"


def test_a_complete_request_goes_as_it_is_and_no_cookie_is_kept(far_side, make):
    far_side.script = lambda _: iter([OK.replace(b"\r\n", b"\r\nSet-Cookie: who=another-school\r\n", 1)])
    client = make()
    ready = client.build_request("POST", far_side.url, json={})
    answer = client.send(ready)
    assert (answer.text, answer.request, dict(client.cookies)) == ("{}", ready, {})
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.send(ready)


def test_a_request_that_lacks_sign_in_or_time_limit_is_completed_before_it_goes(far_side, make):
    heard: list[httpx.Response] = []
    client = make(auth=("us", "a-word"), event_hooks={"response": [heard.append]})
    request = httpx.Request("GET", far_side.url)
    assert client.send(request).text == "{}"
    assert b"Authorization: Basic" in far_side.received_bytes
    assert (len(heard), request.extensions["timeout"]["read"]) == (1, 2.0)


def test_head_and_body_leave_together_and_a_large_body_arrives_whole(far_side, make):
    body = b"y" * 300_000
    assert make().post(far_side.url, content=body).text == "{}"
    assert far_side.received_bytes.endswith(body)
