"""Find plugins by entry point, load each inside a guard, and hold what they register."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

import pluggy

from aphub.api import hooks
from aphub.api.adapters import AnyAdapter
from aphub.api.renderers import Renderer, Rendering
from aphub.api.sources import Source
from aphub.logs import get_logger

GROUP = "aphub"
log = get_logger("plugins")


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A plugin that could not be used, and why."""

    name: str
    why: str


@dataclass(slots=True)
class Plugins:
    """What the installed plugins gave, by name."""

    adapters: dict[str, type[AnyAdapter]] = field(default_factory=dict)
    sources: dict[str, type[Source[Any]]] = field(default_factory=dict)
    renderers: dict[str, Renderer] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    _listeners: list[Any] = field(default_factory=list)

    @property
    def rendering(self) -> Rendering:
        """All renderers, as adapters are given them."""
        return Rendering(self.renderers)

    def ledger_event(self, provider: str, statements: tuple[dict[str, Any], ...]) -> None:
        """Tell every listener of committed statements; one that fails is named and changes nothing."""
        for implementation in self._listeners:
            arguments = {"provider": provider, "statements": statements}
            try:
                implementation.function(*(arguments[name] for name in implementation.argnames))
            except Exception:
                log.exception("plugin.listener_failed", plugin=implementation.plugin_name)


def load(built_in: Iterable[tuple[str, object]] = ()) -> Plugins:
    """Load the built-in abilities and every installed plugin; a broken one is quarantined and named."""
    found = Plugins()
    for name, plugin in built_in:
        _take(found, name, "aphub", plugin)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        try:
            plugin = point.load()
        except Exception as exc:
            found.quarantined.append(Quarantined(point.name, f"{type(exc).__name__} while loading"))
            log.exception("plugin.quarantined", plugin=point.name)
            continue
        _take(found, point.name, origin, plugin)
    return found


def _take(found: Plugins, name: str, origin: str, plugin: object) -> None:
    """Let one plugin register, all of it or nothing."""
    one = pluggy.PluginManager("aphub")
    one.add_hookspecs(hooks)
    adapters: dict[str, type[AnyAdapter]] = {}
    sources: dict[str, type[Source[Any]]] = {}
    renderers: dict[str, Renderer] = {}
    try:
        one.register(plugin, name)
        one.check_pending()
        one.hook.register_adapters(register=lambda adapter: adapters.update({adapter.name: adapter}))
        one.hook.register_sources(register=lambda source: sources.update({source.name: source}))
        one.hook.register_renderers(register=lambda renderer: renderers.update({renderer.name: renderer}))
        taken = {**found.adapters, **found.sources, **found.renderers}
        for ability in (*adapters, *sources, *renderers):
            if ability in taken:
                message = f"'{ability}' is already given by {found.origins[ability]}"
                raise ValueError(message)  # noqa: TRY301 - the guard below names it
    except Exception as exc:
        found.quarantined.append(Quarantined(name, f"{type(exc).__name__}: {exc}"))
        log.exception("plugin.quarantined", plugin=name)
        return
    found.adapters.update(adapters)
    found.sources.update(sources)
    found.renderers.update(renderers)
    found.origins.update(dict.fromkeys((*adapters, *sources, *renderers), origin))
    found._listeners.extend(one.hook.on_ledger_event.get_hookimpls())  # noqa: SLF001 - same module
