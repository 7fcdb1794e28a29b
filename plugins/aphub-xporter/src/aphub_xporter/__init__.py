"""Write attendance into a school's own register through Xporter on Demand."""

from collections.abc import Callable
from typing import Any

from aphub.api import DeliveryAdapter, hookimpl
from aphub_xporter.adapter import XporterAdapter
from aphub_xporter.settings import XporterConnection, XporterRoute

__all__ = ["XporterAdapter", "XporterConnection", "XporterRoute", "register_adapters"]


@hookimpl
def register_adapters(register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
    """Register the adapter."""
    register(XporterAdapter)
