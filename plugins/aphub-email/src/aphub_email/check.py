"""The connection check: each step of the way proved alone, and what to mend at the first that fails."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

from aphub.api import CheckStep, DeliveryError, Tools
from aphub_email import words
from aphub_email.graph import GraphSession
from aphub_email.session import Session, find, reach, secure, sign_in
from aphub_email.settings import EmailConnection, EmailRoute
from aphub_email.tokens import Tokens, tokens_of
from aphub_email.wire import LineLostError, Reply, TlsProof, Wire

_WARN_BEFORE = timedelta(days=30)
_SEEN_ADDRESSES = 4


def check_steps(connection: EmailConnection, route: EmailRoute, tools: Tools) -> Iterator[CheckStep]:
    """Give one step after the other, ending at the first that fails; no message is begun."""
    wire: Wire | None = None
    step = "The sign-in service gives us a token"
    tokens = tokens_of(connection, tools, "send")
    try:
        if tokens is not None:
            tokens.renew()
            yield _token(step, tokens, tools.now())
        if tokens is not None and connection.way == "graph":
            step = "We may send from our mailbox"
            with closing(GraphSession(connection, tokens, tools)) as graph:
                graph.probe()
            yield CheckStep(step, ok=True, found="Microsoft Graph refused only what is no message")
            yield from _keeps_pace(connection)
            return

        step = "The mail server's name is found"
        addresses = find(connection, tools.reach)
        seen = list(dict.fromkeys(str(address[0]) for _, address in addresses))[:_SEEN_ADDRESSES]
        yield CheckStep(step, ok=True, found=", ".join(seen))

        step = f"It answers on port {connection.actual_port}"
        wire = reach(connection, addresses)
        yield CheckStep(step, ok=True)

        step = "The connection is encrypted and the server is who it says"
        session = secure(connection, wire)
        yield _encrypted(step, session.proof, tools.now())

        step = "We are signed in"
        sign_in(session, tokens)
        yield signed_in(step, connection)

        for step, command, refusal in _envelope(connection, route):
            yield _accepted(session, step, command, refusal)
        yield from _keeps_pace(connection)
        session.wire.ask(b"RSET")
    except DeliveryError as exc:
        yield CheckStep(step, ok=False, found=str(exc), mend=exc.what_now or "Try again in a few minutes.")
    except LineLostError:
        problem = words.lost(connection.host)
        yield CheckStep(step, ok=False, found=str(problem), mend="Try again in a few minutes.")
    finally:
        if wire is not None:
            wire.goodbye()


Refusal = Callable[[Reply], DeliveryError]


def _envelope(connection: EmailConnection, route: EmailRoute) -> Iterator[tuple[str, bytes, Refusal]]:
    """Give the two commands of an envelope with the words for a no."""
    yield (
        "We may send from our mailbox",
        b"MAIL FROM:<%s>" % connection.from_address.encode("ascii"),
        words.sender_refused,
    )
    yield (
        "The school's address is accepted",
        b"RCPT TO:<%s>" % route.address.encode("ascii"),
        words.recipient_refused,
    )


def _accepted(session: Session, step: str, command: bytes, refusal: Refusal) -> CheckStep:
    """Ask one thing of the server."""
    reply = session.wire.ask(command)
    if not reply.ok:
        raise refusal(reply)
    last = command.startswith(b"RCPT")
    return CheckStep(step, ok=True, found="the mailbox itself is proved by the TEST message" if last else "")


def _token(step: str, tokens: Tokens, now: datetime) -> CheckStep:
    """Say how long a token is kept, and what a refresh token that was replaced means."""
    minutes = max(int((tokens.until - now).total_seconds()) // 60, 0)
    found = f"one that we keep for {minutes} minutes"
    if not tokens.rotated:
        return CheckStep(step, ok=True, found=found)
    return CheckStep(
        step,
        ok=True,
        found=f"{found}, and a new refresh token in place of ours, which is in memory only",
        mend="If their service ends the old one at once, the hub cannot sign in after a restart: "
        "use client_credentials. With Microsoft, store a new one every 60 days.",
    )


def _encrypted(step: str, proof: TlsProof, now: datetime) -> CheckStep:
    """Say what encrypts the connection, and warn while a certificate can still be renewed."""
    ends = datetime.fromtimestamp(proof.ends, UTC)
    found = f"{proof.spoken_version}, vouched for by {proof.issuer}, valid until {ends.day} {ends:%B %Y}"
    if ends - now > _WARN_BEFORE:
        return CheckStep(step, ok=True, found=found)
    days = max((ends - now).days, 0)
    mend = f"The certificate runs out in {days} days. Ask the server's IT team to renew it."
    return CheckStep(step, ok=True, found=found, mend=mend)


def signed_in(step: str, connection: EmailConnection) -> CheckStep:
    """Say how we are signed in, and warn where passwords are about to end."""
    if not connection.user:
        return CheckStep(step, ok=True, found="this server knows our machine and asks for no sign-in")
    if connection.uses_tokens:
        return CheckStep(step, ok=True, found="signed in with a token")
    ends = words.who(connection.host) == "Microsoft"
    mend = "Microsoft switches passwords off from the end of December 2026: move to sign_in = 'client_credentials'."
    return CheckStep(step, ok=True, found="signed in with a password", mend=mend if ends else "")


def _keeps_pace(connection: EmailConnection) -> Iterator[CheckStep]:
    """Say how quickly messages leave, where there is a limit."""
    if pace := connection.pace():
        found = f"{pace.words} ({pace.whose})" if pace.whose else f"{pace.words}, as it is set"
        yield CheckStep("We know how quickly this server takes messages", ok=True, found=found)
