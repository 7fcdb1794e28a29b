"""What authors of plugins need for their tests: invented people, sample deliveries, recorded deliveries, a search for leaks."""

from aphub.testing.people import InventedPupil, invented_pupil, invented_upn
from aphub.testing.planted import (
    PLANTED,
    PLANTED_PUPIL,
    PLANTED_SECRET,
    Found,
    search_for_planted,
)
from aphub.testing.recording import Recorded, Recorder
from aphub.testing.registers import REGISTER_CODES, register_delivery, sample_row
from aphub.testing.rendering import plain_rendering
from aphub.testing.samples import (
    LOOPBACK,
    SAMPLE_DAY,
    SAMPLE_FILE_PASSWORD,
    SAMPLE_NOW,
    SAMPLE_SIGNED_CODES,
    sample_delivery,
    sample_message,
    sample_outbound,
    sample_reference,
    sample_report,
    sample_summary,
    sample_tools,
)

__all__ = [
    "LOOPBACK",
    "PLANTED",
    "PLANTED_PUPIL",
    "PLANTED_SECRET",
    "REGISTER_CODES",
    "SAMPLE_DAY",
    "SAMPLE_FILE_PASSWORD",
    "SAMPLE_NOW",
    "SAMPLE_SIGNED_CODES",
    "Found",
    "InventedPupil",
    "Recorded",
    "Recorder",
    "invented_pupil",
    "invented_upn",
    "plain_rendering",
    "register_delivery",
    "sample_delivery",
    "sample_message",
    "sample_outbound",
    "sample_reference",
    "sample_report",
    "sample_row",
    "sample_summary",
    "sample_tools",
    "search_for_planted",
]
