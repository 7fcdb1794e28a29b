"""Keys and seals: what is sealed opens in one place with one key, and nothing secret ever shows."""

import hmac
import pickle
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aphub.sealing import (
    BlindIndex,
    CannotOpenError,
    DataKey,
    Keyed,
    MasterKey,
    MasterKeyError,
    RecoveryTextError,
    SealingError,
    key_name,
    open_many,
    open_sealed,
    seal,
    seal_many,
    unwrap,
    wrap,
)
from aphub.sealing.recovery import ALPHABET

KEY = DataKey(7, bytes(range(32)))
OTHER = DataKey(8, bytes(range(1, 33)))
secrets_of_32 = st.binary(min_size=32, max_size=32)


@given(plaintext=st.binary(max_size=400), context=st.binary(max_size=40))
def test_what_is_sealed_opens_with_the_same_key_and_context(plaintext: bytes, context: bytes) -> None:
    sealed = seal(KEY, plaintext, context)
    assert open_sealed(KEY, sealed, context) == plaintext
    assert len(sealed) == len(plaintext) + 29


@given(plaintext=st.binary(max_size=60), data=st.data())
def test_any_changed_byte_is_refused(plaintext: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, plaintext, b"entries"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CannotOpenError):
        open_sealed(KEY, bytes(sealed), b"entries")


@given(plaintext=st.binary(max_size=60), length=st.integers(0, 88))
def test_a_seal_that_was_cut_short_is_refused(plaintext: bytes, length: int) -> None:
    sealed = seal(KEY, plaintext, b"entries")
    if length < len(sealed):
        with pytest.raises(CannotOpenError):
            open_sealed(KEY, sealed[:length], b"entries")


@given(one=st.binary(max_size=20), other=st.binary(max_size=20))
def test_a_seal_opens_in_its_own_context_only(one: bytes, other: bytes) -> None:
    sealed = seal(KEY, b"Robin Example", one)
    if one != other:
        with pytest.raises(CannotOpenError):
            open_sealed(KEY, sealed, other)


def test_another_key_does_not_open_a_seal() -> None:
    with pytest.raises(CannotOpenError):
        open_sealed(OTHER, seal(KEY, b"Robin Example", b"pupils"), b"pupils")


def test_the_same_text_is_never_sealed_to_the_same_bytes() -> None:
    assert len({seal(KEY, b"Robin Example", b"pupils") for _ in range(50)}) == 50


@given(
    st.lists(
        st.tuples(st.sampled_from([KEY, OTHER]), st.binary(max_size=30), st.binary(max_size=9)), max_size=20
    )
)
def test_a_batch_keeps_its_order(items: list[tuple[DataKey, bytes, bytes]]) -> None:
    sealed = seal_many(items)
    again = [(key, one, context) for (key, _, context), one in zip(items, sealed, strict=True)]
    assert open_many(again) == [plaintext for _, plaintext, _ in items]
    assert len({one[1:13] for one in sealed}) == len(items)


@given(secret=secrets_of_32, data_secret=secrets_of_32)
def test_a_wrapped_key_opens_under_its_own_number_and_name_only(secret: bytes, data_secret: bytes) -> None:
    master, key = MasterKey(secret), DataKey(3, data_secret)
    wrapped = wrap(master, key, b"1/81/entries/2025-26")
    assert unwrap(master, 3, wrapped, b"1/81/entries/2025-26") == key
    for number, name in ((4, b"1/81/entries/2025-26"), (3, b"1/82/entries/2025-26")):
        with pytest.raises(CannotOpenError):
            unwrap(master, number, wrapped, name)
    with pytest.raises(CannotOpenError):
        unwrap(MasterKey.generate(), 3, wrapped, b"1/81/entries/2025-26")


@given(secret=secrets_of_32)
def test_no_key_shows_itself(secret: bytes) -> None:
    master = MasterKey(secret)
    shown = (
        "".join(map(repr, (master, DataKey(7, secret), BlindIndex(secret))))
        + f"{master} {DataKey(7, secret)}"
    )
    for form in (secret.hex(), repr(secret)[2:-1], master.to_recovery_text()):
        assert form not in shown
    with pytest.raises(TypeError):
        pickle.dumps(master)


@given(secret=secrets_of_32)
def test_recovery_text_comes_back_however_it_is_typed(secret: bytes) -> None:
    text = MasterKey(secret).to_recovery_text()
    assert all(len(group) == 4 for group in text.split("-"))
    for typed in (
        text,
        text.lower(),
        text.replace("-", " "),
        f"  {text}\n",
        text.replace("0", "o").replace("1", "l"),
    ):
        assert MasterKey.from_recovery_text(typed) == MasterKey(secret)


