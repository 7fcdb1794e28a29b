"""The steps of a connection check; they read, and send no pupil's data."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aphub.api.adapters import CheckStep
from aphub.api.mis.register import Finding, Register


@dataclass(frozen=True, slots=True)
class CodesStep(CheckStep):
    """The step that read the school's own table of codes; the hub holds the signed list against its letters."""

    letters: frozenset[str] = frozenset()


def steps(school: Register, now: datetime) -> Iterator[CheckStep]:
    """Prove sign-in, permissions, codes and whatever the vendor needs; a school that lets us not write ends it."""
    for finding in school.findings():
        yield _step(finding)
        if not finding.ok:
            return
    codes = sorted(school.codes().targets)
    yield CodesStep(
        "The school's codes can be read",
        ok=bool(codes),
        found=f"Codes: {' '.join(codes)}" if codes else "There are none",
        mend="" if codes else "Ask the school to let us read its attendance codes",
        letters=frozenset(codes),
    )
    for finding in school.shown(now.date()):
        yield _step(finding)


def _step(finding: Finding) -> CheckStep:
    return CheckStep(finding.step, finding.ok, finding.found, "" if finding.ok else finding.mend)
