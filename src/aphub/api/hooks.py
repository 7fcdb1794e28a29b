"""The four hooks by which a plugin adds an ability."""

from collections.abc import Callable
from typing import Any

import pluggy

from aphub.api.adapters import DeliveryAdapter
from aphub.api.renderers import Renderer
from aphub.api.sources import Source

hookspec = pluggy.HookspecMarker("aphub")
hookimpl = pluggy.HookimplMarker("aphub")


@hookspec
def register_sources(register: Callable[[type[Source[Any]]], None]) -> None:
    """Register the sources that bring marks in."""


@hookspec
def register_renderers(register: Callable[[Renderer], None]) -> None:
    """Register the renderers that make documents of a message."""


@hookspec
def register_adapters(register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
    """Register the adapters that carry messages to far sides."""


@hookspec
def on_ledger_event(provider: str, statements: tuple[dict[str, Any], ...]) -> None:
    """Hear of committed ledger statements; nothing can be changed any more."""
