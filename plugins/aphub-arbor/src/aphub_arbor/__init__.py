"""Write attendance into a school's own register in Arbor."""

from collections.abc import Callable
from typing import Any

from aphub.api import DeliveryAdapter, hookimpl
from aphub_arbor.adapter import ArborAdapter
from aphub_arbor.settings import ArborConnection, ArborRoute

__all__ = ["ArborAdapter", "ArborConnection", "ArborRoute", "register_adapters"]


@hookimpl
def register_adapters(register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
    """Register the adapter."""
    register(ArborAdapter)
