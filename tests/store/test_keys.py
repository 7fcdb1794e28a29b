"""The key store: apart from the database, wrapped under the master key, one key a subject and purpose."""

from datetime import UTC, date, datetime

import pytest
from pydantic import SecretStr

from aphub.sealing import CannotOpenError, MasterKey
from aphub.store.key_tables import data_keys
from aphub.store.keys import KeyStore, SecretMissingError, open_keys
from aphub.store.vault import KeyErasedError

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
MASTER = MasterKey.generate()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """Give an empty place for keys on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'keys.db'}"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
def keys(url):
    opened = open_keys(url, MASTER)
    yield opened
    opened.close()


def anew(keys: KeyStore, url: str, master: MasterKey = MASTER) -> KeyStore:
    """Open the same keys as another process does."""
    keys.close()
    return open_keys(url, master)


def test_same_subject_has_the_same_key_after_reopening(keys, url):
    one = keys.vault(1).data_keys([7, 8], "pupil", "2025-26")
    again = anew(keys, url)
    try:
        two = again.vault(1).data_keys([8, 7], "pupil", "2025-26")
        assert [key.key_id for key in two] == [one[1].key_id, one[0].key_id]
    finally:
        again.close()


def test_pupil_class_year_and_provider_each_have_a_key_of_their_own(keys):
    vault = keys.vault(1)
    made = [
        *vault.data_keys([7], "pupil", "2025-26"),
        *vault.data_keys([8], "pupil", "2025-26"),
        *vault.data_keys([7], "report", "2025-26"),
        *vault.data_keys([7], "pupil", "2026-27"),
        *keys.vault(2).data_keys([7], "pupil", "2025-26"),
    ]
    assert len({key.key_id for key in made}) == 5


def test_hundreds_of_keys_come_in_one_go_in_order(keys):
    vault = keys.vault(1)
    many = vault.data_keys(range(1200), "pupil", "2025-26")
    assert len({key.key_id for key in many}) == 1200
    assert [key.key_id for key in vault.data_keys([3, 3, 5], "pupil", "2025-26")] == [
        many[3].key_id,
        many[3].key_id,
        many[5].key_id,
    ]


def test_what_is_sealed_opens_only_where_it_stands(keys):
    vault = keys.vault(1)
    [key] = vault.data_keys([7], "pupil", "2025-26")
    sealed = vault.seal_json(key, "pupils:1:7", {"given_name": "Sam"})
    assert b"Sam" not in sealed
    assert vault.open_json(key.key_id, "pupils:1:7", sealed) == {"given_name": "Sam"}
    with pytest.raises(CannotOpenError):
        vault.open_json(key.key_id, "pupils:1:8", sealed)


def test_erased_key_makes_what_it_sealed_unreadable_in_plain_words(keys, url):
    vault = keys.vault(1)
    [key] = vault.data_keys([7], "pupil", "2025-26")
    sealed = vault.seal_json(key, "pupils:1:7", {"given_name": "Sam"})
    again = anew(keys, url)
    try:
        with again._engine.begin() as connection:
            connection.execute(data_keys.delete())
        with pytest.raises(KeyErasedError, match="has been erased"):
            again.vault(1).open_json(key.key_id, "pupils:1:7", sealed)
    finally:
        again.close()


def test_another_master_key_opens_nothing(keys, url):
    keys.vault(1).data_keys([7], "pupil", "2025-26")
    keys.set_secret("mail", SecretStr("planted-password"), NOW)
    stranger = anew(keys, url, MasterKey.generate())
    try:
        with pytest.raises(CannotOpenError):
            stranger.vault(1).data_keys([7], "pupil", "2025-26")
        with pytest.raises(CannotOpenError):
            stranger.secret("mail")
    finally:
        stranger.close()


def test_secret_is_kept_replaced_and_listed_without_its_value(keys):
    keys.set_secret("mail", SecretStr("first-password"), NOW)
    keys.set_secret("mail", SecretStr("planted-password"), NOW, date(2026, 9, 1))
    assert keys.secret("mail").get_secret_value() == "planted-password"
    assert keys.secret_names() == [("mail", date(2026, 9, 1))]
    assert "planted" not in repr(keys.secret("mail"))


def test_missing_secret_names_itself_and_the_command(keys):
    with pytest.raises(SecretMissingError, match="aphub secret set mail") as caught:
        keys.secret("mail")
    assert "'mail' is not in the key store" in str(caught.value)


def test_secret_stands_nowhere_in_the_files(tmp_path):
    keys = open_keys(f"sqlite:///{tmp_path / 'keys.db'}", MASTER)
    keys.set_secret("mail", SecretStr("planted-password"), NOW)
    keys.close()
    assert all(b"planted" not in path.read_bytes() for path in tmp_path.iterdir())


def test_signing_key_is_made_once_for_each_provider(keys, url):
    one, other = keys.signing_key(1, "ledger-1"), keys.signing_key(2, "ledger-1")
    assert one != other
    again = anew(keys, url)
    try:
        assert again.signing_key(1, "ledger-1") == one
    finally:
        again.close()


def test_blind_index_folds_spelling_and_tells_providers_apart(keys):
    vault = keys.vault(1)
    assert vault.index("name", "Sam  EXAMPLE") == vault.index("name", "sam example")
    assert vault.index("name", "sam example") != vault.index("upn", "sam example")
    assert vault.index("name", "sam example") != keys.vault(2).index("name", "sam example")
