import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.api import Document
from aphub.api.mis.marks import Existing, Mark, Verdict, document_of, judge, marks_in, marks_of
from aphub.testing import sample_row

UPN = "G999400125001"
CODES = {"C1": "/", "C3": "B", "C4": "N", "C5": "L", "C6": "I"}
IDS = {letter: code_id for code_id, letter in CODES.items()}
letters = st.sampled_from(sorted(IDS))
minutes = st.none() | st.integers(1, 180)
numbers = st.integers(1, 50)


def mark(code, late=None, number=1, thread="RB-7K2MXY4P", comment=""):
    return Mark("G999400125001", "2026-03-03", "AM", code, late, comment, f"{thread}-{number}")


def row_of(code, late, number):
    return sample_row(
        UPN,
        code=code,
        outcome="late" if late else "present",
        minutes_late=str(late or ""),
        reference=f"RB-7K2MXY4P-{number}",
    )


@given(letters, minutes)
def test_nothing_there_means_write(code, late):
    assert judge(mark(code, late), IDS[code], None, CODES) is Verdict.WRITE


@given(letters, minutes, letters, minutes, st.text(max_size=60))
def test_another_code_without_our_words_is_never_written_over(ours, late, theirs, their_late, comment):
    existing = Existing(IDS[theirs], their_late, comment)
    verdict = judge(mark(ours, late), IDS[ours], existing, CODES)
    assert verdict in {Verdict.THERE, Verdict.DIFFERS}
    assert ours == theirs or verdict is Verdict.DIFFERS


@given(old=letters, old_late=minutes, new=letters, new_late=minutes, first=numbers, second=numbers)
def test_our_own_untouched_mark_gives_way_to_a_newer_report_only(old, old_late, new, new_late, first, second):
    words = f"AP: {old}{f', {old_late} min late' if old_late else ''}. Ref RB-7K2MXY4P-{first}"
    verdict = judge(mark(new, new_late, second), IDS[new], Existing(IDS[old], old_late, words), CODES)
    if verdict is not Verdict.THERE:
        expected = {True: Verdict.WRITE, False: Verdict.NEWER}
        assert verdict is (expected[first < second] if first != second else Verdict.DIFFERS)


@given(code=letters, old_late=minutes, new_late=minutes, shown=st.booleans())
def test_minutes_that_we_said_wrongly_are_put_right_where_nobody_touched_them(
    code, old_late, new_late, shown
):
    words = f"AP: {code}{f', {old_late} min late' if old_late else ''}. Ref RB-7K2MXY4P-1"
    existing = Existing(IDS[code], old_late if shown else None, words)
    expected = Verdict.THERE if old_late == new_late else Verdict.WRITE
    assert judge(mark(code, new_late, 2), IDS[code], existing, CODES) is expected


@given(old=letters, touched=letters, new=letters)
def test_a_mark_of_ours_with_a_changed_code_is_the_schools(old, touched, new):
    existing = Existing(IDS[touched], None, f"AP: {old}. Ref RB-7K2MXY4P-1")
    verdict = judge(mark(new, number=2), IDS[new], existing, CODES)
    if touched not in {old, new}:
        assert verdict is Verdict.DIFFERS


def test_a_mark_of_ours_with_changed_minutes_is_the_schools():
    existing = Existing("C5", 25, "AP: L, 10 min late. Ref RB-7K2MXY4P-1")
    assert judge(mark("B", number=2), "C3", existing, CODES) is Verdict.DIFFERS


def test_a_mark_of_another_thread_is_not_written_over():
    existing = Existing("C4", None, "AP: N. Ref RB-AAAAAAAA-1")
    assert judge(mark("B", number=2), "C3", existing, CODES) is Verdict.DIFFERS


@given(
    code=st.sampled_from(["B", "/", "\\", "Y1", "N", "L"]),
    late=minutes,
    number=numbers,
    reason=st.sampled_from(["", "ill", "medical or dental appointment", "reason not known"]),
)
def test_the_comment_that_we_write_is_known_as_ours_again(code, late, number, reason):

    row = row_of(code, late, number) | {"reason_text": reason}
    [written] = marks_of([row], comment=True)
    existing = Existing("X1", late, written.comment)
    assert judge(mark("K", number=number + 1), "X2", existing, {"X1": code, "X2": "K"}) is Verdict.WRITE


@given(st.lists(st.tuples(st.text(max_size=13), st.text(string.printable, max_size=3), minutes), max_size=5))
def test_the_frozen_document_gives_back_the_marks(parts):
    marks = [
        Mark(upn, "2026-03-03", "AM", code, late, "AP: B. Ref RB-1-1", "RB-1-1") for upn, code, late in parts
    ]
    assert marks_in([document_of("a.json", marks, test=False)]) == marks


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": "other"}', b'{"attendance": []}'])
def test_a_document_of_another_kind_is_not_read(content):
    with pytest.raises(ValueError):
        marks_in([Document("a.json", "application/json", content)])


@pytest.mark.parametrize("text", ["", "0", "-3", "5.5", "ten", "²"])
def test_minutes_are_written_as_numbers_or_not_at_all(text):
    [one] = marks_of([sample_row(UPN, outcome="late", minutes_late=text)], comment=True)
    assert one.minutes_late is None


def test_minutes_of_another_outcome_are_not_lateness():
    [one] = marks_of([sample_row(UPN, outcome="left_early", minutes_late="20")], comment=True)
    assert one.minutes_late is None
    assert one.comment.startswith("AP: B. Ref ")
