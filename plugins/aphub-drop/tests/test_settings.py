from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from aphub_drop import DropConnection, DropRoute, FolderConnection, FolderRoute, words

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
GOOD = {
    "host": "drop.example.org",
    "user": "riverside",
    "host_key": "SHA256:" + "A" * 43,
    "client_key": SecretStr("secret:drop-key"),
}


def test_the_manual_names_every_setting():
    for settings in (DropConnection, DropRoute, FolderConnection, FolderRoute):
        for name in settings.model_fields:
            assert f"`{name}`" in README, name


def test_the_manual_explains_every_code():
    codes = {
        error().code
        for name, error in vars(words).items()
        if callable(error)
        and getattr(error, "__module__", "") == words.__name__
        and not error.__code__.co_argcount
    }
    for code in codes:
        assert f"`{code}`" in README, code


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "drop example.org"},
        {"port": 0},
        {"host_key": "MD5:00:11"},
        {"host_key": "SHA256:short"},
        {"client_key": SecretStr("")},
        {"client_key_file": Path("/etc/aphub/key")},
        {"password": "not here"},
    ],
)
def test_settings_that_cannot_work_are_refused(changed):
    with pytest.raises(ValidationError):
        DropConnection.model_validate(GOOD | changed)


@pytest.mark.parametrize("folder", ["../up", "a/../b", "", "a//b", "a\nb", "~/x", "a/.hidden", "/a/b\0"])
def test_folders_that_lead_astray_are_refused(folder):
    with pytest.raises(ValidationError):
        DropRoute(folder=folder)
    with pytest.raises(ValidationError):
        FolderRoute(folder=folder)


def test_a_mounted_folder_is_named_below_the_share():
    with pytest.raises(ValidationError):
        FolderRoute(folder="/etc")
    assert FolderRoute(folder="hill school/in/").folder == "hill school/in"
    assert DropRoute(folder="/srv/in/").folder == "/srv/in"
    with pytest.raises(ValidationError):
        FolderConnection(path="mnt/council")


def test_the_folder_is_part_of_the_destination_so_that_a_change_needs_approval():
    assert DropRoute(folder="a").destination() != DropRoute(folder="b").destination()
