"""One played day: who was told what."""

import json
from collections import defaultdict

import pytest
from sqlalchemy import select

from aphub.demo.day import TUESDAY
from aphub.demo.pupils import everyone
from aphub.hub import Hub
from aphub.settings.models import OrganisationConfig
from aphub.store import tables as t
from tests.end_to_end.played_day import Played, due_on_tuesday, organisation_of, told_to

pytestmark = pytest.mark.slow


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


def test_everybody_who_is_told_of_a_pupil_was_told(
    played: Played, organisations: dict[str, OrganisationConfig]
):
    reached: dict[str, set[str]] = defaultdict(set)
    for organisation, row in played.rows():
        reached[row["upn"]].add(organisation)
    for register in (played.home / "mis").glob("*.json"):
        page = json.loads(register.read_text())
        slug = next(slug for slug, one in organisations.items() if one.name == page["school"]["name"])
        for mark in page["marks"]:
            reached[mark["upn"]].add(slug)
    for one in due_on_tuesday():
        if one.ref == "6305":  # present, and told weekly: on Friday
            continue
        for organisation, _ in one.told:
            if organisation in {"brook-academy", "pier-school"}:  # a file with a passphrase; by telephone
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


def test_every_providers_own_office_hears_what_waits_and_of_no_pupil(played: Played):
    assert {mail.to for mail in played.office_mails} == {
        f"office@{name}.example.org" for name in ("cst", "red-everywhere", "safe-space", "sentre", "ypm")
    }
    left = [mail for mail in played.office_mails if "left our site" in mail.text]
    assert left
    assert any(mail.subject.endswith("figures") for mail in played.office_mails)
    for mail in played.office_mails:
        assert not mail.attachments
        for one in everyone():
            for word in (one.upn, one.name, one.family_name, one.ref):
                assert word not in mail.text + mail.html


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
