import json

import pytest
from pydantic import SecretStr, ValidationError

from aphub.api.mis import State
from aphub_wonde import WondeAdapter, WondeConnection, WondeRoute


@pytest.mark.parametrize(
    "address",
    [
        "http://api.wonde.com/v1.0/",
        "api.wonde.com",
        "https://",
        "https://name:word@api.wonde.com/v1.0/",
        "https://api.wonde.com/v1.0/?token=x",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_plainly_encrypted_is_refused(address):
    with pytest.raises(ValidationError, match="The address must"):
        WondeConnection(base_url=address, token=SecretStr("x"))


def test_an_address_ends_with_one_slash():
    connection = WondeConnection(base_url="https://api.wonde.com/v1.0", token=SecretStr("x"))
    assert connection.base_url == "https://api.wonde.com/v1.0/"
    assert connection.host == "api.wonde.com"


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError):
        WondeConnection.model_validate({"token": "x", "tokn": "y"})
    with pytest.raises(ValidationError):
        WondeRoute.model_validate({"school_id": "A1930499544", "school": "y"})


@pytest.mark.parametrize("school_id", ["", "A1/../B2", "A 1930499544", "A1?x=1", "A%2e%2e"])
def test_a_school_id_cannot_change_the_address(school_id):
    with pytest.raises(ValidationError):
        WondeRoute(school_id=school_id)


def test_every_setting_says_what_it_is_for():
    for model in (WondeConnection, WondeRoute):
        assert all(field.description for field in model.model_fields.values())


def test_the_readme_names_every_setting(readme):
    for model in (WondeConnection, WondeRoute):
        for name in model.model_fields:
            assert f"`{name}`" in readme


def test_the_readme_says_what_it_can(readme):
    assert all(f"| {what} | {how} |" in readme for what, how in WondeAdapter.capabilities.items())


def test_the_destination_is_the_school_and_not_the_comment():
    with_comment, without = (
        WondeRoute(school_id="A1930499544"),
        WondeRoute(school_id="A1930499544", comment=False),
    )
    assert with_comment.destination() == without.destination()
    assert json.loads(with_comment.destination()) == {"school": "A1930499544"}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        (" Completed ", State.CONFIRMED),
        ("FAILED", State.FAILED),
        ("queued", State.PENDING),
        ("unheard of", State.PENDING),
        ("", State.PENDING),
    ],
)
def test_a_status_word_that_nobody_knows_claims_nothing(word, state):
    assert WondeConnection(token=SecretStr("x")).state_of(word) is state


def test_status_words_of_the_settings_are_folded():
    connection = WondeConnection.model_validate({"token": "x", "statuses": {"In MIS": "confirmed"}})
    assert connection.state_of("in mis") is State.CONFIRMED


def test_the_token_is_in_no_repr_and_no_dump():
    connection = WondeConnection(token=SecretStr("hidden-word"))
    assert "hidden-word" not in f"{connection!r}{connection}{connection.model_dump_json()}"