@given(secret=secrets_of_32, place=st.integers(0, 55), letter=st.sampled_from(ALPHABET))
def test_one_wrong_letter_is_found_and_its_group_is_named(secret: bytes, place: int, letter: str) -> None:
    text = MasterKey(secret).to_recovery_text().replace("-", "")
    if text[place] == letter:
        return
    with pytest.raises(RecoveryTextError, match=rf"group .*\b{place // 4 + 1}\b") as slip:
        MasterKey.from_recovery_text(text[:place] + letter + text[place + 1 :])
    assert not any(text[start : start + 4] in str(slip.value) for start in range(0, 56, 4))


def test_two_swapped_groups_and_lost_letters_are_found() -> None:
    groups = MasterKey(bytes(range(32))).to_recovery_text().split("-")
    swapped = [groups[1], groups[0], *groups[2:]]
    for typed in ("-".join(swapped), "-".join(groups[:-1]), "", "-".join([*groups, "0000"]), "é" * 56):
        with pytest.raises(RecoveryTextError):
            MasterKey.from_recovery_text(typed)


def test_a_key_file_is_written_once_for_its_owner_only(tmp_path: Path) -> None:
    path, master = tmp_path / "master.key", MasterKey.generate()
    master.write_new_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert MasterKey.from_file(path) == master
    with pytest.raises(MasterKeyError, match="already"):
        MasterKey.generate().write_new_file(path)
    assert MasterKey.from_file(path) == master


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    MasterKey.generate().write_new_file(path)
    path.chmod(mode)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        MasterKey.from_file(path)


def test_a_missing_or_broken_key_says_what_to_do_and_shows_nothing(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="no master key file"):
        MasterKey.from_file(tmp_path / "master.key")
    with pytest.raises(MasterKeyError, match="not set"):
        MasterKey.from_environment(environ={})
    with pytest.raises(MasterKeyError) as broken:
        MasterKey.from_environment(environ={"APHUB_MASTER_KEY": "hunter2"})
    assert "hunter2" not in str(broken.value)


def test_a_key_comes_from_the_environment_as_recovery_text() -> None:
    master = MasterKey.generate()
    assert MasterKey.from_environment(environ={"APHUB_MASTER_KEY": master.to_recovery_text()}) == master


def test_derived_secrets_differ_by_purpose_and_master() -> None:
    one, other = MasterKey(bytes(32)), MasterKey(b"\1" * 32)
    assert one.derive("blind index 1") == one.derive("blind index 1")
    assert (
        len(
            {
                one.derive("blind index 1"),
                one.derive("blind index 2"),
                other.derive("blind index 1"),
                bytes(32),
            }
        )
        == 4
    )


@given(text=st.text(max_size=30), kind=st.sampled_from(["name", "upn"]))
def test_a_blind_index_ignores_what_people_do_not_mean(text: str, kind: str) -> None:
    index = BlindIndex(bytes(32))
    found = index.of(kind, text)
    assert len(found) == 16
    assert index.of(kind, f"  {text}\t") == found
    assert index.of(kind, text.casefold()) == found
    for form in ("NFC", "NFD"):
        assert index.of(kind, unicodedata.normalize(form, text)) == found


def test_a_blind_index_tells_names_kinds_and_secrets_apart() -> None:
    one, other = BlindIndex(bytes(32)), BlindIndex(b"\1" * 32)
    values = [
        one.of("name", "Robin Example"),
        one.of("name", "Robyn Example"),
        one.of("upn", "Robin Example"),
    ]
    assert len({*values, other.of("name", "Robin Example")}) == 4
    assert one.of("name", "ZOË  O'Example") == one.of("name", "zoe\u0308 o'example")


def test_a_keyed_digest_needs_its_secret() -> None:
    assert Keyed(b"a" * 32).digest(b"register") == Keyed(b"a" * 32).digest(b"register")
    assert Keyed(b"a" * 32).digest(b"register") != Keyed(b"b" * 32).digest(b"register")


@given(secret=st.binary(max_size=200), content=st.binary(max_size=300))
def test_a_keyed_digest_is_the_hmac_of_the_standard_library(secret: bytes, content: bytes) -> None:
    assert Keyed(secret).digest(content) == hmac.digest(secret, content, "sha256")


def test_a_key_is_named_by_what_can_be_erased_apart() -> None:
    assert key_name(3, 81, "entries", "2025-26") == "3/81/entries/2025-26"
    assert key_name(3, "intake", "originals", "2099-00") == "3/intake/originals/2099-00"


@pytest.mark.parametrize(
    ("subject", "record_class", "school_year"),
    [
        ("a/b", "entries", "2025-26"),
        (81, "Entries!", "2025-26"),
        (81, "entries", "2025-27"),
        (81, "entries", "2025"),
    ],
)
def test_a_key_name_that_could_be_mistaken_is_refused(
    subject: int | str, record_class: str, school_year: str
) -> None:
    with pytest.raises(SealingError):
        key_name(3, subject, record_class, school_year)
