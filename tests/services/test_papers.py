"""Papers: one description, and every form of it says the same, safely and readably for everybody."""

import csv
import io
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pdfua import validate
from python_calamine import CalamineWorkbook

from aphub.domain.errors import AphubError
from aphub.domain.papers import (
    Bars,
    Facts,
    Figure,
    Heading,
    HeatMap,
    Hours,
    NewPage,
    Paper,
    Share,
    Signature,
    Table,
    Text,
)
from aphub.services.papers import as_mail_body, as_text, keep, printed

AT = datetime(2026, 3, 3, 9, 21, 0, 123456, tzinfo=UTC)  # a real clock has parts of a second
PUPILS = ("Łucja Żak", "Siân O'Shea", "=1+1", "Sam <b>Example</b>", "#strong[no]")


def a_paper(*, names=PUPILS, many=1) -> Paper:
    """Describe a paper that has every part."""
    week = HeatMap(
        "Half", ("Mon", "Tue"), (("Morning", (Share(9, 10), Share(0, 0))), ("Afternoon", (Share(1, 3), None)))
    )
    times = Bars("Day", ("On time", "Late", "Not sent"), (("Monday", (12, 3, 0)), ("Tuesday", (0, 0, 1))))
    return Paper(
        "Attendance here, week of Monday 2 March 2026",
        "attendance-week-2026-W10",
        "Riverbank AP",
        AT,
        "RB-7Q4K2MNP",
        (
            Heading("Pupils"),
            Text("Counts of lessons at this provider. It is not school attendance."),
            Facts((("Possible sessions", "20"), ("Cancelled by us", "1"))),
            Table(
                "Each pupil",
                ("Pupil", "Code", "Attended", "Sessions", "Hours"),
                tuple((name, "01", Share(7, 8), 8, Hours(750)) for name in names * many),
                note="A dash means that no session was possible.",
            ),
            Table("Questions", ("Pupil", "Question"), ()),
            Heading("Charts"),
            Figure("When pupils came", week, "Monday mornings were attended most."),
            Figure("When registers came", times, "Most registers came on time."),
            NewPage(),
            Signature(),
        ),
    )


def words_in(pdf: pikepdf.Pdf, name: str) -> int:
    """Count the structure elements of a kind."""
    return sum(
        1 for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and one.get("/S") == f"/{name}"
    )


def test_a_pdf_is_tagged_named_and_in_english_for_screen_readers(tmp_path):
    paper = a_paper(many=30)
    [path] = keep(paper, tmp_path)

    looked = validate(str(path))
    assert [(one.rule_id, one.message) for one in looked.findings] == []
    with pikepdf.open(path) as pdf:
        assert pdf.Root.Lang == "en-GB"
        assert bool(pdf.Root.MarkInfo.Marked)
        assert bool(pdf.Root.ViewerPreferences.DisplayDocTitle)
        with pdf.open_metadata() as said:
            assert (said["pdfuaid:part"], said["dc:title"]) == ("1", paper.title)
        assert len(pdf.pages) > 3
        # Each column has its head, and no chart comes without words for who cannot see it.
        assert words_in(pdf, "Table") == 3
        assert words_in(pdf, "TH") == 5 + 3 + 4
        assert words_in(pdf, "TD") == 30 * len(PUPILS) * 5 + 2 * 3 + 2 * 4
        drawn = [
            one for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/Figure"
        ]
        assert [str(one.Alt) for one in drawn] == [
            "Monday mornings were attended most.",
            "Most registers came on time.",
        ]


def test_a_name_is_printed_whole_or_by_its_numbers_never_changed_in_silence():
    strange = "Łucja \U000f0000\U0001f1fc\x07"
    [file] = printed(a_paper(names=(strange,)), "pdf")
    [spelled] = printed(a_paper(names=("Łucja [U+F0000]\U0001f1fc[U+0007]",)), "pdf")

    assert file.content == spelled.content


def test_the_same_paper_gives_the_same_bytes():
    for form in ("pdf", "html", "txt", "csv"):
        assert list(printed(a_paper(), form)) == list(printed(a_paper(), form))


def test_text_says_everything_in_lines_that_every_mail_program_keeps():
    text = as_text(a_paper()).decode()

    assert max(len(line) for line in text.splitlines()) <= 78
    for said in (
        *PUPILS,
        "87.5%",
        "12h 30m",
        "Confidential pupil information",
        "RB-7Q4K2MNP",
        "Monday mornings",
        "Signed: ___",
    ):
        assert said in text
    assert "Questions\r\n  None." in text


class Outline(HTMLParser):
    """Collects what a screen reader goes by."""

    def __init__(self):
        super().__init__()
        self.levels, self.scopes, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag[0] == "h" and tag[1:].isdigit():
            self.levels.append(int(tag[1:]))
        if tag == "th":
            self.scopes.append(dict(attrs).get("scope"))


def test_a_page_has_an_outline_real_tables_and_nothing_from_elsewhere():
    [file] = printed(a_paper(), "html")
    page = file.content.decode()
    outline = Outline()
    outline.feed(page)

    assert outline.levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(outline.levels))
    assert set(outline.scopes) == {"col", "row"}
    assert 'lang="en-GB"' in page
    assert "Sam &lt;b&gt;Example" in page
    assert page.count('role="img"') == page.count("<svg") == 2
    assert not {"script", "link", "img"} & set(outline.tags)


def test_a_mail_body_has_tables_where_mail_programs_would_drop_the_charts():
    body = as_mail_body(a_paper(many=10))

    assert b"<svg" not in body
    assert b"Monday mornings were attended most." in body
    assert b"When pupils came" in body
    assert len(body) < 100_000


def test_a_workbook_keeps_words_as_words_and_numbers_as_numbers():
    [file] = printed(a_paper(), "xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(file.content))

    assert book.sheet_names == [
        "About",
        "Facts",
        "Each pupil",
        "Questions",
        "When pupils came",
        "When registers came",
    ]
    rows = book.get_sheet_by_name("Each pupil").to_python()
    assert rows[3] == ["=1+1", "01", 0.875, 8.0, 12.5]
    assert book.get_sheet_by_name("When pupils came").to_python()[1] == ["Morning", 0.9, "\u2013"]


def test_a_csv_cell_never_runs_as_a_formula():
    files = list(printed(a_paper(), "csv"))

    assert [file.name for file in files][:2] == [
        f"attendance-week-2026-W10-RB-7Q4K2MNP-{number}.csv" for number in (1, 2)
    ]
    rows = list(csv.reader(io.StringIO(files[1].content.decode("utf-8-sig"))))
    assert rows[3] == ["'=1+1", "01", "87.5%", "8", "12h 30m"]


def test_files_are_for_their_owner_and_nothing_is_overwritten(tmp_path):
    paths = keep(a_paper(), tmp_path / "new", ("txt", "xlsx"))

    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}
    with pytest.raises(AphubError, match="already"):
        keep(a_paper(), tmp_path / "new", ("html", "txt"))
    assert sorted(path.suffix for path in (tmp_path / "new").iterdir()) == [".txt", ".xlsx"]
    with pytest.raises(AphubError, match="no form"):
        keep(a_paper(), tmp_path, ("doc",))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn")), max_size=12),
        max_size=3,
    )
)
def test_whatever_people_are_called_every_form_can_be_made(names):
    paper = a_paper(names=tuple(names))

    for form in ("html", "txt", "xlsx", "csv"):
        assert all(file.content for file in printed(paper, form))


def test_a_row_that_does_not_fit_its_table_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        Table("One", ("A", "B"), (("a",),))
