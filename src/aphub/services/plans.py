"""Plans for pupils who are known not to attend: agreed with the school, signed by the safeguarding lead, with an end."""

from dataclasses import dataclass
from datetime import date

from aphub.domain.errors import AphubError
from aphub.services.desk import Desk
from aphub.services.way import LONGEST_NAME, named, typed, who
from aphub.store import looking
from aphub.store import plans as kept
from aphub.store.engine import allocate


class CannotPlanError(AphubError):
    """This plan cannot be kept as it stands."""


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One plan: whose placement, which ladder, until when, and who agreed to it."""

    ref: str
    placement: str
    ladder: str
    starts: date
    ends: date
    agreed_with: str
    signed_by: str
    ended: bool


def plan(
    desk: Desk, placement_ref: str, ladder: str, until: date, *, agreed_with: str, signed_by: str, by: str
) -> str:
    """Keep a plan from today on, in place of an earlier one; give its reference.

    Raises:
        CannotPlanError: There is no such placement or ladder, it does not end, or the wrong person signed.
    """
    name, wanted = named(by), placement_ref.strip().upper()
    ladders = {one.name for one in desk.config.provider.every_ladder() if one.plan}
    if ladder not in ladders:
        there = ", ".join(sorted(ladders)) or "none yet; write one with plan = true"
        raise CannotPlanError(
            f"There is no ladder '{ladder}' for plans.", "Nothing was kept.", f"There are: {there}."
        )
    if until < desk.today:
        raise CannotPlanError(
            "This plan would be over already.", "Nothing was kept.", "Give a later last day."
        )
    lead = desk.config.provider.safeguarding
    if who(signed_by) != who(lead.name):
        raise CannotPlanError(
            "A plan is signed by the safeguarding lead, and by nobody else.",
            "Nothing was kept.",
            f'Add: --signed-by "{lead.name}"',
        )
    if not who(agreed_with):
        raise CannotPlanError(
            "A plan is agreed with somebody at the school.", "Nothing was kept.", "Add: --agreed-with NAME"
        )
    with desk.store.transaction() as connection:
        row = looking.placement(connection, desk.provider_id, wanted)
        if row is None:
            raise CannotPlanError(f"There is no placement {wanted}.", "Nothing was kept.", "Check it.")
        kept.end(connection, desk.provider_id, row.placement_id, desk.now, name)
        [number], [ref] = allocate(connection, "plans", 1), desk.references(1)
        kept.add(
            connection,
            {
                "provider_id": desk.provider_id,
                "plan_id": number,
                "ref": ref,
                "placement_id": row.placement_id,
                "ladder": ladder,
                "starts_day": desk.today,
                "ends_day": until,
                "made_at": desk.now,
                "made_by": name,
                "signed_by": typed("A name with its role", signed_by, LONGEST_NAME),
                "agreed_with": typed("A name with its role", agreed_with, LONGEST_NAME),
            },
        )
    return ref


def end_plan(desk: Desk, placement_ref: str, by: str) -> str:
    """End a placement's plan now: its pupil is followed up as any other.

    Raises:
        CannotPlanError: It has none.
    """
    name, wanted = named(by), placement_ref.strip().upper()
    with desk.store.transaction() as connection:
        row = looking.placement(connection, desk.provider_id, wanted)
        if row is None or not kept.end(connection, desk.provider_id, row.placement_id, desk.now, name):
            raise CannotPlanError(
                f"The placement {wanted} has no plan.", "Nothing was changed.", "See: aphub plans"
            )
    return f"The plan of {wanted} has ended: its pupil is followed up as any other."


def plans(desk: Desk) -> list[PlanLine]:
    """List the plans, those that end first in front; an ended one stands at the end."""
    with desk.store.reading() as connection:
        rows = kept.listed(connection, desk.provider_id)
    over = [
        PlanLine(
            row.ref,
            row.placement_ref,
            row.ladder,
            row.starts_day,
            row.ends_day,
            row.agreed_with,
            row.signed_by,
            row.ended_at is not None or row.ends_day < desk.today,
        )
        for row in rows
    ]
    return sorted(over, key=lambda one: (one.ended, one.ends))
