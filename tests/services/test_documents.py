"""The mail's text and HTML: every fact in both, codes with words, nothing of a pupil's outside the body."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.api.renderers import subject_of
from aphub.domain.reports import Kind
from aphub.services.documents import COLUMNS, MailHtml, MailText, _wrapped
from aphub.testing import sample_message

KINDS = [Kind.ALERT, Kind.ROUTINE, Kind.UPDATE, Kind.CORRECTION, Kind.TEST]


def text_of(message, *, named=True):
    return MailText().render(message, named=named).decode()


def html_of(message, *, named=True):
    return MailHtml().render(message, named=named).decode()


def flat(text):
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_same_message_gives_the_same_bytes():
    message = sample_message()
    assert MailText().render(message, named=True) == MailText().render(message, named=True)
    assert MailHtml().render(message, named=True) == MailHtml().render(message, named=True)


def test_text_stands_alone_in_short_lines():
    lines = text_of(sample_message()).split("\r\n")
    assert all(len(line) <= COLUMNS for line in lines)
    assert not any("\n" in line for line in lines)


def test_each_pupil_is_named_only_where_names_may_stand():
    message = sample_message()
    for report in message.reports:
        for words in (text_of(message), html_of(message)):
            assert report.pupil_name in flat(words)
        for words in (text_of(message, named=False), html_of(message, named=False)):
            assert report.pupil_name not in flat(words)
            assert report.initials in flat(words)


def test_number_of_a_pupil_is_never_written_out():
    message = sample_message()
    for report in message.reports:
        assert report.upn
        assert report.upn not in text_of(message)
        assert report.upn not in html_of(message)


def test_head_and_foot_say_who_by_when_and_what_to_do():
    message = sample_message()
    for words in (flat(text_of(message)), flat(html_of(message))):
        assert message.reference in words
        assert message.provider_phone in words
        assert "Wrong school?" in words
        assert "Codes are suggestions. Your school decides which code to use." in words


def test_code_never_stands_without_its_words():
    found = re.findall(r"Suggested code: (\S+)( \()?", text_of(sample_message()))
    assert found
    assert all(words for _, words in found)


@pytest.mark.parametrize("kind", KINDS)
def test_subject_names_no_pupil(kind):
    message = replace(sample_message(), kind=kind)
    subject = subject_of(message)
    for report in message.reports:
        assert report.pupil_name not in subject
        assert report.initials not in subject.split()


def test_html_escapes_what_could_be_markup():
    changed = replace(sample_message(), notes=("<script>alert(1)</script>",))
    assert "<script>" not in html_of(changed)
    assert "&lt;script&gt;" in html_of(changed)


def test_html_needs_nothing_from_elsewhere():
    html = html_of(sample_message())
    assert not re.findall(r"(?:src|href)=[\"'](?!tel:|mailto:)", html)
    assert 'lang="en-GB"' in html
    assert len(html.encode()) < 100_000


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=400))
def test_wrapping_loses_no_word(line):
    wrapped = _wrapped(line)
    assert " ".join(wrapped).split() == line.split()
