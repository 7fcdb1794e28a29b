"""Choices from a fixed list that people may type with spaces or hyphens."""

from enum import StrEnum
from typing import Self


class Choice(StrEnum):
    """A choice whose words may be typed in any case, with spaces, hyphens or underscores."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        folded = "_".join(str(value).casefold().replace("-", " ").replace("_", " ").split())
        return next((member for member in cls if member.value == folded), None)

    @property
    def words(self) -> str:
        """Give it as people type it."""
        return self.value.replace("_", " ")

    @classmethod
    def all_words(cls) -> str:
        """List every choice, for an error's mend."""
        return ", ".join(member.words for member in cls)
