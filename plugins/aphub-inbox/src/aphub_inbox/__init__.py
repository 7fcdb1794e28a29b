"""Take registers from a watched folder, as CSV and XLSX."""

from collections.abc import Callable
from typing import Any

from aphub.api import Source, hookimpl
from aphub_inbox.inbox import Inbox
from aphub_inbox.settings import InboxSettings

__all__ = ["Inbox", "InboxSettings", "register_sources"]


@hookimpl
def register_sources(register: Callable[[type[Source[Any]]], None]) -> None:
    """Register the folder source."""
    register(Inbox)
