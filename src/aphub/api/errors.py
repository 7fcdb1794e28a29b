"""What can go wrong on the way to a far side, named by what the hub does next.

DeliveryError
├── TransientDeliveryError    nothing arrived: wait, then try again
├── RefusedDeliveryError      they will never take this: next channel, and a task
└── UncertainDeliveryError    it may have arrived: look it up, never guess
"""

from datetime import timedelta


class DeliveryError(Exception):
    """The far side did not take the delivery.

    Args:
        words: What happened, in plain English, without personal data or secrets.
        code: The far side's own short code, such as "550 5.1.1"; no free text.
        what_now: What a person should do, if anything.
    """

    def __init__(self, words: str = "", *, code: str = "", what_now: str = "") -> None:
        """Keep the words for people apart from the code for engineers."""
        self.words = words or (self.__doc__ or "").splitlines()[0]
        self.code = code
        self.what_now = what_now
        super().__init__(f"{self.words} ({code})" if code else self.words)


class TransientDeliveryError(DeliveryError):
    """Nothing arrived; the same delivery can be tried again."""

    def __init__(
        self,
        words: str = "",
        *,
        code: str = "",
        what_now: str = "",
        retry_after: timedelta | None = None,
        slow_down: bool = False,
    ) -> None:
        """Keep how long the far side asked us to wait, and whether it asked us to send less quickly from now on."""
        super().__init__(words, code=code, what_now=what_now)
        self.retry_after = retry_after
        self.slow_down = slow_down


class RefusedDeliveryError(DeliveryError):
    """The far side will never take this delivery as it is."""


class UncertainDeliveryError(DeliveryError):
    """The delivery may have arrived: the answer was lost."""
