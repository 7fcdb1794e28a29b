"""Which approvals a new configuration takes back though the way's destination is the same as before.

An approval says: this is that school, it reads here, and it let us write these codes. Whatever of that changes, a second
person looks again.
"""

from aphub.services.routes import Route
from aphub.settings.models import OrganisationConfig, Snapshot


def why_taken_back(before: Snapshot, after: Snapshot, route: Route) -> str:
    """Say why a way that goes where it went needs its approval again; empty when it keeps it."""
    old, new = before.organisations.get(route.organisation), after.organisations[route.organisation]
    if old is None or old.channel(route.channel) is None:
        return "it was taken out of the configuration and put back"
    if (old.urn, old.la_code) != (new.urn, new.la_code):
        return "the school or council has another number now"
    if route.adapter.writes_register and _codes(new) - _codes(old):
        return "there are more codes to write than the school confirmed"
    return ""


def _codes(one: OrganisationConfig) -> frozenset[str]:
    return one.signed_codes.codes if one.signed_codes else frozenset()
