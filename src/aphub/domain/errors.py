"""The root of what aphub tells people when something is wrong."""


class AphubError(Exception):
    """Something is wrong that a person can mend.

    Args:
        what: What happened, in one short sentence.
        done: What was done about it, or what was left alone.
        mend: What to do now.

    The words never hold personal data or secrets (users.md 3.3 gives their shape).
    """

    def __init__(self, what: str, done: str = "", mend: str = "") -> None:
        """Keep the three sentences apart, so that doors can lay them out."""
        self.what = what
        self.done = done
        self.mend = mend
        super().__init__(" ".join(part for part in (what, done, mend) if part))
