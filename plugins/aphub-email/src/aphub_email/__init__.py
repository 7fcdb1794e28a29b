"""Deliver reports by email: verified encryption to the mail server, or nothing is sent."""

from collections.abc import Callable
from typing import Any

from aphub.api import DeliveryAdapter, hookimpl
from aphub_email.adapter import EmailAdapter
from aphub_email.attested import Attestation
from aphub_email.settings import EmailConnection, EmailRoute

__all__ = ["Attestation", "EmailAdapter", "EmailConnection", "EmailRoute", "register_adapters"]


@hookimpl
def register_adapters(register: Callable[[type[DeliveryAdapter[Any, Any]]], None]) -> None:
    """Register the email adapter."""
    register(EmailAdapter)
