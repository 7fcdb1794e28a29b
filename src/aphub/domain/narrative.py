"""Words that belong to a safeguarding record and not to an attendance message: noticed, never judged."""

import re

LONGEST_WHY = 500
"""Letters in the reason of a correction: longer stories belong into the provider's own case record."""

_TELLING = re.compile(
    r"\b(?:abus\w*|assault\w*|bruis\w*|cannabis|county lines|custody battle|cut(?:ting)? (?:her|him|them)sel(?:f|ves)"
    r"|disclos(?:ed|ure)\w*|domestic|drug\w*|exploit\w*|gang|groom(?:ed|ing)|hit (?:by|him|her|them)|injunction"
    r"|neglect\w*|overdos\w*|police|pregnan\w*|rap(?:e|ed)|refuge|restraining|safeguarding|self[- ]?harm\w*"
    r"|sexual\w*|social worker|stabb\w*|suicid\w*|violen\w*|weapon\w*)\b",
    re.IGNORECASE,
)

NUDGE = (
    "This reads like a safeguarding matter. It stays sealed here and goes into no message. "
    "Tell your safeguarding lead, and write the story in your own case record."
)


def tells_too_much(text: str) -> bool:
    """Say whether words sound like a safeguarding matter: a false alarm costs a phone call, a miss a child's trust."""
    return _TELLING.search(text) is not None
