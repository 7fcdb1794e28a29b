"""Far sides that anyone can start on loopback: a mail server, a secure drop, an aggregator of school MIS.

They are stand-ins, not the vendors' systems: an adapter that works with one has not yet been run against the vendor.
"""

from collections.abc import Sequence

from aphub.sandbox.arbor import ArborStandIn
from aphub.sandbox.certificates import CertificateKind, DemoAuthority
from aphub.sandbox.example_mis import ExampleMisStandIn
from aphub.sandbox.far_side import FarSide
from aphub.sandbox.graph import GraphStandIn
from aphub.sandbox.mis_state import MisState
from aphub.sandbox.sftp import SftpSink
from aphub.sandbox.smtp import ReceivedMail, SmtpSink
from aphub.sandbox.token_service import TokenService
from aphub.sandbox.wonde import WondeStandIn
from aphub.sandbox.xporter import XporterStandIn

__all__ = [
    "ArborStandIn",
    "CertificateKind",
    "DemoAuthority",
    "ExampleMisStandIn",
    "FarSide",
    "GraphStandIn",
    "MisState",
    "ReceivedMail",
    "SftpSink",
    "SmtpSink",
    "TokenService",
    "WondeStandIn",
    "XporterStandIn",
    "main",
]


def main(argv: Sequence[str] | None = None) -> int:
    """Start one far side by hand and serve until stopped; give the exit status."""
    from aphub.sandbox.command import run  # noqa: PLC0415 - only for those who start one by hand

    return run(argv)
