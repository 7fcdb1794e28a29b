"""Evidence of a pupil, a school and a term: the whole record, proofs of what was said, and nobody else's."""

import csv
import io
from datetime import date, timedelta

import pytest

from aphub.domain.errors import AphubError
from aphub.domain.outcomes import Outcome, ReasonKind
from aphub.services import accesses, receipts
from aphub.services.evidence import Span
from aphub.services.evidence_about import about
from aphub.store import tables as t
from aphub.testing import invented_upn
from tests.ladders import MISSING, roles
from tests.world import PROVIDER, TUESDAY, School

TERM = 'terms = [{starts = 2026-01-05, ends = 2026-03-27, name = "spring term"}]\n'
BY = "Robin, office"


@pytest.fixture
def played(make_world_anew):
    """Play the two days on one kind of database."""
    return play(make_world_anew)


def play(make_world, ladders=""):
    """Play two days: two pupils at one school, one at another; Sam's reason comes a day later."""
    world = make_world(
        schools=(School(), School("brook-academy", (("email", "told", "brook"),))),
        provider=PROVIDER + TERM + ladders,
    )
    sam, kit = world.pupil(given="Sam"), world.pupil("brook-academy", given="Kit")
    kay = world.pupil(given="Kay")
    world.owe()
    for number in range(2):
        day = TUESDAY + timedelta(days=number)
        world.at("09:02", day)
        world.enter([kit, kay], day=day)
        world.enter(sam, "09:00", Outcome.PRESENT if number else Outcome.ABSENT, day=day)
        world.at("09:45", day)
    world.enter(sam, "09:00", Outcome.ABSENT, ReasonKind.ILL, day=TUESDAY)
    world.wait(timedelta(minutes=5))
    return world


def words_in(folder, *parts: str):
    """Read every text file of a folder's parts."""
    paths = [
        path
        for part in parts
        for path in (folder / part).rglob("*")
        if path.suffix in {".html", ".csv", ".txt", ".json"}
    ]
    assert paths
    return "".join(path.read_text() for path in paths)


def test_a_pupils_a_schools_and_a_terms_evidence_verify_without_the_hub(make_world, tmp_path):
    world = play(make_world)
    desk = world.desk
    whole = ("Kay", "Kit", "Sam")
    asked = {"P0001": ("Sam",), "brook-academy": ("Kit",), "hill-school": ("Kay", "Sam"), "term": whole}
    for what, named in asked.items():
        folder = receipts.evidence(desk, what, tmp_path / what, by=BY)
        checked = receipts.verify_folder(folder)
        assert checked.ok, checked.findings
        assert checked.openings >= 2
        assert checked.documents >= 1
        record = words_in(folder, "record")
        assert [name for name in whole if f"{name} Example" in record] == sorted(named)
        assert {path.suffix for path in (folder / "record").iterdir()} == {".html", ".csv", ".pdf"}
        assert next((folder / "record").glob("*.pdf")).read_bytes().startswith(b"%PDF")
    assert [(one.subject, one.pupils) for one in accesses.viewed(desk)] == [
        ("term", 3), ("hill-school", 2), ("brook-academy", 1), ("P0001", 1),
    ]  # fmt: skip
    # Some of Sam's messages told of Kay too: those are proved, and not opened.
    assert receipts.verify_folder(tmp_path / "P0001").openings >= 3
    assert (
        receipts.verify_folder(tmp_path / "hill-school").documents
        > receipts.verify_folder(tmp_path / "P0001").documents
    )
    assert "Kay" not in words_in(tmp_path / "P0001", "record", "openings", "documents")
    world.hub.close()


def table(folder, *head: str) -> list[list[str]]:
    """Give the lines of the record's table whose heads begin so."""
    tables = [
        list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
        for path in (folder / "record").glob("*.csv")
    ]
    return [line for rows in tables if tuple(rows[0][: len(head)]) == head for line in rows[1:]]


def test_the_record_of_one_pupil_counts_that_pupils_reports_and_ends_with_today(played, tmp_path):
    folder = receipts.evidence(played.desk, "P0001", tmp_path / "sam", by=BY)
    assert {row[1] for row in table(folder, "Pupil", "Day", "Lesson")} == {
        "Tuesday 3 March 2026", "Wednesday 4 March 2026",
    }  # fmt: skip
    assert ["Days", "Tuesday 3 March 2026 to Wednesday 4 March 2026"] in table(folder, "What", "Value")
    # Kay and Kit were told of on both days too, and are nobody's business here.
    assert [sum(map(int, row[1:])) for row in table(folder, "Day", "In time")] == [1, 1]
    school = receipts.evidence(played.desk, "hill-school", tmp_path / "hill", by=BY)
    assert [sum(map(int, row[1:])) for row in table(school, "Day", "In time")] == [2, 2]


