"""What can go wrong in words for people, named by what happens next.

AphubError                     the root: what happened, what we did, what to do
├── NeedsCorrectionError       what was typed or configured must be corrected and given again
│   ├── IdentifierError        a number or address is not written as it should be
│   └── VocabularyError        a provider's dictionary cannot be used as it stands
└── LawUnknownError            no dated law is shipped for that day: a newer aphub is needed

No personal data in any of them: they are printed, logged and sent.
"""


class AphubError(Exception):
    """Something stopped that a person should know of.

    Args:
        what: What happened, one short sentence; the docstring's first line by default.
        done: What the hub did or did not do about it.
        mend: What the reader should do now.
    """

    def __init__(self, what: str = "", done: str = "", mend: str = "") -> None:
        """Keep the three sentences apart, so that a screen can set them apart."""
        self.what = what or (type(self).__doc__ or "").strip().partition("\n")[0]
        self.done = done
        self.mend = mend
        super().__init__(what, done, mend)

    def __str__(self) -> str:
        """Join the sentences that exist, each with its full stop."""
        return " ".join(_sentence(part) for part in (self.what, self.done, self.mend) if part)


class NeedsCorrectionError(AphubError):
    """What was given cannot be used as it is written."""


class IdentifierError(NeedsCorrectionError):
    """A number or address is not written as it should be."""


class VocabularyError(NeedsCorrectionError):
    """The provider's words cannot be used as they are configured."""


class LawUnknownError(AphubError):
    """No attendance codes are known for that day."""


def _sentence(text: str) -> str:
    """End a sentence, unless it ends itself."""
    text = text.strip()
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."
