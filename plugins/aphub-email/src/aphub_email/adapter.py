"""The email adapter: one verified connection to the provider's mail server for a burst of messages."""

import re
from collections.abc import Generator, Iterator, Sequence
from typing import ClassVar, TypeGuard

from aphub.api import (
    CheckStep,
    Collected,
    Delivery,
    DeliveryAdapter,
    DeliveryError,
    DeliveryResult,
    Document,
    ForTheirIt,
    Outbound,
    Repeat,
    Rung,
    Tools,
    TransientDeliveryError,
)
from aphub_email import mailbox, words
from aphub_email.burst import Letter, SessionEndedError, send_letters
from aphub_email.check import check_steps
from aphub_email.compose import compose_mail
from aphub_email.graph import GraphSession, result_of_graph
from aphub_email.outside import look_outside
from aphub_email.paper import for_their_it
from aphub_email.session import Session, open_session
from aphub_email.settings import EmailConnection, EmailRoute
from aphub_email.tokens import Tokens, tokens_of
from aphub_email.wire import Reply

MAIL = "message/rfc822"
_QUEUE_ID = re.compile(
    r"queued as ([A-Za-z0-9._-]{4,60})"  # Postfix
    r"|id=([A-Za-z0-9._-]{4,60})"  # Exim
    r"|InternalId=([0-9]{4,60})"  # Exchange
    r"|^2\.0\.0 ([A-Za-z0-9]{8,60}) Message accepted"  # Sendmail
    r"|^2\.0\.0 OK +([0-9]{6,} [A-Za-z0-9._-]{4,60}) - gsmtp"  # Google
)

Answered = tuple[str, DeliveryResult | DeliveryError]


