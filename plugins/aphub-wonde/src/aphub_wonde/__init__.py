"""Write attendance into a school's own register through Wonde's write-back API."""

from collections.abc import Callable
from typing import Any

from aphub.api import DeliveryAdapter, hookimpl
from aphub_wonde.adapter import WondeAdapter
from aphub_wonde.settings import WondeConnection, WondeRoute

__all__ = ["WondeAdapter", "WondeConnection", "WondeRoute", "register_adapters"]


@hookimpl
def register_adapters(register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
    """Register the adapter."""
    register(WondeAdapter)
