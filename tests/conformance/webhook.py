"""A model adapter that keeps every rule, and the hostile ones that each break exactly one."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from aphub.api import (
    CheckStep,
    ConnectionSettings,
    Delivery,
    DeliveryAdapter,
    DeliveryResult,
    Document,
    Outbound,
    RefusedDeliveryError,
    Repeat,
    RouteSettings,
    Rung,
    Tools,
    TransientDeliveryError,
    UncertainDeliveryError,
    aphub_csv,
    hookimpl,
    http_errors_as_delivery_errors,
)


class WebhookConnection(ConnectionSettings):
    url: str = Field(description="where the organisation's system listens")
    token: SecretStr = Field(description="proves who we are; write it as secret:NAME")


class WebhookRoute(RouteSettings):
    box: str = Field(default="marks", description="which box of theirs")


class WebhookAdapter(DeliveryAdapter[WebhookConnection, WebhookRoute]):
    """POST each document; the idempotency key makes a repeated POST harmless."""

    name = "webhook"
    connection_class = WebhookConnection
    route_class = WebhookRoute
    repeat = Repeat.HARMLESS
    reaches = Rung.HANDED_OVER
    looks_up = False

    def __init__(self, connection: WebhookConnection, tools: Tools) -> None:
        super().__init__(connection, tools)
        self.client: httpx.Client | None = None

    @classmethod
    def compose(cls, outbound: Outbound, route: WebhookRoute) -> tuple[Document, ...]:  # noqa: ARG003 - one box
        content = aphub_csv(list(outbound.rows))
        return (Document(f"{outbound.message.file_stem}.csv", "text/csv", content),)

    def open(self) -> None:
        token = self.connection.token.get_secret_value()
        self.client = self.tools.http(headers={"Authorization": f"Bearer {token}"})

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None

    def post(self, content: bytes, key: str) -> httpx.Response:
        assert self.client is not None
        with http_errors_as_delivery_errors():
            url = f"{self.connection.url}/marks"
            response = self.client.post(url, content=content, headers={"Idempotency-Key": key})
            response.raise_for_status()
        return response

    def deliver(self, delivery: Delivery) -> DeliveryResult:
        for number, document in enumerate(delivery.documents):
            self.post(document.content, f"{delivery.key}-{number}-{document.name}")
        return DeliveryResult.all_taken(delivery, Rung.HANDED_OVER)

    def check(self, route: WebhookRoute) -> Iterator[CheckStep]:
        self.open()
        try:
            assert self.client is not None
            status = self.client.get(self.connection.url).status_code
        except httpx.HTTPError:
            yield CheckStep("reached", ok=False, mend="Check the address with the organisation's IT team")
        else:
            ok = status < 400
            yield CheckStep(
                "answers", ok=ok, found=f"HTTP {status}", mend="" if ok else "Ask them for access"
            )
        finally:
            self.close()


class EatsSpaces(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        for number, document in enumerate(delivery.documents):
            content = document.content
            if not content.startswith(b"schema,"):
                content = content.replace(b"\0", b"")
            self.post(content, f"{delivery.key}-{number}-{document.name}")
        return DeliveryResult.all_taken(delivery, Rung.HANDED_OVER)


class ClaimsTooMuch(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        with suppress(RefusedDeliveryError):
            return super().deliver(delivery)
        return DeliveryResult.all_taken(delivery, Rung.HANDED_OVER)


class TriesAgain(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        try:
            return super().deliver(delivery)
        except TransientDeliveryError:
            return super().deliver(delivery)


class CallsRefusalTransient(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        try:
            return super().deliver(delivery)
        except RefusedDeliveryError as exc:
            raise TransientDeliveryError("Not now.") from exc


class ForgetsTheWait(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        try:
            return super().deliver(delivery)
        except TransientDeliveryError as exc:
            raise TransientDeliveryError("Not now.") from exc


class GuessesThatNothingArrived(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        try:
            return super().deliver(delivery)
        except UncertainDeliveryError as exc:
            raise TransientDeliveryError("No answer.") from exc


class LogsTheRows(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        logging.getLogger("hostile").debug("sending %s", [row["upn"] for row in delivery.rows])
        return super().deliver(delivery)


class PutsTheTokenIntoErrors(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        try:
            return super().deliver(delivery)
        except RefusedDeliveryError as exc:
            words = f"They refused {self.connection.token.get_secret_value()}."
            raise RefusedDeliveryError(words) from exc


class LooseConnection(ConnectionSettings, extra="ignore"):
    url: str = Field(description="where the organisation's system listens")
    token: SecretStr = Field(description="proves who we are; write it as secret:NAME")


class TakesAnySetting(WebhookAdapter):
    connection_class: ClassVar[Any] = LooseConnection


class SendsYesterdaysToo(WebhookAdapter):
    def __init__(self, connection: WebhookConnection, tools: Tools) -> None:
        super().__init__(connection, tools)
        self.sent: list[bytes] = []

    def post(self, content: bytes, key: str) -> httpx.Response:
        self.sent.append(content)
        return super().post(b"".join(self.sent), key)


class WaitsForEver(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        try:
            return super().deliver(delivery)
        except UncertainDeliveryError as exc:
            if isinstance(exc.__cause__, httpx.ReadTimeout):
                time.sleep(1.0)
            raise


class ClosesOnceQuietly(WebhookAdapter):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        super().close()
        self.closed = self.client is None


class GoesByAnotherName(WebhookAdapter):
    """Registered under the right name, but it is another class that is found."""


class PhonesHome(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        with suppress(OSError), socket.socket() as line:
            line.settimeout(0.2)
            line.connect(("127.0.0.1", 9))
        return super().deliver(delivery)


class AnswersHalf(WebhookAdapter):
    def deliver(self, delivery: Delivery) -> DeliveryResult:
        result = super().deliver(delivery)
        return DeliveryResult(result.rung, result.results[:1])


class AnswersABurstTwice(WebhookAdapter):
    def deliver_many(self, deliveries: Any) -> Iterator[Any]:
        for answer in super().deliver_many(deliveries):
            yield answer
            yield answer


class ComposesByTheClock(WebhookAdapter):
    @classmethod
    def compose(cls, outbound: Outbound, route: WebhookRoute) -> tuple[Document, ...]:
        (document,) = super().compose(outbound, route)
        return (Document(f"{time.monotonic_ns()}-{document.name}", document.media_type, document.content),)


class NamesThePupil(WebhookAdapter):
    @classmethod
    def compose(cls, outbound: Outbound, route: WebhookRoute) -> tuple[Document, ...]:
        (document,) = super().compose(outbound, route)
        upn = outbound.message.reports[0].upn
        return (Document(f"{upn}-{document.name}", document.media_type, document.content),)


class HidesATest(WebhookAdapter):
    @classmethod
    def compose(cls, outbound: Outbound, route: WebhookRoute) -> tuple[Document, ...]:
        (document,) = super().compose(outbound, route)
        name = document.name.removeprefix("TEST-")
        return (Document(name, document.media_type, document.content),)


class ChecksWithARealPost(WebhookAdapter):
    def check(self, route: WebhookRoute) -> Iterator[CheckStep]:
        yield from super().check(route)
        self.open()
        with suppress(Exception):
            self.post(b"a test", "check")
        self.close()


class FailsWithoutAMend(WebhookAdapter):
    def check(self, route: WebhookRoute) -> Iterator[CheckStep]:
        for step in super().check(route):
            yield CheckStep(step.step, ok=step.ok, found=step.found)


class RepeatsUnderAnotherKey(WebhookAdapter):
    def post(self, content: bytes, key: str) -> httpx.Response:
        return super().post(content, f"{key}-{time.monotonic_ns()}")


class LooksUpAndFindsAll(WebhookAdapter):
    looks_up = True

    def look_up(self, delivery: Delivery) -> DeliveryResult | None:
        return DeliveryResult.all_taken(delivery, Rung.HANDED_OVER)


class FollowsUpByHalf(WebhookAdapter):
    follows_up = True

    def follow_up(self, delivery: Delivery, reference: str) -> DeliveryResult | None:
        return DeliveryResult(Rung.ACCEPTED, ())


class Plugin:
    """What a hostile plugin registers."""

    def __init__(self, adapter: type[DeliveryAdapter[Any, Any]]) -> None:
        self.adapter = adapter

    @hookimpl
    def register_adapters(self, register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
        register(self.adapter)