class EmailAdapter(DeliveryAdapter[EmailConnection, EmailRoute]):
    """Hands messages to a mail server; the same delivery twice carries the same Message-ID."""

    name = "email"
    connection_class = EmailConnection
    route_class = EmailRoute
    repeat = Repeat.RECOGNISABLE
    reaches = Rung.HANDED_OVER
    collects = True
    takes_notices = True
    burst = 200
    capabilities: ClassVar[dict[str, str]] = {
        "encryption": "TLS 1.2 or newer to the first mail server, verified; else nothing is sent",
        "receipt": "the first mail server took the message; not that anybody read it",
        "protection": "a spreadsheet under the school's password, unless the last hop is attested",
    }

    def __init__(self, connection: EmailConnection, tools: Tools) -> None:
        """Keep settings and tools; open nothing yet."""
        super().__init__(connection, tools)
        self._session: Session | None = None
        self._graph: GraphSession | None = None

    @classmethod
    def compose(cls, outbound: Outbound, route: EmailRoute) -> tuple[Document, ...]:
        """Write the one mail that will leave; only the protected file's salts are random."""
        return compose_mail(outbound, route)

    def open(self) -> None:
        """Connect, verify the server, and sign in."""
        if self.connection.way == "graph":
            self._opened_graph()
        elif self._session is None:
            tokens = tokens_of(self.connection, self.tools, "send")
            self._session = open_session(self.connection, self.tools.reach, tokens)

    def close(self) -> None:
        """Leave politely; a second call does nothing."""
        session, self._session = self._session, None
        if session is not None:
            session.leave()
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.close()

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Try once to hand one message over."""
        ((_, answer),) = self.deliver_many([delivery])
        if isinstance(answer, DeliveryError):
            raise answer
        return answer

    def deliver_many(self, deliveries: Sequence[Delivery]) -> Iterator[Answered]:
        """Hand a burst over through one connection.

        A server that ends the session after some messages is connected to again for those that it has not been given;
        no message is tried twice.
        """
        waiting = {delivery.key: delivery for delivery in deliveries}
        if self.connection.way == "graph":
            yield from self._by_graph(waiting)
            return
        while waiting:
            problem: DeliveryError | None
            try:
                self.open()
            except DeliveryError as exc:
                problem = exc
            else:
                problem = yield from self._through_session(waiting)
            if problem is not None:
                yield from [(key, problem) for key in waiting]
                return

    def collect(self, after: str) -> Collected:
        """Read what came into our mailbox since a mark, where `imap_host` says how to reach it."""
        tokens = tokens_of(self.connection, self.tools, "read")
        return mailbox.collect(self.connection, self.tools.reach, after, self.tools.now(), tokens)

    def check(self, route: EmailRoute) -> Iterator[CheckStep]:
        """Prove the way step by step, up to the address; then look at both domains from outside. Nothing is sent."""
        good = True
        for step in check_steps(self.connection, route, self.tools):
            good = good and step.ok
            yield step
        if why := route.lacks(self.connection, self.tools.now()):
            yield CheckStep(
                "We can sign what we send", ok=False, found=why, mend="Mend it, and run: aphub apply"
            )
        elif good:
            yield from look_outside(self.connection, route, self.tools)

    def for_their_it(self, route: EmailRoute) -> ForTheirIt:
        """Say what the school's IT team needs to know, and what it is asked to allow."""
        return for_their_it(self.connection, route)

    def _through_session(
        self, waiting: dict[str, Delivery]
    ) -> Generator[Answered, None, DeliveryError | None]:
        """Send what waits through the open session, taking out of `waiting` what has an answer.

        Gives the reason if the session ended without taking anything: then a new one would fare no better.
        """
        session = self._session
        if session is None:
            return None
        try:
            letters = yield from self._letters(waiting)
            for letter, outcome in send_letters(session, letters):
                delivery = waiting.pop(letter.key)
                yield (
                    letter.key,
                    outcome if isinstance(outcome, DeliveryError) else _result(session, delivery, outcome),
                )
                if _slows(outcome):
                    self._drop()  # more would be refused alike, and make it worse
                    return outcome
        except SessionEndedError as exc:
            self._drop()
            return None if session.taken and not _slows(exc.because) else exc.because
        except BaseException:
            self._drop()  # left in the middle of a message: nothing may follow on this connection
            raise
        return None

    def _by_graph(self, waiting: dict[str, Delivery]) -> Iterator[Answered]:
        """Send what waits by Graph."""
        try:
            graph = self._opened_graph()
        except DeliveryError as exc:
            yield from [(key, exc) for key in waiting]
            return
        letters = yield from self._letters(waiting)
        for letter, outcome in graph.send(letters):
            if isinstance(outcome, DeliveryError):
                yield letter.key, outcome
            else:
                yield letter.key, result_of_graph(graph, waiting[letter.key], outcome)

    def _opened_graph(self) -> GraphSession:
        if self._graph is None:
            tokens = Tokens(self.connection, self.connection.asked_for("send"), self.tools)
            self._graph = GraphSession(self.connection, tokens, self.tools)
        return self._graph

    def _letters(self, waiting: dict[str, Delivery]) -> Generator[Answered, None, list[Letter]]:
        """Put what waits into envelopes; what is no mail is answered, and waits no more."""
        letters = []
        for key, delivery in list(waiting.items()):
            letter = self._letter(delivery)
            if ended := next(iter(delivery.route.complaints(self.tools.now())), ""):
                # It held when the message was prepared. Names must not leave on a word that has run out since.
                del waiting[key]
                yield key, words.holds_no_more(ended)
            elif letter is None:
                del waiting[key]
                yield key, words.malformed()
            else:
                letters.append(letter)
        return letters

    def _letter(self, delivery: Delivery) -> Letter | None:
        """Put the one mail of a delivery in its envelope, with exactly one address on it."""
        route, documents = delivery.route, delivery.documents
        if not isinstance(route, EmailRoute) or len(documents) != 1 or documents[0].media_type != MAIL:
            return None
        return Letter(delivery.key, self.connection.from_address, route.address, documents[0].content)

    def _drop(self) -> None:
        """Close without a word."""
        session, self._session = self._session, None
        if session is not None:
            session.wire.close()


def _slows(outcome: object) -> TypeGuard[TransientDeliveryError]:
    """Say whether the server asked us to send less quickly."""
    return isinstance(outcome, TransientDeliveryError) and outcome.slow_down


def _result(session: Session, delivery: Delivery, reply: Reply) -> DeliveryResult:
    """Write down what the server said and what was proved about it."""
    host, proof = session.connection.host, session.proof
    found = _QUEUE_ID.search(" ".join(reply.lines))
    return DeliveryResult.all_taken(
        delivery,
        Rung.HANDED_OVER,
        reference=next((group for group in found.groups() if group), "") if found else "",
        evidence={
            "server": host,
            "answer": reply.text,
            "tls": proof.version,
            "cipher": proof.cipher,
            "certificate_sha256": proof.fingerprint,
        },
        hops=f"{proof.spoken_version} to {host} (verified)",
    )