def test_what_was_sent_and_is_not_in_the_folder_is_counted_with_the_reason(played, tmp_path):
    def left_out(what: str) -> str:
        return (receipts.evidence(played.desk, what, tmp_path / what, by=BY) / "README.txt").read_text()

    assert "messages as sent: tells of other pupils too; ask for the school" in left_out("P0001")
    assert "as sent: " not in left_out("hill-school")
    vault = played.desk.vault
    vault.erase([row.dispatch_id for row in played.dispatches()], ["message"], [played.desk.year()])
    assert "as sent: erased, or past the time for which messages are kept." in left_out("brook-academy")


def test_the_record_has_every_version_with_who_and_when(played, tmp_path):
    folder = receipts.evidence(played.desk, "P0001", tmp_path / "sam", by=BY)
    lessons = table(folder, "Pupil", "Day", "Lesson", "Version")
    tuesday = [row for row in lessons if row[1] == "Tuesday 3 March 2026"]
    assert [row[3:5] for row in tuesday] == [
        ["1", "did not attend, reason not known"],
        ["2", "did not attend, ill"],
    ]
    assert tuesday[0][5] == "9:02am on Tuesday 3 March 2026"
    page = next((folder / "record").glob("*.html")).read_text()
    for said in (
        "Signed:",
        "I have checked this record.",
        "their server took it",
        f"printed by {BY}",
    ):
        assert said in page


def test_days_can_be_chosen_and_what_is_not_known_is_said(played, tmp_path):
    desk = played.desk
    span = Span(TUESDAY + timedelta(days=1), TUESDAY + timedelta(days=2))
    folder = receipts.evidence(desk, "P0001", tmp_path / "one-day", by=BY, span=span)
    assert "Tuesday 3 March" not in words_in(folder, "record").replace("Tuesday 3 March 2026 to", "")
    for what, said in {
        "nobody": "We know no pupil by this reference",
        "Sam Example": "look nobody up by name",
        "hil-school": "If you mean a school: hill-school",
        "A999000000001": "We know no pupil with this UPN",
        "2026-02-02": "nothing was due",
    }.items():
        with pytest.raises(AphubError, match=said) as refused:
            receipts.evidence(desk, what, tmp_path / "none", by=BY)
        assert "Sam" not in str(refused.value)
        assert "A999" not in str(refused.value)
        assert not (tmp_path / "none").exists()
    with pytest.raises(AphubError, match="in no term"):
        receipts.evidence(desk, "term", tmp_path / "none", by=BY, span=Span(date(2026, 4, 1)))
    with pytest.raises(AphubError, match="name of whoever"):
        receipts.evidence(desk, "P0001", tmp_path / "none")
    bare = receipts.evidence(desk, "P0001", tmp_path / "bare", contents=False)
    assert not (bare / "record").exists()
    assert receipts.verify_folder(bare).ok


def test_a_document_that_was_changed_added_or_taken_away_is_found(played, tmp_path):
    folder = receipts.evidence(played.desk, "hill-school", tmp_path / "school", by=BY)
    assert receipts.verify_folder(folder).ok
    path = min(folder.glob("documents/*/*.txt"))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"attend", b"attemd", 1))
    [finding] = receipts.verify_folder(folder).findings
    assert "not those that were prepared" in finding.words
    path.unlink()
    assert not receipts.verify_folder(folder).ok
    path.write_bytes(content)
    path.with_name("99-more.txt").write_bytes(b"more")
    assert not receipts.verify_folder(folder).ok


def test_a_pupil_is_found_by_every_reference_that_people_hold(make_world_anew):
    played = play(make_world_anew, roles(leadership="Kim Hart, head") + MISSING)
    desk = played.desk
    [pupil] = [row for row in played.rows(t.pupils) if row.pupil_id == 1]
    case = next(row for row in played.rows(t.cases) if row.pupil_id == 1)
    [placement] = [row for row in played.rows_of_placements() if row.pupil_id == 1]
    upn = invented_upn(1)
    with desk.store.reading() as connection:
        found = {
            what: about(desk, connection, what, Span())
            for what in (pupil.ref, "p0001".upper(), upn, upn.lower(), case.ref.lower(), "Hill School")
        }
        whole = found.pop("Hill School")
        assert (whole.organisation, whole.name) == ("hill-school", "hill-school")
        assert {one.pupil_id for one in found.values()} == {1}
        assert found[upn].name == pupil.ref  # what we keep of who saw it repeats no UPN
        assert {row.first_day for row in found[case.ref.lower()].owed_rows} == {case.day}
        assert len(found[upn].owed) > len(found[case.ref.lower()].owed)
        placed = about(desk, connection, placement.ref, Span())
    assert set(placed.owed) <= set(found[upn].owed)
