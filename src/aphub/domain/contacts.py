"""Whether a pupil's home may be reached: what a court, or a person who answers for the child, has said."""

from aphub.domain.choices import Choice


class Restriction(Choice):
    """How far contact with a pupil's home is restricted; the first is the stricter one."""

    NO_CONTACT = "no_contact"
    LETTER_ONLY = "letter_only"


RESTRICTION_WORDS = {
    Restriction.NO_CONTACT: "Nobody at home may be contacted about this pupil.",
    Restriction.LETTER_ONLY: "Home may be reached by letter only: no call, no text, no email.",
}
"""Each restriction as whoever is about to telephone reads it."""

_TYPED = {
    **dict.fromkeys(("no contact", "do not contact"), Restriction.NO_CONTACT),
    **dict.fromkeys(("letter only", "letters only", "by letter only", "contact only by letter"), Restriction.LETTER_ONLY),
}  # fmt: skip


def read_restriction(text: str) -> Restriction | None:
    """Read a restriction as an office types it; None where it is none."""
    return _TYPED.get(" ".join(text.casefold().replace("-", " ").replace("_", " ").split()))


def restriction_of(kept: str) -> Restriction | None:
    """Give a pupil's restriction as it is kept; words that we do not know forbid all contact."""
    return (read_restriction(kept) or Restriction.NO_CONTACT) if kept else None


def loosens(before: Restriction | None, after: Restriction | None) -> bool:
    """Say whether a restriction would allow what the one before forbade."""
    strictness = (None, Restriction.LETTER_ONLY, Restriction.NO_CONTACT)
    return strictness.index(after) < strictness.index(before)
