"""One provider's view of the keys: seal, open, find again without showing, and erase."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from pydantic import SecretStr

from aphub.domain.errors import AphubError
from aphub.sealing import BlindIndex, DataKey, Keyed, key_name, open_sealed, seal


class Keys(Protocol):
    """What a vault needs of the key store."""

    def named(self, names: Sequence[str]) -> list[DataKey]:
        """Give the data keys of these names, making those that are new."""

    def by_id(self, key_ids: Sequence[int]) -> dict[int, DataKey]:
        """Give data keys by number; one that was erased is missing."""

    def names_like(self, pattern: str) -> list[str]:
        """Name the data keys that fit an SQL LIKE pattern."""

    def key_ids(self, names: Sequence[str]) -> list[int]:
        """Give the numbers of those of these data keys that are there."""

    def erase(self, names: Sequence[str]) -> int:
        """Destroy data keys by name."""

    def copies_until(self, now: datetime) -> datetime:
        """Give when the last copy of the key store expires."""

    def delete_expired_copies(self, now: datetime) -> tuple[list[str], list[str]]:
        """Delete the copies whose time is over."""

    def erase_signing(self, provider_id: int) -> None:
        """Destroy a provider's private ledger keys."""

    def secret(self, name: str) -> SecretStr:
        """Give a secret by name."""

    def secret_names(self) -> list[tuple[str, date | None]]:
        """List the names of secrets and when they expire."""

    def signing_key(self, provider_id: int, name: str) -> bytes:
        """Give a ledger key."""


class KeyErasedError(AphubError):
    """What was sealed cannot be opened any more: its key has been erased."""


