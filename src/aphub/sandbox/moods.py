"""The moods that a stand-in can be started in by hand: what each does, and how it is set."""

from collections.abc import Mapping
from dataclasses import dataclass

from aphub.sandbox.far_side import FarSide

_LONG = 30.0


@dataclass(frozen=True, slots=True)
class Temper:
    """One mood in words, and the method that puts a far side into it; one without that method never has the mood."""

    words: str
    method: str
    arguments: tuple[object, ...] = ()


MOODS: Mapping[str, Temper] = {
    "accepts": Temper("takes everything", "accepts"),
    "answers-late": Temper("takes it, and says so half a minute later", "answers_late", (_LONG,)),
    "answers-twice": Temper("says twice that it took something", "answers_twice"),
    "busy": Temper("asks to be tried again later", "is_busy"),
    "calls-forged": Temper("first calls back in another message's name", "calls_back", ("forged",)),
    "calls-lying": Temper("calls back that all is written, and wrote nothing", "calls_back", ("lies",)),
    "calls-never": Temper("takes it, and never calls back", "calls_back", ("never",)),
    "calls-twice": Temper("calls back twice", "calls_back", ("twice",)),
    "cuts-off": Temper("takes it, and hangs up before it says so", "cuts_off_after_reading"),
    "error-inside": Temper("says 200, with an error inside", "errs_inside"),
    "floods": Temper("answers without end", "floods"),
    "full": Temper("has no room", "is_full"),
    "half-fails": Temper("writes half of it, and says so", "half_fails"),
    "no-rename": Temper("cannot give a file another name", "has_no_posix_rename"),
    "no-starttls": Temper("offers no encryption", "has_no_starttls"),
    "old-tls": Temper("encrypts as of old only", "speaks_old_tls"),
    "redirects": Temper("sends callers to a private address", "redirects", ("https://127.0.0.1/",)),
    "refuses": Temper("says no", "refuses"),
    "slow": Temper("answers after half a minute", "is_slow", (_LONG,)),
}


def moods_of(far_side: FarSide) -> dict[str, Temper]:
    """Give the moods that a far side can have, by name."""
    return {name: mood for name, mood in MOODS.items() if hasattr(far_side, mood.method)}


def put_into(far_side: FarSide, name: str) -> bool:
    """Put a far side into a mood; give whether it has such a one."""
    mood = moods_of(far_side).get(name)
    if mood is None:
        return False
    getattr(far_side, mood.method)(*mood.arguments)
    return True
