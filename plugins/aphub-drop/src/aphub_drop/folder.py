"""The same drop into a folder that is mounted on this machine: a share of the council, or a synchronised folder."""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar

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
)
from aphub_drop import words
from aphub_drop.answers import Found, result_of_answer, wanted
from aphub_drop.check import recipient_step
from aphub_drop.files import (
    LAYOUTS,
    PROTECTION,
    RECEIPT,
    composed,
    result_of,
    safe_name,
)
from aphub_drop.placing_here import (
    as_delivery_errors,
    as_reading_errors,
    beginning,
    compared,
    place_directly_in_folder,
    place_in_folder,
)
from aphub_drop.settings import FolderConnection, FolderRoute

_TEST_CONTENT = (
    b"aphub checked that it can write, rename, read and remove here. This file may be deleted.\r\n"
)


class FolderAdapter(DeliveryAdapter[FolderConnection, FolderRoute]):
    """Puts files into a mounted folder; the same file again is recognised and changes nothing."""

    name = "folder"
    connection_class = FolderConnection
    route_class = FolderRoute
    repeat = Repeat.HARMLESS
    reaches = Rung.ACCEPTED
    looks_up = True
    follows_up = True
    capabilities: ClassVar[dict[str, str]] = {
        "encryption": "none of ours: whoever mounted the share answers for the way to it",
        "receipt": RECEIPT,
        "protection": PROTECTION,
        "layouts": LAYOUTS,
    }

    @classmethod
    def compose(cls, outbound: Outbound, route: FolderRoute) -> tuple[Document, ...]:
        """Make the files; their names have only safe fields."""
        return composed(outbound, route)

    def open(self) -> None:
        """See that the share is there."""
        path = self.connection.path
        try:
            there = path.is_dir() and (os.path.ismount(path) or not self.connection.must_be_mounted)
        except OSError as exc:
            raise words.not_mounted() from exc
        if not there:
            raise words.not_mounted()

    def close(self) -> None:
        """Nothing is held open."""

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Try once to put the delivery's files there."""
        # Asked again for each: a share that went since would leave an ordinary folder to write into.
        self.open()
        route = _route(delivery.route)
        folder = self.connection.path / route.folder
        answers: list[tuple[str, Answer]] = []
        for document in delivery.documents:
            place = place_directly_in_folder if route.ready_file else place_in_folder
            path, answer = folder / safe_name(document), place(folder, document)
            answers.append((str(path), answer))
            if answer is Answer.DIFFERS:
                # Nothing may say that all is there, or follow a file that is somebody else's.
                break
        return self._result(delivery, answers)

    def look_up(self, delivery: Delivery) -> DeliveryResult | None:
        """Look for the delivery's files by name and compare every byte."""
        if (answer := self.follow_up(delivery, "")) is not None:
            return answer
        folder = self.connection.path / _route(delivery.route).folder
        answers: list[tuple[str, Answer]] = []
        for document in delivery.documents:
            path = folder / safe_name(document)
            with as_delivery_errors():
                found = compared(path, document.content)
            if found is None:
                return None
            answers.append((str(path), found))
        return self._result(delivery, answers)

    def follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:  # noqa: ARG002 - found by name
        """Look for their answer file; None while there is none."""
        self.open()
        for one in wanted(delivery, _route(delivery.route)):
            with suppress(FileNotFoundError, NotADirectoryError), as_reading_errors():
                content = beginning(self.connection.path / one.path)
                return result_of_answer(delivery, Found(one, content), hops=self._hops)
        return None

    def check(self, route: FolderRoute) -> Iterator[CheckStep]:
        """Write, rename, read back and remove a test file that holds no pupil."""
        if route.reader is not None:
            found = recipient_step(route, self.tools.now())
            yield found
            if not found.ok:
                return
        document = Document(f"aphub-check-{secrets.token_hex(4)}", "text/plain", _TEST_CONTENT)
        step = "The share is there"
        try:
            self.open()
            yield CheckStep(step, ok=True, found=str(self.connection.path))
            step = "A test file can be written, read back and named"
            folder = self.connection.path / route.folder
            (place_directly_in_folder if route.ready_file else place_in_folder)(folder, document)
            yield CheckStep(step, ok=True, found=route.folder)
            step = "It can be removed"
            with as_delivery_errors():
                (folder / document.name).unlink()
            yield CheckStep(step, ok=True)
            if route.answers is not None:
                step = "Their answers can be looked for"
                try:
                    list((self.connection.path / (route.answers.folder or route.folder)).iterdir())
                except OSError as exc:
                    raise words.no_answers() from exc
                yield CheckStep(step, ok=True, found=route.answers.folder or route.folder)
        except DeliveryError as exc:
            yield CheckStep(step, ok=False, found=str(exc), mend=exc.what_now or "Try again in a few minutes")

    @property
    def _hops(self) -> str:
        return f"this machine's mount at {self.connection.path}"

    def _result(self, delivery: Delivery, answers: list[tuple[str, Answer]]) -> DeliveryResult:
        return result_of(delivery, answers, evidence={"read back": "every byte"}, hops=self._hops)


def _route(route: object) -> FolderRoute:
    if not isinstance(route, FolderRoute):
        message = "a folder is given routes of its own"
        raise TypeError(message)
    return route
