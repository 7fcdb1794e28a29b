from datetime import date

import pytest
from pydantic import ValidationError

from aphub_email import Attestation, EmailConnection, EmailRoute

SENDER = "reports@riverbank.example.org"


def test_the_password_is_in_no_repr_and_in_no_lane_identity():
    connection = EmailConnection(host="mail.example.org", username="u", password="t0p", from_address=SENDER)
    assert "t0p" not in repr(connection)
    assert "t0p" not in connection.model_dump_json()


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465)])
def test_the_port_follows_the_kind_of_encryption(security: str, port: int):
    connection = EmailConnection(host="mail.example.org", security=security, from_address=SENDER)
    assert connection.actual_port == port


def test_there_is_no_setting_without_encryption():
    with pytest.raises(ValidationError, match=r"starttls.*tls"):
        EmailConnection(host="mail.example.org", security="none", from_address=SENDER)


def test_a_space_in_the_address_is_refused_in_plain_words():
    with pytest.raises(ValidationError, match="Remove the space from the email address"):
        EmailRoute(address="atten dance@hill-school.example.org")


def test_naming_pupils_in_the_body_needs_somebodys_word():
    with pytest.raises(ValidationError, match="what was checked and when"):
        EmailRoute(address="attendance@hill-school.example.org", protection="attested")


def test_a_user_without_a_password_is_refused():
    with pytest.raises(ValidationError, match="both username and password"):
        EmailConnection(host="mail.example.org", username="u", from_address=SENDER)


@pytest.mark.parametrize("host", ["mail.example.org\r\nX", "", "-x", "mail example", "a@b"])
def test_a_host_that_is_no_name_is_refused(host: str):
    with pytest.raises(ValidationError):
        EmailConnection(host=host, from_address=SENDER)


def test_the_destination_changes_with_address_and_protection_and_with_nothing_else():
    said = Attestation(kind="mta-sts", what="MTA-STS policy in enforce mode", on=date(2026, 3, 1))
    later = Attestation(kind="mta-sts", what="MTA-STS policy in enforce mode", on=date(2026, 4, 1))
    address = "attendance@hill-school.example.org"
    one = EmailRoute(address=address, protection="attested", attestation=said)
    assert one.destination() == one.model_copy(update={"attestation": later}).destination()
    assert one.destination() != EmailRoute(address=address).destination()
    assert one.destination() != one.model_copy(update={"address": "b@hill-school.example.org"}).destination()


@pytest.mark.parametrize(
    ("settings", "pace"),
    [
        ({"host": "smtp.office365.com"}, (30, 10_000)),
        ({"host": "riverbank-example-org.mail.protection.outlook.com"}, (30, 10_000)),
        ({"host": "smtp.office365.com", "per_minute": 10}, (10, 10_000)),
        ({"host": "mail.example.org", "per_day": 500}, (0, 500)),
        ({"host": "mail.example.org"}, None),
        ({"host": "smtp.office365.com", "per_minute": 0, "per_day": 0}, None),
        ({"host": "smtp.office365.com.example.org"}, None),
    ],
)
def test_the_pace_is_what_is_set_and_else_what_the_host_is_known_to_take(
    settings: dict[str, object], pace: tuple[int, int] | None
):
    found = EmailConnection(from_address=SENDER, **settings).pace()
    assert (found and (found.per_minute, found.per_day)) == pace


def test_every_setting_says_what_it_is_for():
    for settings in (EmailConnection, EmailRoute, Attestation):
        assert [name for name, field in settings.model_fields.items() if not field.description] == []
