"""Deliver reports by telephone: a task with what to say and until when; the call that was answered counts."""

from collections.abc import Callable
from typing import Any

from aphub.api import DeliveryAdapter, hookimpl
from aphub_phone.adapter import PhoneAdapter
from aphub_phone.settings import PhoneConnection, PhoneRoute

__all__ = ["PhoneAdapter", "PhoneConnection", "PhoneRoute", "register_adapters"]


@hookimpl
def register_adapters(register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
    """Register the adapter."""
    register(PhoneAdapter)
