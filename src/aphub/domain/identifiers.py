"""Numbers and addresses that name pupils, schools and mailboxes: checked, never corrected."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from aphub.domain.errors import IdentifierError

_UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""The 23 check letters: no I, O or S (Government Data Standards Catalogue, UPN 2.0)."""
_UPN_VALUES = {letter: value for value, letter in enumerate(_UPN_LETTERS)} | {
    str(digit): digit for digit in range(10)
}
_UPN_SHAPE = re.compile(r"[A-Z][0-9]{11}[0-9A-HJ-NP-RT-Z]")
_UPN_BODY_SHAPE = re.compile(r"[0-9]{11}[0-9A-HJ-NP-RT-Z]")

REFERENCE_BYTES = 8
"""Random bytes for one public reference; forty of their bits count."""

_REFERENCE_LETTERS = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 8
"""A letter for each byte; there are 32 of them, so that every letter is equally likely."""

_LONGEST_ADDRESS = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
_LONGEST_LOCAL_PART = 64  # RFC 5321 4.5.3.1.1
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_UNSEEN = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")
"""Marks that Word and web pages leave in pasted text and that nobody can see."""


class UpnState(StrEnum):
    """What is known of a unique pupil number from its letters alone."""

    OK = "ok"
    TEMPORARY = "temporary"
    MISSING = "missing"
    WRONG_LETTER = "wrong_letter"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class UpnCheck:
    """A unique pupil number as given (upper case, no white space around it) and its state."""

    value: str = field(repr=False)
    state: UpnState

    @property
    def usable(self) -> bool:
        """Whether a school's system may be asked for this number."""
        return self.state in {UpnState.OK, UpnState.TEMPORARY}


def check_upn(text: str) -> UpnCheck:
    """Judge a unique pupil number; a wrong one is kept and flagged, never "corrected".

    The local authority part is not judged: lists of authorities age, and a pupil of a new
    council would be turned away.
    """
    value = text.strip()
    if not value:
        return UpnCheck("", UpnState.MISSING)
    if not value.isascii():  # upper() would turn a long s into a letter that nobody wrote
        return UpnCheck(value, UpnState.MALFORMED)
    value = value.upper()
    if _UPN_SHAPE.fullmatch(value) is None:
        return UpnCheck(value, UpnState.MALFORMED)
    if upn_check_letter(value[1:]) != value[0]:
        return UpnCheck(value, UpnState.WRONG_LETTER)
    return UpnCheck(value, UpnState.OK if value[-1].isdigit() else UpnState.TEMPORARY)


def upn_check_letter(body12: str) -> str:
    """Work out the letter that stands before these twelve characters.

    Weights 2 to 13 times the values, modulo 23 (Government Data Standards Catalogue, UPN 2.0).
    It judges numbers that exist; only a school's own system may make a new one.

    Raises:
        IdentifierError: These are not eleven digits and a digit or letter.
    """
    if _UPN_BODY_SHAPE.fullmatch(body12) is None:
        raise IdentifierError("A pupil number has eleven digits and a last digit or letter")
    total = sum(place * _UPN_VALUES[sign] for place, sign in enumerate(body12, 2))
    return _UPN_LETTERS[total % 23]


def check_urn(text: str) -> str:
    """Check a school's unique reference number: six digits, as on Get Information about Schools.

    Raises:
        IdentifierError: It is not six digits.
    """
    return _digits(text, 6, "A school's URN", "Get Information about Schools shows it")


def check_ukprn(text: str) -> str:
    """Check a UK provider reference number: eight digits.

    Raises:
        IdentifierError: It is not eight digits.
    """
    return _digits(text, 8, "A UKPRN", "the UK Register of Learning Providers shows it")


def check_laestab(text: str) -> str:
    """Check a DfE number (council and establishment) and give its seven digits without a slash.

    Raises:
        IdentifierError: It is not three and four digits.
    """
    joined = re.sub(r"(?<=^[0-9]{3})\s?[/-]?\s?(?=[0-9]{4}$)", "", text.strip())
    return _digits(joined, 7, "A DfE number", "write it like 999/4001 or 9994001")


