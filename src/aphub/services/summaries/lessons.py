"""What became of one lesson, in words."""

from typing import Any

from sqlalchemy import Row

from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.domain.reports import OUTCOME_WORDS, REASON_WORDS


def happened(row: Row[Any]) -> str:
    """Say what became of a lesson: its outcome, minutes late, and the reason as a category."""
    outcome = Outcome(row.outcome) if row.outcome else Outcome.NOT_YET_TAKEN
    words = OUTCOME_WORDS[outcome]
    if outcome is Outcome.LATE and row.minutes is not None:
        words = f"arrived {row.minutes} minutes late"
    reason = REASON_WORDS[ReasonKind(row.reason)] if row.reason else ""
    return f"{words}, {reason}" if reason else words
