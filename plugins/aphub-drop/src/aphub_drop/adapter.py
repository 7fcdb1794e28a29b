"""The SFTP adapter: one connection for a burst, many files in flight, each with its own answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import ClassVar

import asyncssh

from aphub.api import (
    Answer,
    CheckStep,
    Delivery,
    DeliveryAdapter,
    DeliveryError,
    DeliveryResult,
    Document,
    Outbound,
    Repeat,
    Rung,
    Tools,
)
from aphub_drop import words
from aphub_drop.answers import Found, result_of_answer, wanted
from aphub_drop.background import BackgroundLoop
from aphub_drop.check import check_steps
from aphub_drop.files import LAYOUTS, PROTECTION, RECEIPT, composed, result_of, safe_name
from aphub_drop.placing import answer_file, place, place_directly, what_is_there
from aphub_drop.session import Session, leave, open_session
from aphub_drop.settings import DropConnection, DropRoute

Answered = tuple[str, DeliveryResult | DeliveryError]


class DropAdapter(DeliveryAdapter[DropConnection, DropRoute]):
    """Puts files on an SFTP server; the same file again is recognised and changes nothing."""

    name = "drop"
    connection_class = DropConnection
    route_class = DropRoute
    repeat = Repeat.HARMLESS
    reaches = Rung.ACCEPTED
    looks_up = True
    follows_up = True
    burst = 64
    capabilities: ClassVar[dict[str, str]] = {
        "encryption": "SSH to the server whose key is pinned; else nothing is sent",
        "receipt": RECEIPT,
        "protection": PROTECTION,
        "layouts": LAYOUTS,
    }

    def __init__(self, connection: DropConnection, tools: Tools) -> None:
        """Keep settings and tools; open nothing yet."""
        super().__init__(connection, tools)
        self._loop: BackgroundLoop | None = None
        self._session: Session | None = None

    @classmethod
    def compose(cls, outbound: Outbound, route: DropRoute) -> tuple[Document, ...]:
        """Make the files; their names have only safe fields."""
        return composed(outbound, route)

    def open(self) -> None:
        """Connect, see the pinned host key, and sign in; a live connection is kept."""
        if self._session is not None and self._session.alive:
            return
        self._session = None
        try:
            self._session = self._background().run(open_session(self.connection, self.tools.reach))
        finally:
            if self._session is None:
                self.close()

    def close(self) -> None:
        """Leave politely; a second call does nothing."""
        loop, session = self._loop, self._session
        self._loop = self._session = None
        if loop is None:
            return
        try:
            if session is not None:
                loop.run(leave(session))
        finally:
            loop.stop()

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Try once to put the delivery's files there."""
        ((_, answer),) = self.deliver_many([delivery])
        if isinstance(answer, DeliveryError):
            raise answer
        return answer

    def deliver_many(self, deliveries: Sequence[Delivery]) -> Iterator[Answered]:
        """Put many there at once over the one connection, giving each answer as it is known."""
        if self._session is None:
            for delivery in deliveries:
                yield delivery.key, words.lost_before()
            return
        yield from self._background().each(self._burst(self._session, deliveries))

    def look_up(self, delivery: Delivery) -> DeliveryResult | None:
        """Look for the delivery's files by name and compare every byte; connects again if the line went."""
        self.open()
        return self._background().run(self._look_up(self._session, delivery))

    def follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:  # noqa: ARG002 - found by name
        """Look for their answer file; None while there is none."""
        self.open()
        return self._background().run(self._answered(self._session, delivery))

    def check(self, route: DropRoute) -> Iterator[CheckStep]:
        """Walk the way step by step, with a test file that holds no pupil and is removed again."""
        loop = BackgroundLoop()
        try:
            yield from loop.each(check_steps(self.connection, route, self.tools))
        finally:
            loop.stop()

    def _background(self) -> BackgroundLoop:
        if self._loop is None:
            self._loop = BackgroundLoop()
        return self._loop

    async def _burst(self, session: Session, deliveries: Sequence[Delivery]) -> AsyncIterator[Answered]:
        """Let some workers share the deliveries, and give each answer as it comes."""
        waiting = iter(deliveries)
        answered: asyncio.Queue[Answered | Exception] = asyncio.Queue()

        async def work(files: asyncssh.SFTPClient) -> None:
            for delivery in waiting:
                try:
                    answered.put_nowait((delivery.key, await self._one(session, files, delivery)))
                except Exception as exc:  # noqa: BLE001 - a fault of ours must reach the hub, not end in a silent task
                    answered.put_nowait(exc)

        workers = [
            asyncio.create_task(work(session.channels[number % len(session.channels)]))
            for number in range(min(self.connection.in_flight, len(deliveries)))
        ]
        try:
            for _ in deliveries:
                answer = await answered.get()
                if isinstance(answer, Exception):
                    raise answer
                yield answer
        finally:
            for worker in workers:
                worker.cancel()

    async def _one(
        self, session: Session, files: asyncssh.SFTPClient, delivery: Delivery
    ) -> DeliveryResult | DeliveryError:
        try:
            if not session.alive:
                raise words.lost_before()
            return await self._place(session, files, delivery)
        except DeliveryError as exc:
            return exc

    async def _place(
        self, session: Session, files: asyncssh.SFTPClient, delivery: Delivery
    ) -> DeliveryResult:
        route = _route(delivery)
        folder = route.folder.rstrip("/")
        seconds, read_back = self.connection.timeout, self.connection.read_back
        answers: list[tuple[str, Answer]] = []
        for document in delivery.documents:
            name, content = safe_name(document), document.content
            last = document is delivery.documents[-1]
            if route.ready_file:
                path = f"{folder}/{name}"
                answer = await place_directly(
                    files, path, content, seconds=seconds, read_back=read_back, last=last
                )
            else:
                answer = await place(
                    files, folder, name, content, seconds=seconds, read_back=read_back, last=last
                )
            answers.append((f"{folder}/{name}", answer))
            if answer is Answer.DIFFERS:
                # Nothing may say that all is there, or follow a file that is somebody else's.
                break
        evidence = {"read back": "every byte" if self.connection.read_back else "size only"}
        return result_of(delivery, answers, evidence=evidence, hops=session.hops)

    async def _look_up(self, session: Session | None, delivery: Delivery) -> DeliveryResult | None:
        if session is None:
            raise words.lost_before()
        answer = await self._answered(session, delivery)
        if answer is not None:
            return answer
        folder = _route(delivery).folder.rstrip("/")
        answers: list[tuple[str, Answer]] = []
        for document in delivery.documents:
            found = await what_is_there(
                session.channels[0],
                folder,
                safe_name(document),
                document.content,
                seconds=self.connection.timeout,
            )
            if found is None:
                return None
            answers.append((f"{folder}/{document.name}", found))
        return result_of(delivery, answers, evidence={"read back": "every byte, later"}, hops=session.hops)

    async def _answered(self, session: Session | None, delivery: Delivery) -> DeliveryResult | None:
        if session is None:
            raise words.lost_before()
        for one in wanted(delivery, _route(delivery)):
            content = await answer_file(session.channels[0], one.path, seconds=self.connection.timeout)
            if content is not None:
                return result_of_answer(delivery, Found(one, content), hops=session.hops)
        return None


def _route(delivery: Delivery) -> DropRoute:
    """Give the delivery's route, which is one of ours."""
    if not isinstance(delivery.route, DropRoute):
        message = "a drop is given routes of its own"
        raise TypeError(message)
    return delivery.route
