from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from aphub_drop import DropConnection, DropRoute, FolderConnection, FolderRoute

GOOD = {
    "host": "drop.example.org",
    "user": "riverside",
    "host_key": "SHA256:" + "A" * 43,
    "client_key": SecretStr("secret:drop-key"),
}


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("MD5:" + ":".join(["0a"] * 16), "old MD5 form"),
        (":".join(["0a"] * 16), "old MD5 form"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIabc", "the key itself"),
        ("SHA256:short", "43 signs"),
        ("SHA256:" + "A" * 42 + "!", "43 signs"),
    ],
)
def test_a_fingerprint_of_another_form_is_named_with_what_to_ask_for(written, words):
    with pytest.raises(ValidationError, match=words):
        DropConnection.model_validate(GOOD | {"host_key": written})


def test_a_fingerprint_may_carry_its_padding():
    assert (
        DropConnection.model_validate(GOOD | {"host_key": GOOD["host_key"] + "="}).host_key
        == GOOD["host_key"]
    )


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
