"""File names from safe fields only: a template that is judged when it is written, not at 9:45."""

import re
from string import Formatter
from zoneinfo import ZoneInfo

from aphub.api import Message

USUAL = "aphub-{period}-{reference}"
FIELDS = ("test", "provider", "urn", "period", "date", "time", "reference", "kind", "layout", "version")
MOST = 120
_LONDON = ZoneInfo("Europe/London")
_SAFE = re.compile(r"[A-Za-z0-9._-]*")
_WINDOWS = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)
"""Names that mean a device on Windows, whatever follows their first dot."""
_LONGEST = {
    "test": "TEST-",
    "provider": "p" * 59,
    "urn": "999999",
    "period": "2026-03-03-AM",
    "date": "2026-03-03",
    "time": "094300",
    "reference": "ABCD-ABCDEFGH-1000",
    "kind": "correction",
    "layout": "l" * 20,
    "version": "1.0",
}


def checked(template: str) -> str:
    """Give the template back, if every name it makes is safe everywhere and no two messages share one.

    Raises:
        ValueError: In plain words, what to change.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        # A brace without its other half; said below as any sign that does not belong there.
        parts = [("{", None, None, None)]
    for literal, name, form, conversion in parts:
        if not _SAFE.fullmatch(literal):
            message = "A file name is written with letters, digits and . _ - and the fields in braces"
            raise ValueError(message)
        if name is not None and (name not in FIELDS or form or conversion):
            message = f"There is no field {{{name}}} for file names. Choose from: {', '.join(FIELDS)}"
            raise ValueError(message)
    if "reference" not in {name for _, name, _, _ in parts}:
        message = "Add {reference}, so that no two files have the same name"
        raise ValueError(message)
    longest = template.format_map(_LONGEST)
    if len(longest) > MOST or not longest[0].isalnum() or longest.endswith(".") or ".." in longest:
        message = (
            f"A file name begins with a letter or digit, has no two dots together, and at most {MOST} signs"
        )
        raise ValueError(message)
    if longest.partition(".")[0].lower() in _WINDOWS:
        message = "Windows keeps this name for a device. Begin it with another word"
        raise ValueError(message)
    return template


def stem(template: str, message: Message, *, layout: str, version: str) -> str:
    """Give a message's file name without its ending; TEST stands in it whenever it is one."""
    made = message.made_at.astimezone(_LONDON)
    name = template.format_map(
        {
            "test": "TEST-" if message.is_test else "",
            "provider": message.provider_ref,
            "urn": message.organisation_urn or "none",
            "period": message.period_key,
            "date": f"{made:%Y-%m-%d}",
            "time": f"{made:%H%M%S}",
            "reference": message.reference,
            "kind": message.kind.value,
            "layout": layout,
            "version": version,
        }
    )
    return f"TEST-{name}" if message.is_test and "TEST-" not in name else name
