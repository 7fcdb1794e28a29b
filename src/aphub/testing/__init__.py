"""What authors of plugins need for their tests: invented people, sample deliveries, a search for leaks."""

from aphub.testing.people import InventedPupil, invented_pupil, invented_upn
from aphub.testing.planted import (
    PLANTED,
    PLANTED_PUPIL,
    PLANTED_SECRET,
    Found,
    search_for_planted,
)
from aphub.testing.rendering import plain_rendering
from aphub.testing.samples import (
    SAMPLE_DAY,
    SAMPLE_FILE_PASSWORD,
    SAMPLE_NOW,
    SAMPLE_SIGNED_CODES,
    sample_delivery,
    sample_message,
    sample_outbound,
    sample_reference,
    sample_report,
    sample_tools,
)

__all__ = [
    "PLANTED",
    "PLANTED_PUPIL",
    "PLANTED_SECRET",
    "SAMPLE_DAY",
    "SAMPLE_FILE_PASSWORD",
    "SAMPLE_NOW",
    "SAMPLE_SIGNED_CODES",
    "Found",
    "InventedPupil",
    "invented_pupil",
    "invented_upn",
    "plain_rendering",
    "sample_delivery",
    "sample_message",
    "sample_outbound",
    "sample_reference",
    "sample_report",
    "sample_tools",
    "search_for_planted",
]