def check_mail_address(text: str) -> str:
    """Check an email address as pasted and give it with its domain in lower case.

    White space around it is dropped; anything doubtful inside it is refused, since a guess could
    send a child's news to a stranger. Whether the mailbox exists is another question.

    Raises:
        IdentifierError: With what to mend, in plain words; the address itself is not repeated.
    """
    address = text.strip()
    if not address:
        raise IdentifierError("There is no email address", mend="Enter the school's address")
    _refuse_pasted(address)
    local, _, domain = address.rpartition("@")
    if not local or not domain:
        raise IdentifierError(
            "The email address has no @ between a name and a domain",
            mend="Write it like attendance@hill-school.example.org",
        )
    domain = domain.lower()
    if not address.isascii():
        raise IdentifierError(
            "The email address has a letter or sign that is not on an English keyboard",
            mend="Type the address by hand instead of pasting it",
        )
    if len(local) > _LONGEST_LOCAL_PART or len(address) > _LONGEST_ADDRESS:
        raise IdentifierError("The email address is too long", mend="Check where it ends")
    if _LOCAL_PART.fullmatch(local) is None:
        raise IdentifierError(
            "The part before the @ has a sign or a dot in the wrong place",
            mend="Check the email address with the school",
        )
    if _DOMAIN.fullmatch(domain) is None:
        raise IdentifierError(
            "The part after the @ is not a domain",
            mend="Write it like hill-school.example.org",
        )
    return f"{local}@{domain}"


def near_duplicate(address: str, others: Iterable[str]) -> str | None:
    """Give the first other address that differs by one slip of the hand, if there is one.

    One letter more, less or changed, or two neighbours swapped. The same address (whatever its
    capitals) is no near-duplicate.
    """
    ours = address.strip().casefold()
    for other in others:
        theirs = other.strip().casefold()
        if ours != theirs and _one_slip_apart(ours, theirs):
            return other
    return None


def public_references(random_bytes: bytes) -> list[str]:
    """Spell each eight of these random bytes as a reference of eight letters and digits.

    The letters I, L, O and U are left out, as in Crockford's base32, so that a reference can be
    read out on the telephone.

    Raises:
        ValueError: The last reference has fewer than eight bytes.
    """
    if len(random_bytes) % REFERENCE_BYTES:
        message = f"a public reference needs {REFERENCE_BYTES} random bytes"
        raise ValueError(message)
    letters = random_bytes.translate(_REFERENCE_LETTERS).decode()
    return [letters[at : at + REFERENCE_BYTES] for at in range(0, len(letters), REFERENCE_BYTES)]


def _digits(text: str, count: int, name: str, where: str) -> str:
    """Give these digits, or say what stands there instead."""
    value = text.strip()
    if re.fullmatch(f"[0-9]{{{count}}}", value):
        return value
    if re.fullmatch(f"[0-9]{{1,{count - 1}}}", value):
        found = f"this has {len(value)}: a spreadsheet may have dropped a leading zero"
    elif re.fullmatch("[0-9]+", value):
        found = f"this has {len(value)}"
    else:
        found = "this has something else in it" if value else "this is empty"
    mend = where[0].upper() + where[1:]
    raise IdentifierError(f"{name} has {count} digits; {found}", mend=mend)


def _refuse_pasted(address: str) -> None:
    """Refuse what comes along when an address is copied from a letter or a mail programme."""
    if _UNSEEN.search(address):
        raise IdentifierError(
            "The email address has a mark in it that cannot be seen",
            mend="Type the address by hand instead of pasting it",
        )
    if "<" in address or ">" in address or address.lower().startswith("mailto:"):
        raise IdentifierError(
            "There is more here than the email address",
            mend="Leave only the address, without name, brackets or 'mailto:'",
        )
    if address.count("@") > 1:
        raise IdentifierError(
            "There is more than one email address or more than one @",
            mend="Give each address its own line",
        )
    if any(sign.isspace() or not sign.isprintable() for sign in address):
        raise IdentifierError("Remove the space from the email address")
    if address[-1] in ".,;:":
        raise IdentifierError("Remove the sign after the end of the email address")


def _one_slip_apart(one: str, two: str) -> bool:
    """Say whether one insertion, deletion, change or swap of neighbours turns one into the other.

    (Damerau-Levenshtein distance of exactly one; linear, since a first difference settles it.)
    """
    if len(one) > len(two):
        one, two = two, one
    if len(two) - len(one) > 1:
        return False
    at = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), len(one))
    if len(one) < len(two):
        return one[at:] == two[at + 1 :]
    if one[at + 1 :] == two[at + 1 :]:
        return one != two
    return one[at + 2 :] == two[at + 2 :] and one[at : at + 2] == two[at : at + 2][::-1]
