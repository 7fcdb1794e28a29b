"""What left once is read back byte for byte, also where an older aphub kept it."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from aphub.api.adapters import Document
from aphub.store.frozen import pack, unpack, unpack_papers

DOCUMENTS = st.lists(
    st.builds(Document, st.text(max_size=8), st.just("text/plain"), st.binary(max_size=400)), max_size=3
)
ROWS = st.lists(st.text(max_size=5).map(lambda upn: {"upn": upn, "session": "AM"}), max_size=4)


@given(documents=DOCUMENTS, rows=ROWS)
def test_what_was_packed_is_read_back_whether_it_got_shorter_or_not(documents, rows):
    refs = [f"R{number}" for number, _ in enumerate(rows)]
    packed = pack(documents, rows, refs, [{"title": "Week"}])
    older = zlib.decompress(packed) if packed[:1] == b"\x78" else packed
    for kept in (packed, older):
        assert unpack(kept) == (tuple(documents), tuple(rows), tuple(refs))
        assert unpack_papers(kept) == ({"title": "Week"},)


def test_a_message_that_repeats_itself_takes_a_quarter_of_its_room():
    letter = Document("letter.eml", "message/rfc822", b"Morning, 9am to midday: attended.\r\n" * 300)
    assert len(pack([letter], [], [])) * 4 < len(letter.content)
