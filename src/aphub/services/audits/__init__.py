"""Papers for who audits: registers, correspondence, trackers, percentages, patterns, and a council's questions."""

from collections.abc import Callable, Mapping

from aphub.domain.papers import Paper
from aphub.services.audits.correspondence import correspondence
from aphub.services.audits.council import for_council
from aphub.services.audits.registers import audit_registers, signed_register
from aphub.services.audits.trackers import pattern_review, tracker, weekly_percentage
from aphub.services.audits.wanted import Wanted
from aphub.services.desk import Desk

__all__ = ["AUDITS", "Wanted", "audit"]

AUDITS: Mapping[str, tuple[Callable[[Desk, Wanted], Paper], str]] = {
    "registers": (audit_registers, "accuracy, timeliness and codes of the registers"),
    "correspondence": (correspondence, "every message, call and letter, in order of time"),
    "daily-register": (signed_register, "the register of each day, to sign"),
    "tracker": (tracker, "pupils against days, and attendance to days"),
    "weekly-percentage": (weekly_percentage, "each pupil's percentage week by week"),
    "patterns": (pattern_review, "weekdays, lateness, reasons, groups"),
    "council": (for_council, "what a council asks: not reported, not seen, away, hours"),
}
"""Each audit's paper by name, and what it shows."""


def audit(desk: Desk, name: str, wanted: Wanted) -> Paper:
    """Describe one of the papers; raises AphubError for whom we do not know."""
    make, _ = AUDITS[name]
    return make(desk, wanted)
