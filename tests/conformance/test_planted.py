"""The search for leaks finds what was planted however it was written, and nothing else."""

import base64
import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.domain.identifiers import UpnState, check_upn
from aphub.testing import (
    PLANTED,
    PLANTED_PUPIL,
    PLANTED_SECRET,
    invented_pupil,
    sample_message,
    search_for_planted,
)


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sheet1.xml", content)
    return packed.getvalue()


WAYS = {
    "as it is": lambda content: content,
    "in capitals": lambda content: content.upper(),
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "hexadecimal": lambda content: content.hex().encode(),
    "gzip": gzip.compress,
    "zip": zipped,
    "zip in gzip": lambda content: gzip.compress(zipped(content)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", range(len(PLANTED)))
def test_each_planted_thing_is_found_in_every_form(way, number):
    content = f"before {PLANTED[number]} after".encode()
    assert number in {found.number for found in search_for_planted(WAYS[way](content))}


@given(before=st.binary(max_size=9), after=st.binary(max_size=9), secret=st.sampled_from(PLANTED))
def test_base64_hides_nothing_wherever_it_begins(before, after, secret):
    assert search_for_planted(base64.b64encode(before + secret.encode() + after))


def test_nothing_is_found_where_nothing_was_planted():
    other = invented_pupil(3)
    text = f"{other.name} {other.upn} {base64.b64encode(other.name.encode())!r}"
    assert search_for_planted(text, zipped(text.encode()), b"x\x9c", b"PK\x03\x04 broken", b"\x1f\x8b") == []


def test_files_are_searched_with_their_names(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / f"{PLANTED_PUPIL.upn}.txt").write_text("nothing here")
    (tmp_path / "log").write_text(f"token={PLANTED_SECRET}")
    found = search_for_planted(tmp_path)
    assert {one.number for one in found} == {2, 4}
    assert PLANTED_SECRET not in repr(found)


@pytest.mark.parametrize("number", [0, 1, 77_777, 99_999])
def test_invented_pupils_have_a_right_check_letter_and_no_real_council(number):
    upn = invented_pupil(number).upn
    assert check_upn(upn).state is UpnState.OK
    assert upn[1:4] == "999"


def test_a_sample_message_names_no_pupil_outside():
    message = sample_message()
    assert not search_for_planted(message.file_stem, message.reference, repr(message))
