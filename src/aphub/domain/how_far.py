"""How far a message is known to have come, and by what way it went: the words that people read."""

BY_TELEPHONE = "told by telephone"
ARRIVED = "a person said that it arrived"
"""Why something counts as sent though no server took it."""

RUNG_WORDS = {
    "prepared": "made",
    "handed_over": "sent, their server took it",
    "accepted": "their system has it",
    "confirmed": "a person there said they have it",
    "uncertain": "may have arrived",
    "refused": "their system rejected it",
    "bounced": "came back",
}
_PHONE = "phone"
_WAY_WORDS = {
    "email": ("email", "emails"),
    **dict.fromkeys(("drop", "folder"), ("file", "files")),
    _PHONE: ("call", "calls"),
    **dict.fromkeys(("arbor", "rest", "wonde", "xporter"), ("into register", "into register")),
}


def how_far(rung: str, adapter: str, because: str | None = None) -> str:
    """Say how far a message is known to have come; of one that no server took it is never said that one did."""
    if rung == "handed_over" and because in {BY_TELEPHONE, ARRIVED}:
        return because or ""
    if rung == "handed_over" and adapter == _PHONE:
        return BY_TELEPHONE
    return RUNG_WORDS.get(rung, rung.replace("_", " "))


def way_words(adapter: str, count: int) -> str:
    """Say by what way and how often: "3 emails"."""
    one, many = _WAY_WORDS.get(adapter, (f"by {adapter}", f"by {adapter}"))
    return f"{count} {one if count == 1 else many}"


def of_a_way(rung: str, adapter: str) -> str:
    """Say how far messages came, beside the way that they went: "their server took it"."""
    if rung == "handed_over" and adapter == _PHONE:
        return "answered"
    if rung == "confirmed":
        return "confirmed by a person"
    return how_far(rung, adapter).removeprefix("sent, ")
