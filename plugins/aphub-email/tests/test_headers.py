from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32, default
from email.utils import parseaddr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aphub_email.headers import UnsafeHeaderError, address_header, text_header

BREAKS = "".join(map(chr, range(32))) + "\x7f\x85\u2028\u2029"
one_line = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029")).map(
    lambda text: " ".join(text.split())
)


@given(one_line.filter(bool))
@example("AP attendance, Tuesday 3 March 2026 morning: action needed")
@example("TEST: AP attendance, Wednesday 30 September 2026 afternoon, week of the harvest: action needed now")
@example("=?utf-8?q?not_an_encoded_word?=")
@example("x" * 200)
@example("long " + "y" * 200)
def test_any_subject_is_read_back_as_it_was_written(text: str):
    written = text_header("Subject", text)
    read = message_from_bytes(written + b"\r\n", policy=default)
    assert read["Subject"] == text
    assert read.keys() == ["Subject"]
    assert written.isascii()


@given(one_line)
def test_no_header_line_is_longer_than_mail_allows(text: str):
    lines = text_header("Subject", text).split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert all(line.startswith(b" ") for line in lines[1:-1])


@given(st.text(), st.sampled_from(BREAKS), st.text())
def test_a_line_break_never_gets_into_a_header(before: str, sign: str, after: str):
    for write in (
        lambda text: text_header("Subject", text),
        lambda text: address_header("From", "a@example.org", text),
        lambda text: address_header("To", f"a{text}@example.org"),
    ):
        with pytest.raises(UnsafeHeaderError) as caught:
            write(f"{before}{sign}{after}")
        assert len(before + after) < 4 or before + after not in str(caught.value)


@given(one_line)
@example('Riverbank "The Boat" AP')
@example("back\\slash")
@example("Ysgol Tŷ Gwyn \N{EN DASH} y Bont")
@example("=?utf-8?q?x?=")
def test_a_display_name_never_changes_the_address(name: str):
    header = address_header("From", "office@ap.example.org", name) + b"\r\n"
    (address,) = message_from_bytes(header, policy=default)["From"].addresses
    assert address.addr_spec == "office@ap.example.org"
    # The newer parser of Python 3.11 puts a space between encoded words of a name (RFC 2047 6.2 has none).
    display, _ = parseaddr(message_from_bytes(header, policy=compat32)["From"])
    assert str(make_header(decode_header(display))) == name


@pytest.mark.parametrize(
    "address", ["a@x.org,b@y.org", "a@x.org b@y.org", "<a@x.org>", "é@x.org", 'a"b@x.org']
)
def test_more_or_less_than_one_plain_address_is_refused(address: str):
    with pytest.raises(UnsafeHeaderError):
        address_header("To", address)
