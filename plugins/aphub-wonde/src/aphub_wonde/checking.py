"""The steps of a connection check; they read, and send no pupil's data."""

from collections.abc import Iterator
from datetime import datetime

from aphub.api import CheckStep
from aphub_wonde.school import School


def steps(school: School, now: datetime) -> Iterator[CheckStep]:
    """Prove token, school, permissions, codes, numbers and filters; a school that lets us not write ends it."""
    for finding in school.findings():
        yield CheckStep(finding.step, finding.ok, finding.found, "" if finding.ok else finding.mend)
        if not finding.ok:
            return
    codes = sorted(school.code_ids())
    yield _step(
        "The school's codes can be read",
        f"Codes: {' '.join(codes)}" if codes else "There are none",
        "" if codes else "Ask the school to approve attendance codes in Wonde",
    )
    shown = school.upns_are_shown()
    yield _step(
        "Pupils can be told apart by UPN",
        "UPNs are shown" if shown else "UPNs are not shown",
        "" if shown else "Ask the school to approve the UPN permission, or set upn_path",
    )
    heard = school.filters_are_heard(now.date())
    yield _step(
        "The register can be read by day",
        "Only the days asked for came" if heard else "Other days came too",
        "" if heard else "Ask Wonde for the names of the date filters of session attendance",
    )


def _step(step: str, found: str, mend: str) -> CheckStep:
    return CheckStep(step, not mend, found, mend)
