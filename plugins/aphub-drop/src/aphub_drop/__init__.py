"""Deliver reports as files: over SFTP to a pinned server, or into a mounted folder."""

from collections.abc import Callable
from typing import Any

from aphub.api import DeliveryAdapter, hookimpl
from aphub_drop.adapter import DropAdapter
from aphub_drop.folder import FolderAdapter
from aphub_drop.settings import DropConnection, DropRoute, FolderConnection, FolderRoute

__all__ = [
    "DropAdapter",
    "DropConnection",
    "DropRoute",
    "FolderAdapter",
    "FolderConnection",
    "FolderRoute",
    "register_adapters",
]


@hookimpl
def register_adapters(register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
    """Register both adapters."""
    register(DropAdapter)
    register(FolderAdapter)
