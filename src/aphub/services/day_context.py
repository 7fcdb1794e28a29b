"""What decides a code on one day beside the entries: the word of the pupil's own school."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from aphub.domain.absences import SchoolDecision, Stretch, decided_on, provision_due
from aphub.domain.fold import RecipientContext
from aphub.domain.outcomes import ReasonKind
from aphub.services.desk import Desk


def on_day(
    desk: Desk, context: RecipientContext, decisions: Sequence[SchoolDecision], day: date
) -> RecipientContext:
    """Add to what decides a code what the pupil's school decided for a day."""
    if not decisions:
        return context
    organisations = desk.config.organisations
    suspended: dict[str, list[Stretch]] = {}
    for one in decisions:
        if one.reason is ReasonKind.SUSPENDED and one.organisation in organisations:
            suspended.setdefault(one.organisation, []).append(one.stretch)
    late = any(
        provision_due(organisations[slug].calendar(), stretches, day) for slug, stretches in suspended.items()
    )
    return replace(context, decided=decided_on(decisions, day), provision_due=late)
