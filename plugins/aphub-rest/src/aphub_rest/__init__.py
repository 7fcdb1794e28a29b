"""Write attendance into a school's own register through any JSON API that a template describes."""

from collections.abc import Callable
from typing import Any

from aphub.api import DeliveryAdapter, hookimpl
from aphub_rest.adapter import RestAdapter
from aphub_rest.settings import RestConnection, RestRoute

__all__ = ["RestAdapter", "RestConnection", "RestRoute", "register_adapters"]


@hookimpl
def register_adapters(register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
    """Register the adapter."""
    register(RestAdapter)
