"""The only shapes that a statement's fields can have: none of them has room for a name or a free sentence."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from aphub.domain.ledger.errors import StatementError
from aphub.domain.outcomes import Outcome, ReasonKind

Field = Callable[[object], bool]
"""Says whether a value has the field's shape."""

_LETTER = "[0-9ABCDEFGHJKMNPQRSTVWXYZ]"
# Eight letters of base 32; a dispatch adds the running number of its thread, and people see the provider's prefix.
_REFERENCE = re.compile(rf"(?:[A-Z]{{2,4}}-)?{_LETTER}{{8}}(?:-[1-9][0-9]{{0,4}})?")
_HEX_FIGURES = 64
_HEX = re.compile(r"[0-9a-f]*")
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
_INSTANT = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?Z")
_GREATEST = 2**53 - 1
_MOST_COMMITMENTS = 10_000

OUTCOME_WORDS = frozenset(str(word) for words in (Outcome, ReasonKind) for word in words)
"""Words that would tell what happened to a child; the ledger outlives the data, so no slug may be one of them."""


def known(_value: object) -> bool:
    """Accept what was looked at before: by type and version the kind was found."""
    return True


def reference(value: object) -> bool:
    """Accept a public reference: random base 32, upper case, with a dispatch's running number where it has one."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def hexdigest(value: object) -> bool:
    """Accept 32 bytes as 64 small hex figures: a digest, keyed or salted where its content could be guessed."""
    return isinstance(value, str) and len(value) == _HEX_FIGURES and _HEX.fullmatch(value) is not None


def hexdigests(value: object) -> bool:
    """Accept a list of commitments, at least one, none twice."""
    return (
        isinstance(value, (list, tuple))
        and 0 < len(value) <= _MOST_COMMITMENTS
        and set(map(type, value)) == {str}
        and set(map(len, value)) == {_HEX_FIGURES}
        and _HEX.fullmatch("".join(value)) is not None
        and len(set(value)) == len(value)
    )


def slug(value: object) -> bool:
    """Accept a short name from configuration or code, such as an organisation's or an adapter's; never an outcome."""
    return (
        isinstance(value, str)
        and _SLUG.fullmatch(value) is not None
        and re.sub(r"[.-]", "_", value) not in OUTCOME_WORDS
    )


def count(value: object) -> bool:
    """Accept a whole number from zero on."""
    return type(value) is int and 0 <= value <= _GREATEST


def instant(value: object) -> bool:
    """Accept an instant in RFC 3339, UTC, written with Z, with no fraction or six figures of it."""
    return isinstance(value, str) and _is_instant(value)


@lru_cache(64)
def _is_instant(text: str) -> bool:
    """Read an instant; the statements of a batch share theirs."""
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def one_of(*words: str) -> Field:
    """Make a field that takes one of a few fixed words."""

    def chosen(value: object) -> bool:
        return value in words

    return chosen


def instant_text(moment: datetime) -> str:
    """Write an aware instant as statements hold it: `2026-03-03T09:43:00Z`.

    Raises:
        StatementError: the instant is naive.
    """
    if moment.tzinfo is None:
        message = "An instant in the ledger needs a time zone."
        raise StatementError(message)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
