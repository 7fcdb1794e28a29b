"""The printed form of a master key: groups that a person can type back, with a check that finds slips."""

import hashlib
import re

from aphub.sealing.errors import RecoveryTextError

# Crockford's base 32: no I, L, O or U, so that print and handwriting cannot be misread.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"I": "1", "L": "1", "O": "0"})
_KEY_BYTES = 32
_CHECK_BYTES = 3
_LETTERS = (_KEY_BYTES + _CHECK_BYTES) * 8 // 5
_GROUP = 4


def _check(key: bytes) -> bytes:
    return hashlib.sha256(b"aphub recovery check v1\n" + key).digest()[:_CHECK_BYTES]


def to_text(key: bytes) -> str:
    """Write 32 bytes as 14 groups of four letters; the last letters are a check over the rest."""
    number = int.from_bytes(key + _check(key), "big")
    letters = "".join(ALPHABET[(number >> 5 * place) & 31] for place in reversed(range(_LETTERS)))
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LETTERS, _GROUP))


def from_text(text: str) -> bytes:
    """Read what `to_text` wrote; case, spaces and hyphens do not matter, and I, L and O are read as 1, 1 and 0.

    Raises:
        RecoveryTextError: with words that name the group to look at, but never letters of the key.
    """
    letters = re.sub(r"[\s-]+", "", text).upper().translate(_READ_AS)
    for place, letter in enumerate(letters):
        if letter not in ALPHABET:
            message = f"Group {place // _GROUP + 1} holds a character that no recovery key has. Type that group again."
            raise RecoveryTextError(message)
    if len(letters) != _LETTERS:
        message = (
            f"A recovery key has {_LETTERS} letters and figures; this one has {len(letters)}. "
            f"Compare it group by group with the printed one."
        )
        raise RecoveryTextError(message)
    key = _open(letters)
    if key is None:
        raise RecoveryTextError(_where_to_look(letters))
    return key


def _open(letters: str) -> bytes | None:
    number = 0
    for letter in letters:
        number = number << 5 | ALPHABET.index(letter)
    both = number.to_bytes(_KEY_BYTES + _CHECK_BYTES, "big")
    key, check = both[:_KEY_BYTES], both[_KEY_BYTES:]
    return key if check == _check(key) else None


def _where_to_look(letters: str) -> str:
    # The check is 24 bits and there are under 1,800 single slips, so a group named here is almost surely the one.
    # The key is never mended: a person looks at the paper again.
    slips = [letters[:at] + other + letters[at + 1 :] for at in range(_LETTERS) for other in ALPHABET]
    slips += [letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :] for at in range(_LETTERS - 1)]
    groups: set[int] = set()
    for slip in slips:
        if slip != letters and _open(slip) is not None:
            groups |= {at // _GROUP + 1 for at in range(_LETTERS) if slip[at] != letters[at]}
    if not groups:
        return "This is not the recovery key that was printed. Compare it group by group."
    named = " and ".join(str(group) for group in sorted(groups))
    return f"This is not the recovery key that was printed. Look again at group {named}."
