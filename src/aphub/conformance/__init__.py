"""The kit for authors of plugins: inherit one class, and every promise of a delivery adapter is tested.

Imported by name only when asked for, since pytest loads this package in every run.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aphub.conformance.far_sides import FarSide, Kept, RowFarSide, WrittenMark
    from aphub.conformance.http_far_side import HttpFarSide
    from aphub.conformance.later_far_sides import ImapFarSide, LaterFarSide
    from aphub.conformance.register_far_side import RegisterFarSide, WondeFarSide, kit_school
    from aphub.conformance.rules import DeliveryAdapterRules, RegisterAdapterRules
    from aphub.conformance.sftp_far_side import SftpFarSide
    from aphub.conformance.smtp_far_side import SmtpFarSide

__all__ = [
    "DeliveryAdapterRules",
    "FarSide",
    "HttpFarSide",
    "ImapFarSide",
    "Kept",
    "LaterFarSide",
    "RegisterAdapterRules",
    "RegisterFarSide",
    "RowFarSide",
    "SftpFarSide",
    "SmtpFarSide",
    "WondeFarSide",
    "WrittenMark",
    "kit_school",
]

_HOMES = {
    "DeliveryAdapterRules": "rules",
    "FarSide": "far_sides",
    "HttpFarSide": "http_far_side",
    "ImapFarSide": "later_far_sides",
    "Kept": "far_sides",
    "LaterFarSide": "later_far_sides",
    "RegisterAdapterRules": "rules",
    "RegisterFarSide": "register_far_side",
    "RowFarSide": "far_sides",
    "SftpFarSide": "sftp_far_side",
    "SmtpFarSide": "smtp_far_side",
    "WondeFarSide": "register_far_side",
    "WrittenMark": "far_sides",
    "kit_school": "register_far_side",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
