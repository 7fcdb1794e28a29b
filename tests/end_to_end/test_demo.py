"""One played day, looked at from every side."""

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from time import monotonic

import pytest
from rich.console import Console
from sqlalchemy import and_, select

from aphub import demo
from aphub.api import COLUMNS
from aphub.demo.day import TUESDAY, at
from aphub.demo.folder import Folder, NotADemoError
from aphub.demo.pupils import Invented, everyone, pupil
from aphub.domain.identifiers import UpnState, check_upn
from aphub.hub import Hub, SimulatedStoreError, open_hub
from aphub.services import receipts
from aphub.settings.models import OrganisationConfig
from aphub.store import tables as t

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Mail:
    message: EmailMessage
    text: str
    html: str
    attachments: dict[str, bytes]

    @property
    def to(self) -> str:
        return str(self.message["To"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def reference(self) -> str:
        return str(self.message["X-Aphub-Reference"])

    @property
    def is_test(self) -> bool:
        return self.subject.startswith("TEST")

    def rows(self) -> list[dict[str, str]]:
        return [
            row
            for name, content in self.attachments.items()
            if name.endswith(".csv")
            for row in csv.DictReader(io.StringIO(content.decode()))
        ]


@dataclass(frozen=True)
class Played:
    home: Path
    status: int
    output: str
    seconds: float
    mails: tuple[Mail, ...]

    @property
    def day_mails(self) -> list[Mail]:
        return [mail for mail in self.mails if not mail.is_test]

    def drop_files(self) -> dict[str, bytes]:
        drop = self.home / "drop"
        return {
            path.relative_to(drop).as_posix(): path.read_bytes() for path in drop.rglob("*") if path.is_file()
        }

    def rows(self) -> list[tuple[str, dict[str, str]]]:
        """Give every row of every machine copy of the day, with the organisation that it went to."""
        found = [(organisation_of(mail.to), row) for mail in self.day_mails for row in mail.rows()]
        for name, content in self.drop_files().items():
            if name.endswith(".csv") and "TEST" not in name:
                found += [
                    (name.partition("/")[0], row) for row in csv.DictReader(io.StringIO(content.decode()))
                ]
        return found

    def rows_of(self, ref: str) -> list[tuple[str, dict[str, str]]]:
        return [(organisation, row) for organisation, row in self.rows() if row["upn"] == pupil(ref).upn]

    def mails_to(self, organisation: str) -> list[Mail]:
        return [mail for mail in self.day_mails if organisation_of(mail.to) == organisation]


def organisation_of(address: str) -> str:
    return address.partition("@")[2].removesuffix(".example.org")


def parse(content: bytes) -> Mail:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    parts = {"text/plain": "", "text/html": ""}
    attachments = {}
    for part in message.walk():
        assert not part.defects
        if part.get_content_disposition() == "attachment":
            file = part.get_payload(decode=True)
            assert isinstance(file, bytes)
            attachments[str(part.get_filename())] = file
        elif part.get_content_type() in parts:
            parts[part.get_content_type()] += part.get_content()
    return Mail(message, parts["text/plain"], parts["text/html"], attachments)


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    home = tmp_path_factory.mktemp("played") / "demo"
    out = io.StringIO()
    began = monotonic()
    status = demo.play(home, Console(file=out, width=80))
    seconds = monotonic() - began
    files = sorted((home / "mail").glob("new/*"), key=lambda path: path.name)
    return Played(home, status, out.getvalue(), seconds, tuple(parse(path.read_bytes()) for path in files))


@pytest.fixture(scope="session")
def hub(played: Played) -> Iterator[Hub]:
    opened = open_hub(played.home, allow_simulated=True)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def organisations(hub: Hub) -> dict[str, OrganisationConfig]:
    return {slug: one for desk in hub.desks() for slug, one in desk.config.organisations.items()}


def told_to(organisation: str) -> set[str]:
    return {one.upn for one in everyone() if organisation in {slug for slug, _ in one.told}}


def due_on_tuesday() -> list[Invented]:
    return [one for one in everyone() if "Tue" in one.timetable]


# The whole


def test_the_day_is_played_to_its_end(played: Played, capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        print(f"\nplayed in {played.seconds:.1f} s")  # noqa: T201 - the wall time is told, not judged
    assert played.status == 0, played.output


def test_everything_lies_in_one_folder(played: Played):
    assert {path.name for path in played.home.iterdir() if not path.name.startswith("hub.db")} == {
        "config",
        "daemon.lock",
        "demo.json",
        "drop",
        "evidence",
        "hub.toml",
        "inbox",
        "keys",
        "mail",
        "mis",
        "people",
    } - ({"daemon.lock"} if not (played.home / "daemon.lock").exists() else set())


def test_what_is_printed_fits_eighty_columns_and_names_no_pupil(played: Played):
    assert max(map(len, played.output.splitlines())) <= 80
    for one in everyone():
        assert one.family_name not in played.output
        assert one.upn not in played.output


def test_every_organisation_stands_in_the_table(played: Played, organisations: dict[str, OrganisationConfig]):
    assert len(organisations) >= 8
    for one in organisations.values():
        assert one.name in played.output


def test_the_end_names_what_waits_and_how_to_verify(played: Played):
    assert "Waiting for a person" in played.output
    assert "verify" in played.output
    for part in ("mail", "drop", "mis", "inbox", "evidence"):
        assert re.search(rf"/{part}\b", played.output)


def test_about_thirty_invented_pupils_cover_every_arrangement():
    people = everyone()
    assert 28 <= len(people) <= 36
    assert len({one.upn for one in people}) == len(people)
    assert all(check_upn(one.upn).state is UpnState.OK and one.upn[1:4] == "999" for one in people)
    assert {(one.arranged_by, one.registration) for one in people} == {
        ("school", "home"),
        ("council", "home"),
        ("school", "dual"),
        ("council", "own"),
        ("council", "no_roll"),
    }
    assert {one.power for one in people} == {"", "s.19", "s.42(2)", "s.61(1)"}
    assert {"sport", "work experience", "online", "1:1 tuition at home"} <= {one.nature for one in people}


# Owed, and told


def test_each_owed_period_of_the_day_has_exactly_one_current_report_handed_over(hub: Hub):
    with hub.store.reading() as connection:
        for desk in hub.desks():
            owed = connection.execute(
                select(t.owed_reports).where(
                    t.owed_reports.c.provider_id == desk.provider_id,
                    t.owed_reports.c.first_day == TUESDAY,
                )
            ).all()
            assert owed
            assert {(row.state, row.handed_over_at is not None) for row in owed} == {("met", True)}
            newest = connection.execute(
                select(t.reports.c.owed_id, t.reports.c.version).where(
                    t.reports.c.provider_id == desk.provider_id
                )
            ).all()
            versions = defaultdict(list)
            for row in newest:
                versions[row.owed_id].append(row.version)
            for row in owed:
                assert sorted(versions[row.owed_id]) == list(range(1, row.version + 1))


def test_a_pupil_without_a_lesson_on_that_day_is_owed_nothing(played: Played):
    assert not played.rows_of("7113")


def test_everybody_who_is_told_of_a_pupil_was_told(played: Played):
    reached: dict[str, set[str]] = defaultdict(set)
    for organisation, row in played.rows():
        reached[row["upn"]].add(organisation)
    for register in (played.home / "mis").glob("*.json"):
        page = json.loads(register.read_text())
        slug = {"Meadow High": "meadow-high", "Station Road School": "station-road"}[page["school"]["name"]]
        for mark in page["marks"]:
            reached[mark["upn"]].add(slug)
    for one in due_on_tuesday():
        for organisation, _ in one.told:
            if organisation == "brook-academy":  # its file opens only with its passphrase
                continue
            assert organisation in reached[one.upn], one.ref


# Messages


def test_every_mail_goes_to_exactly_one_organisation(
    played: Played, organisations: dict[str, OrganisationConfig]
):
    known = {
        str(channel.route().get("address")) for one in organisations.values() for channel in one.channels
    }
    assert played.day_mails
    for mail in played.mails:
        assert mail.to in known
        assert mail.message["Cc"] is None
        assert mail.message["Bcc"] is None


def test_a_mail_holds_only_pupils_of_its_organisation(played: Played):
    for mail in played.day_mails:
        own = told_to(organisation_of(mail.to))
        whole = mail.text + mail.html + "".join(str(row) for row in mail.rows())
        for one in everyone():
            if one.upn not in own:
                assert one.upn not in whole
                assert one.name not in whole


def test_a_dropped_file_holds_only_pupils_of_its_organisation(played: Played):
    for organisation, row in played.rows():
        assert row["upn"] in told_to(organisation)


def test_no_pupil_stands_in_a_subject_a_file_name_or_an_address(played: Played):
    names = [path.relative_to(played.home).as_posix() for path in played.home.rglob("*")]
    names += [mail.subject for mail in played.mails]
    names += [name for mail in played.mails for name in mail.attachments]
    names += [str(mail.message["Message-ID"]) for mail in played.mails]
    everything = "\n".join(names)
    for one in everyone():
        assert one.family_name not in everything
        assert one.upn not in everything


def test_a_school_without_attestation_gets_initials_and_a_protected_file(played: Played):
    mails = played.mails_to("brook-academy")
    assert mails
    for mail in mails:
        assert all(name.endswith(".xlsx") for name in mail.attachments)
        for one in everyone():
            assert one.family_name not in mail.text + mail.html


def test_test_messages_went_first_and_hold_invented_pupils_only(played: Played):
    tests = [mail for mail in played.mails if mail.is_test]
    assert tests
    assert all(mail.is_test for mail in played.mails[: len(tests)])
    for mail in tests:
        for one in everyone():
            assert one.name not in mail.text


# Codes


def test_online_never_suggests_a_code(played: Played):
    rows = [row for _, row in played.rows() if row["outcome"] in {"online", "worked_at_home"}]
    assert rows
    assert {row["suggested_code"] for row in rows} == {""}


def test_a_pupil_on_two_rolls_is_d_for_the_home_school_also_when_absent(played: Played):
    rows = [row for ref in ("00413", "00414") for _, row in played.rows_of(ref)]
    assert {row["outcome"] for row in rows} == {"present", "absent"}
    assert {row["suggested_code"] for row in rows} == {"D"}


def test_attending_by_the_councils_arrangement_is_k_for_council_and_school(played: Played):
    rows = played.rows_of("00422") + played.rows_of("7107")
    attended = [
        (where, row["suggested_code"])
        for where, row in rows
        if row["outcome"] in {"present", "taught_at_home"}
    ]
    assert {code for _, code in attended} == {"K"}
    assert {where for where, _ in attended} == {"northshire", "fenside-academy", "lantern-school"}


def test_no_roll_has_no_code_and_goes_to_the_council_mailbox_only(played: Played):
    for ref in ("7108", "7109", "7110"):
        rows = played.rows_of(ref)
        assert {where for where, _ in rows} == {"westmarsh"}
        assert {row["suggested_code"] for _, row in rows} == {""}


def test_own_roll_keeps_the_registers_own_codes(played: Played):
    codes = {
        ref: {row["session"]: row["suggested_code"] for _, row in played.rows_of(ref)}
        for ref in ("00425", "00426")
    }
    assert codes == {"00425": {"AM": "/", "PM": "\\"}, "00426": {"AM": "L", "PM": "\\"}}


def test_sport_is_p_and_work_experience_is_w(played: Played):
    assert {row["suggested_code"] for _, row in played.rows_of("00420")} == {"P"}
    assert {row["suggested_code"] for _, row in played.rows_of("00418")} == {"W"}


def test_the_references_that_a_spreadsheet_ate_are_found_again(played: Played):
    afternoons = [row for _, row in played.rows_of("00411") if row["session"] == "PM"]
    assert [row["outcome"] for row in afternoons] == ["present"]


def test_minutes_late_travel_with_the_code(played: Played):
    rows = [row for _, row in played.rows_of("7102") if row["session"] == "AM"]
    assert ("B", "20") in {(row["suggested_code"], row["minutes_late"]) for row in rows}


# What waits for a person


def questions_of(hub: Hub, slug: str) -> dict[str, int]:
    desk = hub.desk(slug)
    with hub.store.reading() as connection:
        rows = connection.execute(
            select(t.questions.c.kind).where(
                t.questions.c.provider_id == desk.provider_id, t.questions.c.answered_at.is_(None)
            )
        ).all()
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[row.kind] += 1
    return found


def test_a_retired_code_became_a_question_and_suggests_nothing(hub: Hub, played: Played):
    assert questions_of(hub, "riverbank")["retired"] == 1
    mornings = [row for _, row in played.rows_of("00421") if row["session"] == "AM"]
    assert mornings
    assert {row["suggested_code"] for row in mornings} == {""}


def test_an_unmapped_word_and_a_missing_reason_became_questions(hub: Hub):
    kinds = questions_of(hub, "old-mill")
    assert kinds["unmapped"] == 1
    assert kinds["needs_reason"] == 1


def test_a_pupil_who_is_not_placed_became_a_question(hub: Hub):
    assert sum(questions_of(hub, "riverbank").values()) == 2


def test_the_same_file_twice_is_refused_by_name(played: Played):
    refused = [path.name for path in (played.home / "inbox" / "riverbank" / "refused").iterdir()]
    assert any("AM register 03-03 (1)" in name for name in refused)


def test_every_other_register_was_taken(played: Played):
    waiting = [path for path in (played.home / "inbox").glob("*/*") if path.is_file()]
    assert waiting == []


def test_missing_pupils_at_risk_become_phone_tasks(hub: Hub):
    desk = hub.desk("old-mill")
    with hub.store.reading() as connection:
        kinds = (
            connection.execute(select(t.tasks.c.kind).where(t.tasks.c.provider_id == desk.provider_id))
            .scalars()
            .all()
        )
    assert kinds.count("phone_home") >= 2


# Time


def test_urgent_news_left_within_fifteen_minutes(hub: Hub):
    with hub.store.reading() as connection:
        rows = connection.execute(
            select(t.dispatches).where(t.dispatches.c.urgent, t.dispatches.c.state != "cancelled")
        ).all()
    assert rows
    for row in rows:
        assert row.handed_over_at is not None, row.reference
        assert row.handed_over_at - row.prepared_at <= timedelta(minutes=15), row.reference


def test_a_cancelled_lesson_was_told_within_fifteen_minutes_of_the_news(played: Played, hub: Hub):
    first = min(
        (mail for mail in played.mails_to("brook-academy")), key=lambda mail: mail.message["Date"].datetime
    )
    assert "cancelled" in first.text
    with hub.store.reading() as connection:
        row = connection.execute(
            select(t.dispatches).where(t.dispatches.c.reference == first.reference)
        ).one()
    assert row.handed_over_at <= at("08:50") + timedelta(minutes=15)


def test_a_busy_mail_server_was_tried_again(hub: Hub):
    with hub.store.reading() as connection:
        rows = connection.execute(
            select(t.attempts.c.dispatch_id, t.attempts.c.outcome)
            .join(
                t.dispatches,
                and_(
                    t.dispatches.c.provider_id == t.attempts.c.provider_id,
                    t.dispatches.c.dispatch_id == t.attempts.c.dispatch_id,
                ),
            )
            .where(t.dispatches.c.adapter == "email", t.dispatches.c.handed_over_at.is_not(None))
        ).all()
    assert "transient" in {row.outcome for row in rows}


def test_email_took_over_while_the_secure_folders_were_down_and_says_so(hub: Hub, played: Played):
    with hub.store.reading() as connection:
        rows = connection.execute(
            select(t.dispatches).where(
                t.dispatches.c.replaces_id.is_not(None), t.dispatches.c.adapter == "email"
            )
        ).all()
    assert {row.organisation for row in rows} >= {"harbour-college", "fenside-academy", "northshire"}
    assert all(row.handed_over_at is not None for row in rows)
    arrived = {mail.reference for mail in played.day_mails}
    assert {row.reference for row in rows} <= arrived


# Corrections


def test_a_late_correction_says_what_changed_in_the_same_thread(played: Played):
    corrections = [mail for mail in played.mails_to("hill-school") if "correction" in mail.subject]
    assert corrections
    for mail in corrections:
        assert "Changed:" in mail.text
        earlier = str(mail.message["References"]).split()
        assert earlier
        assert set(earlier) <= {str(one.message["Message-ID"]) for one in played.mails}
    assert "arrived 40 minutes late" in "".join(mail.text for mail in corrections)


# Far sides


def test_the_drop_holds_machine_copies_with_the_right_columns(played: Played):
    files = [content for name, content in played.drop_files().items() if name.endswith(".csv")]
    assert files
    for content in files:
        rows = list(csv.reader(io.StringIO(content.decode())))
        assert tuple(rows[0]) == COLUMNS
        assert all(row[0] == "aphub-1" for row in rows[1:])


def test_no_half_written_file_is_left_in_the_drop(played: Played):
    assert not [name for name in played.drop_files() if name.endswith((".part", ".tmp"))]


def marks_in(played: Played, school: str) -> dict[tuple[str, str], tuple[str, str]]:
    page = json.loads((played.home / "mis" / f"{school}.json").read_text())
    return {(mark["upn"], mark["session"]): (mark["code"], mark["made_by"]) for mark in page["marks"]}


def test_registers_hold_the_marks_that_we_wrote(played: Played):
    meadow = marks_in(played, "meadow-high")
    for ref in ("00416", "00417"):
        assert meadow[pupil(ref).upn, "AM"] == ("B", "write-back")
        assert meadow[pupil(ref).upn, "PM"] == ("B", "write-back")
    station = marks_in(played, "station-road-school")
    assert station[pupil("7112").upn, "AM"] == ("B", "write-back")


def test_a_mark_that_the_school_made_is_left_as_it_is(played: Played):
    assert marks_in(played, "meadow-high")[pupil("00419").upn, "AM"] == ("I", "school office")


def test_a_code_that_was_not_signed_for_is_not_written_but_mailed(played: Played):
    assert (pupil("00418").upn, "AM") not in marks_in(played, "meadow-high")
    assert {where for where, _ in played.rows_of("00418")} == {"meadow-high"}


def test_written_marks_were_read_back_and_count_as_accepted(hub: Hub):
    with hub.store.reading() as connection:
        rows = connection.execute(select(t.dispatches).where(t.dispatches.c.adapter == "wonde")).all()
    assert {row.rung for row in rows if row.state == "accepted"} == {"accepted"}
    assert any(row.state == "accepted" for row in rows)


# Proof


def test_the_ledger_verifies(hub: Hub):
    for desk in hub.desks():
        assert receipts.verify(desk).ok


def test_every_channel_was_approved_by_a_second_person(hub: Hub):
    with hub.store.reading() as connection:
        rows = connection.execute(select(t.channels)).all()
    assert {row.state for row in rows} == {"live"}
    assert all(row.approved_by != row.tested_by for row in rows)


def test_evidence_lies_ready(played: Played):
    assert any(path.is_file() for path in (played.home / "evidence").rglob("*"))


# Afterwards


def test_played_again_it_says_that_nothing_is_owed(played: Played):
    before = sorted((played.home / "mail").glob("new/*"))
    out = io.StringIO()
    assert demo.play(played.home, Console(file=out, width=80)) == 0
    assert "Nothing is owed." in out.getvalue()
    assert sorted((played.home / "mail").glob("new/*")) == before


def test_a_real_hub_refuses_the_played_store(played: Played):
    with pytest.raises(SimulatedStoreError):
        open_hub(played.home)


def test_the_played_time_is_kept(hub: Hub):
    assert hub.clock.now() == at("18:00")


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(NotADemoError):
        Folder(tmp_path).begin(again=True)
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_day_played_before_makes_room_only_when_asked(tmp_path: Path):
    folder = Folder(tmp_path / "demo")
    assert folder.begin(again=False)
    folder.finish()
    (folder.mail / "letter").write_text("old")
    assert not folder.begin(again=False)
    assert (folder.mail / "letter").exists()
    assert folder.begin(again=True)
    assert not (folder.mail / "letter").exists()
