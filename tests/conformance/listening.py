"""A model adapter that is told things later and keeps every rule about it, and the hostile ones that each break one."""

import json
import logging
from collections.abc import Iterator

import httpx
import respx

from aphub.api import (
    Call,
    Called,
    CallState,
    Collected,
    LaterKind,
    LaterNews,
    TransientDeliveryError,
    http_errors_as_delivery_errors,
)
from aphub.testing import PLANTED_PUPIL, SAMPLE_NOW
from tests.conformance.webhook import Plugin, WebhookAdapter, WebhookConnection, WebhookRoute

__all__ = ["Plugin", "WebhookConnection", "WebhookRoute"]

BOX = "https://answers.example.org/since/"


class Box:
    """Answers of the organisation, read by number over HTTP."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.said: list[dict[str, str]] = []
        self.changes = 0
        self.here = True
        router.route(url__startswith=BOX).mock(side_effect=self._answer)

    def says(self, reference: str) -> None:
        self._says(reference)

    def says_nothing_of_ours(self) -> None:
        self._says("")

    def is_unreachable(self) -> None:
        self.here = False

    def accepts(self) -> None:
        self.here = True

    def _says(self, about: str) -> None:
        words = f"{PLANTED_PUPIL.given_name} is at home."
        self.said.append({"id": str(len(self.said) + 1), "about": about, "words": words})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if not self.here:
            raise httpx.ConnectError("nobody there")
        if request.method != "GET":
            self.changes += 1
        return httpx.Response(200, json=self.said[int(request.url.path.rpartition("/")[2]) :])


def some_calls() -> list[tuple[Call, str]]:
    """Give calls that are theirs: signed with the planted token."""
    return [(Call({"write": "w-1", "done": "yes"}, {"x-from": "webhook"}, b"", SAMPLE_NOW), "w-1")]


class ListeningAdapter(WebhookAdapter):
    """Reads answers by their number, and hears calls that say where they come from."""

    collects = True
    is_called = True

    def collect(self, after: str) -> Collected:
        with http_errors_as_delivery_errors(), self.tools.http() as client:
            said = client.get(f"{BOX}{after or 0}").json()
        news = tuple(self.news(said))
        return Collected(str(int(after or 0) + len(said)), news)

    def news(self, said: list[dict[str, str]]) -> Iterator[LaterNews]:
        for one in said:
            if one["about"]:
                yield LaterNews(LaterKind.REPLY, f"answer {one['id']}", (one["about"],), words=one["words"])

    def hear(self, call: Call) -> Called | None:
        reference = call.query.get("write", "")
        if call.headers.get("x-from") != "webhook" or not reference:
            return None
        return Called(reference, CallState.DONE)


class ReadsEverythingAnew(ListeningAdapter):
    def collect(self, after: str) -> Collected:
        return super().collect("")


class NamesItAnew(ListeningAdapter):
    count = 0

    def news(self, said: list[dict[str, str]]) -> Iterator[LaterNews]:
        for one in super().news(said):
            NamesItAnew.count += 1
            yield LaterNews(one.kind, f"{one.identity} {self.count}", one.about, words=one.words)


class TidiesUp(ListeningAdapter):
    def collect(self, after: str) -> Collected:
        collected = super().collect(after)
        with self.tools.http() as client:
            client.post(f"{BOX}0")
        return collected


class HearsWhatWasNotSaid(ListeningAdapter):
    def news(self, said: list[dict[str, str]]) -> Iterator[LaterNews]:
        for one in said:
            about = (one["about"] or "RB-7Q4K2M9P-9",)
            yield LaterNews(LaterKind.REPLY, f"answer {one['id']}", about, words=one["words"])


class TakesSilenceForNothing(ListeningAdapter):
    def collect(self, after: str) -> Collected:
        try:
            return super().collect(after)
        except TransientDeliveryError:
            return Collected(after)


class LogsTheAnswer(ListeningAdapter):
    def news(self, said: list[dict[str, str]]) -> Iterator[LaterNews]:
        logging.getLogger("hostile").debug("heard %s", json.dumps(said))
        return super().news(said)


class HearsAnybody(ListeningAdapter):
    def hear(self, call: Call) -> Called | None:
        return super().hear(call) or Called("w-1", CallState.DONE)
