"""UPN, URN, UKPRN, DfE numbers, mail addresses and public references."""

import string
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.errors import AphubError, IdentifierError
from aphub.domain.identifiers import (
    UpnState,
    check_laestab,
    check_mail_address,
    check_ukprn,
    check_upn,
    check_urn,
    near_duplicate,
    public_references,
    upn_check_letter,
)

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
bodies = st.builds(
    str.__add__,
    st.text("0123456789", min_size=11, max_size=11),
    st.sampled_from("0123456789" + LETTERS),
)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("B801200005001", "ok"),
        ("M823299920001", "ok"),
        ("C801400123456", "ok"),
        ("A801200005001", "wrong_letter"),
        ("A80120000501A", "temporary"),
        ("B80120000501A", "wrong_letter"),
        ("P207000016049", "ok"),
        ("", "missing"),
        ("   ", "missing"),
        ("B80120000500", "malformed"),
        ("B8012000050011", "malformed"),
        ("B80120000501O", "malformed"),
        ("B80120000500\u0661", "malformed"),
        ("\u017f801200005001", "malformed"),
        ("I801200005001", "wrong_letter"),
    ],
)
def test_pupil_numbers_are_judged_by_their_letter(text: str, state: str):
    assert check_upn(text).state == state


def test_a_vendors_printed_example_is_wrong_and_is_not_believed():
    # A help page of Juniper's prints this number; its sum is 266, remainder 13, letter P.
    assert upn_check_letter("207000016049") == "P"
    assert check_upn("Q207000016049").state is UpnState.WRONG_LETTER


def test_a_wrong_pupil_number_is_kept_as_written_and_never_corrected():
    assert check_upn(" a801200005001 ").value == "A801200005001"


def test_authorities_younger_than_the_lists_are_accepted():
    for authority in (838, 839, 940, 941, 942, 943):
        body = f"{authority}400126001"[:11] + "12"
        assert check_upn(upn_check_letter(body[:12]) + body[:12]).state is UpnState.OK


@given(bodies)
def test_exactly_one_letter_fits(body: str):
    fitting = [letter for letter in string.ascii_uppercase if check_upn(letter + body).usable]
    assert fitting == [upn_check_letter(body)]


@given(bodies, st.integers(0, 11), st.sampled_from("0123456789"))
def test_one_wrong_digit_is_always_noticed(body: str, place: int, digit: str):
    right = upn_check_letter(body) + body
    wrong = right[: place + 1] + digit + right[place + 2 :]
    if digit != body[place] and body[place].isdigit():
        assert not check_upn(wrong).usable


@given(st.text())
def test_any_text_gets_a_state_and_no_repr_shows_it(text: str):
    found = check_upn(text)
    assert found.state in UpnState
    assert "value" not in repr(found)


@pytest.mark.parametrize("body", ["", "12345", "80120000501O", "A01200005001"])
def test_no_letter_is_worked_out_for_something_else(body: str):
    with pytest.raises(IdentifierError):
        upn_check_letter(body)


@pytest.mark.parametrize(
    ("check", "text", "value"),
    [
        (check_urn, " 999123 ", "999123"),
        (check_ukprn, "19999123", "19999123"),
        (check_laestab, "999/4001", "9994001"),
        (check_laestab, "999-4001", "9994001"),
        (check_laestab, "999 4001", "9994001"),
        (check_laestab, "9994001", "9994001"),
    ],
)
def test_numbers_of_schools_are_given_without_dressing(check: Callable[[str], str], text: str, value: str):
    assert check(text) == value


