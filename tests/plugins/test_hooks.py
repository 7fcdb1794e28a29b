"""Each hook does what its sentence says, and a plugin that breaks takes nobody along."""

from collections.abc import Callable
from typing import Any

from aphub.api import ConnectionSettings, DeliveryAdapter, RouteSettings, Source, hookimpl
from aphub.plugins import load


class Pigeon(DeliveryAdapter[ConnectionSettings, RouteSettings]):
    """An adapter that is registered here, and never flies."""

    name = "pigeon"


class Chalkboard(Source[Any]):
    """A source that is registered here, and never read."""

    name = "chalkboard"


class Poster:
    """A renderer that writes one word."""

    name = "poster"
    media_type = "text/plain"

    def render(self, _message: object, *, named: bool) -> bytes:
        return b"poster" if named else b"p."


class Complete:
    """A plugin that uses every hook, and keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []

    @hookimpl
    def register_adapters(self, register: Callable[[object], None]) -> None:
        register(Pigeon)

    @hookimpl
    def register_sources(self, register: Callable[[object], None]) -> None:
        register(Chalkboard)

    @hookimpl
    def register_renderers(self, register: Callable[[Poster], None]) -> None:
        register(Poster())

    @hookimpl
    def on_ledger_event(self, provider: str, statements: tuple[dict[str, Any], ...]) -> None:
        self.heard.append((provider, len(statements)))


class HalfDone:
    """A plugin that registers something, and then breaks."""

    @hookimpl
    def register_adapters(self, register: Callable[[object], None]) -> None:
        register(Pigeon)

    @hookimpl
    def register_sources(self, register: object) -> None:
        raise RuntimeError("no chalk")


class Misspelt:
    """A plugin that says a hook's name wrongly."""

    @hookimpl
    def register_adaptors(self, register: object) -> None:
        raise AssertionError("never called")


class Deaf:
    """A plugin that breaks when it hears something."""

    @hookimpl
    def on_ledger_event(self, provider: str) -> None:
        raise RuntimeError(provider)


def test_hook_register_adapters():
    assert load([("complete", Complete())]).adapters["pigeon"] is Pigeon


def test_hook_register_sources():
    assert load([("complete", Complete())]).sources["chalkboard"] is Chalkboard


def test_hook_register_renderers():
    found = load([("complete", Complete())])

    assert found.rendering.by_name["poster"].media_type == "text/plain"


def test_hook_on_ledger_event():
    plugin = Complete()

    load([("complete", plugin)]).ledger_event("sentre", ({"type": "epoch"}, {"type": "report"}))

    assert plugin.heard == [("sentre", 2)]


def test_a_listener_that_breaks_changes_nothing_for_the_others():
    plugin = Complete()

    load([("deaf", Deaf()), ("complete", plugin), ("deaf too", Deaf())]).ledger_event("ypm", ())

    assert plugin.heard == [("ypm", 0)]


def test_a_plugin_that_breaks_half_way_registers_nothing_and_is_named():
    found = load([("half", HalfDone()), ("complete", Complete())])

    assert [(one.name, one.why) for one in found.quarantined] == [("half", "RuntimeError: no chalk")]
    assert found.origins["pigeon"] == "aphub"
    assert "chalkboard" in found.sources


def test_a_misspelt_hook_is_an_error_and_not_silence():
    (broken,) = load([("misspelt", Misspelt())]).quarantined

    assert broken.name == "misspelt"
    assert "register_adaptors" in broken.why


def test_two_plugins_cannot_give_the_same_ability():
    (second,) = load([("first", Complete()), ("second", Complete())]).quarantined

    assert second.name == "second"
    assert "already given" in second.why


def test_every_installed_plugin_is_found_and_none_is_broken():
    found = load()

    assert found.quarantined == []
    assert {"email", "wonde"} <= found.adapters.keys()