class Vault:
    """One provider's keys: seals and opens its data, and finds it again without showing it."""

    def __init__(self, keys: Keys, provider_id: int, index_secret: bytes) -> None:
        """Keep the store and the provider's own index secret."""
        self.provider_id = provider_id
        self._keys = keys
        self._keyed = Keyed(index_secret)
        self._blind = BlindIndex(index_secret)

    def data_keys(self, subjects: Sequence[int | str], record_class: str, year: str) -> list[DataKey]:
        """Give one data key per subject (such as a pupil's number) for a record class and school year."""
        names = [key_name(self.provider_id, subject, record_class, year) for subject in subjects]
        return self._keys.named(names)

    def try_open_many(self, sealed: Sequence[tuple[int, str, bytes]]) -> list[bytes | None]:
        """Open (key number, context, sealed) triples in one batch; what has been erased is None."""
        keys = self._keys.by_id([key_id for key_id, _, _ in sealed])
        return [
            open_sealed(keys[key_id], blob, context.encode()) if blob and key_id in keys else None
            for key_id, context, blob in sealed
        ]

    def try_open_json_many(self, sealed: Sequence[tuple[int, str, bytes]]) -> list[Any]:
        """Open (key number, context, sealed JSON) triples in one batch; what has been erased is None."""
        opened = self.try_open_many(sealed) if sealed else []
        return [None if plain is None else _read_json(plain) for plain in opened]

    def open_many(self, sealed: Sequence[tuple[int, str, bytes]]) -> list[bytes]:
        """Open (key number, context, sealed) triples in one batch.

        Raises:
            KeyErasedError: One of them has been erased.
        """
        opened = self.try_open_many(sealed)
        there = [plain for plain in opened if plain is not None]
        if len(there) != len(opened):
            raise KeyErasedError("A record has been erased, so it cannot be read.", "Nothing was changed.")
        return there

    def open_json_many(self, sealed: Sequence[tuple[int, str, bytes]]) -> list[Any]:
        """Open (key number, context, sealed JSON) triples in one batch; raises KeyErasedError."""
        return [_read_json(plain) for plain in self.open_many(sealed)] if sealed else []

    def open(self, key_id: int, context: str, sealed: bytes) -> bytes:
        """Open one sealed value."""
        return self.open_many([(key_id, context, sealed)])[0]

    def open_json(self, key_id: int, context: str, sealed: bytes) -> Any:
        """Open one sealed JSON value."""
        return json.loads(self.open(key_id, context, sealed))

    def names_of(self, subject: int | str, without: Collection[str] = frozenset()) -> list[str]:
        """Name every key of a subject, except those of the record classes in `without`."""
        found = self._keys.names_like(f"{self.provider_id}/{subject}/%")
        return [name for name in found if name.split("/")[2] not in without]

    def names_in(self, record_class: str, year: str) -> dict[str, str]:
        """Name the keys of a record class and school year, by subject."""
        found = self._keys.names_like(f"{self.provider_id}/%/{record_class}/{year}")
        return {name.split("/")[1]: name for name in found}

    def classes(self) -> dict[tuple[str, str], int]:
        """Give how many keys there are of each record class and school year."""
        counted: Counter[tuple[str, str]] = Counter()
        for name in self._keys.names_like(f"{self.provider_id}/%"):
            _, _, record_class, year = name.split("/")
            counted[record_class, year] += 1
        return dict(counted)

    def names_for(self, subjects: Iterable[int | str], record_class: str, years: Iterable[str]) -> list[str]:
        """Name the keys of these subjects, of one record class, in these school years."""
        there = list(years)
        return [
            key_name(self.provider_id, subject, record_class, year) for subject in subjects for year in there
        ]

    def key_ids(self, names: Sequence[str]) -> list[int]:
        """Give the numbers of those of these keys that are there."""
        return self._keys.key_ids(names)

    def erase_named(self, names: Sequence[str]) -> int:
        """Destroy keys by name; give how many there were."""
        return self._keys.erase(names) if names else 0

    def copies_until(self, now: datetime) -> datetime:
        """Give when the last copy of the keys that still lives expires: until then, what was erased could come back."""
        return self._keys.copies_until(now)

    def delete_expired_copies(self, now: datetime) -> tuple[list[str], list[str]]:
        """Delete copies of the keys whose time is over; give those that are gone, and those out of our reach."""
        return self._keys.delete_expired_copies(now)

    def erase(self, subjects: Iterable[int | str], classes: Iterable[str], years: Iterable[str]) -> int:
        """Destroy the keys of these subjects, classes and school years; give how many there were."""
        named = [
            key_name(self.provider_id, subject, record_class, year)
            for subject in subjects
            for record_class in classes
            for year in years
        ]
        return self._keys.erase(named) if named else 0

    def years(self) -> list[str]:
        """Name the school years of which any key is kept, oldest first."""
        found = self._keys.names_like(f"{self.provider_id}/%")
        return sorted({name.rpartition("/")[2] for name in found})

    def erase_all(self) -> int:
        """Destroy every data key of this provider, and its private ledger keys; give how many data keys there were."""
        gone = self._keys.erase(self._keys.names_like(f"{self.provider_id}/%"))
        self._keys.erase_signing(self.provider_id)
        return gone

    def seal(self, key: DataKey, context: str, plain: bytes) -> bytes:
        """Seal bytes so that they open only in this context."""
        return seal(key, plain, context.encode())

    def seal_json(self, key: DataKey, context: str, value: Any) -> bytes:
        """Seal a JSON value."""
        return seal(key, _as_text(value).encode(), context.encode())

    def index(self, kind: str, text: str) -> bytes:
        """Give the blind index of a text: equal texts of one kind give equal indexes."""
        return self._blind.of(kind, text)

    def indexes(self, kind: str, texts: Iterable[str]) -> list[bytes]:
        """Give the blind indexes of texts of one kind, in order."""
        return self._blind.of_all(kind, texts)

    def digest(self, content: bytes) -> bytes:
        """Give a keyed digest, so that a list of digests tells nothing to others."""
        return self._keyed.digest(content)

    def digest_json(self, value: Any) -> bytes:
        """Give the keyed digest of a JSON value, whatever the order of its keys."""
        return self.digest(self.plain_json(value).encode())

    @staticmethod
    def plain_json(value: Any) -> str:
        """Write a JSON value with its keys in order."""
        return _in_order(value)

    def secret(self, name: str) -> SecretStr:
        """Give a secret by name."""
        return self._keys.secret(name)

    def secret_ends(self) -> dict[str, date | None]:
        """Say until when each secret is good, by its name."""
        return dict(self._keys.secret_names())

    def signing_key(self, name: str) -> bytes:
        """Give this provider's ledger key of a name."""
        return self._keys.signing_key(self.provider_id, name)


_from_text = json.JSONDecoder().raw_decode
_as_text = json.JSONEncoder(ensure_ascii=False).encode
_in_order = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def _read_json(plain: bytes) -> Any:
    """Read JSON that we wrote; `loads` would guess the encoding and look for white space, at the cost of reading it."""
    return _from_text(plain.decode())[0]