@pytest.mark.parametrize(
    ("check", "text", "words"),
    [
        (
            check_urn,
            "99912",
            "A school's URN has 6 digits; this has 5: a spreadsheet may have dropped a leading zero",
        ),
        (check_urn, "9991234", "A school's URN has 6 digits; this has 7"),
        (check_urn, "", "A school's URN has 6 digits; this is empty"),
        (check_ukprn, "1999912X", "A UKPRN has 8 digits; this has something else in it"),
        (check_laestab, "99/94001", "A DfE number has 7 digits; this has something else in it"),
    ],
)
def test_numbers_of_schools_say_what_is_wrong(check: Callable[[str], str], text: str, words: str):
    with pytest.raises(IdentifierError) as caught:
        check(text)
    assert caught.value.what == words
    assert caught.value.mend


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" attendance@hill-school.example.org\n", "attendance@hill-school.example.org"),
        ("Attendance.Office+ap@Hill-School.Example.ORG", "Attendance.Office+ap@hill-school.example.org"),
        ("o'neil@hill.example.org", "o'neil@hill.example.org"),
    ],
)
def test_good_addresses_pass(text: str, address: str):
    assert check_mail_address(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ap attendance@council.example.org", "Remove the space from the email address"),
        ("ap\u00a0attendance@council.example.org", "Remove the space from the email address"),
        ("office@hill.example.org\r\nBcc: x@y.example.org", "more than one"),
        ("office\n@hill.example.org", "Remove the space"),
        ("office@hill.example.org;", "Remove the sign after the end"),
        ("Office <office@hill.example.org>", "more here than the email address"),
        ("mailto:office@hill.example.org", "more here than the email address"),
        ("a@hill.example.org, b@hill.example.org", "more than one email address"),
        ("office\u200b@hill.example.org", "cannot be seen"),
        ("off\u0131ce@hill.example.org", "not on an English keyboard"),
        ("office@h\u0131ll.example.org", "not on an English keyboard"),
        ("office.hill.example.org", "has no @"),
        ("@hill.example.org", "has no @"),
        ("office@hill", "is not a domain"),
        ("office@hill..org", "is not a domain"),
        ("office@-hill.org", "is not a domain"),
        (".office@hill.example.org", "before the @"),
        ("x" * 65 + "@hill.example.org", "too long"),
        ("", "no email address"),
    ],
)
def test_doubtful_addresses_say_what_to_mend(text: str, words: str):
    with pytest.raises(IdentifierError, match=words):
        check_mail_address(text)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_an_error_that_does_not_repeat_it(text: str):
    try:
        address = check_mail_address(text)
    except AphubError as error:
        typed = text.strip()
        # A plain word, such as "name", may be one of the error's own.
        assert len(typed) < 4 or typed.isalpha() or typed not in str(error)  # noqa: PT017 - both ends are the law
    else:
        assert check_mail_address(address) == address
        assert not any(sign.isspace() for sign in address)


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("attendnace@hill.example.org", True),
        ("atendance@hill.example.org", True),
        ("attendancee@hill.example.org", True),
        ("attendance@hell.example.org", True),
        ("at tendance@hill.example.org", True),
        ("attendance@hill.example.org", False),
        ("ATTENDANCE@hill.example.org", False),
        ("office@hill.example.org", False),
        ("atendanse@hill.example.org", False),
    ],
)
def test_addresses_one_slip_apart_are_flagged(typed: str, near: bool):
    others = ["head@wood.example.org", "attendance@hill.example.org"]
    assert near_duplicate(typed, others) == (others[1] if near else None)


@given(st.text("abc@.", max_size=8), st.text("abc@.", max_size=8))
def test_being_near_goes_both_ways(one: str, two: str):
    assert (near_duplicate(one, [two]) is None) == (near_duplicate(two, [one]) is None)


@given(st.binary(min_size=16, max_size=16))
def test_public_references_can_be_read_out(random_bytes: bytes):
    first, second = public_references(random_bytes)
    assert [first] == public_references(random_bytes[:8])
    assert len(first) == len(second) == 8
    assert not set(first + second) - set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_every_letter_of_a_public_reference_is_equally_likely():
    letters = Counter("".join(public_references(bytes(range(256)))))
    assert len(letters) == 32
    assert set(letters.values()) == {8}


def test_a_public_reference_needs_enough_chance():
    with pytest.raises(ValueError, match="needs 8 random bytes"):
        public_references(b"1234567")
