"""The key store: wrapped data keys, secrets and signing keys, apart from the database they open.

Losing this store makes every sealed thing unreadable; erasing a key erases what it sealed. It has its own backups.
"""

import json
import secrets
import threading
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import make_url

from aphub.domain.errors import AphubError
from aphub.sealing import (
    BlindIndex,
    DataKey,
    MasterKey,
    key_name,
    keyed_digest,
    open_sealed,
    seal,
    unwrap_many,
    wrap_many,
)
from aphub.store.engine import insert_ignoring, prepare_sqlite
from aphub.store.types import UtcDateTime

CACHED_KEYS = 50_000
_BATCH = 500
_WRITES = "aphub_writes"

metadata = MetaData()

data_keys = Table(
    "data_keys",
    metadata,
    Column("key_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(160), nullable=False, unique=True),
    Column("wrapped", LargeBinary, nullable=False),
)

kept_secrets = Table(
    "secrets",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_on", Date),
    Column("changed_at", UtcDateTime, nullable=False),
)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("provider_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(120), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)


class SecretMissingError(AphubError):
    """A secret that the configuration names is not in the key store."""


class KeyErasedError(AphubError):
    """What was sealed cannot be opened any more: its key has been erased."""


class KeyStore:
    """All keys of one hub, opened with its master key."""

    def __init__(self, engine: Engine, master: MasterKey) -> None:
        """Keep the engine and the master key; nothing is read yet."""
        self._engine = engine
        self._writing = engine.execution_options(**{_WRITES: True})
        self._master = master
        self._own_key = DataKey(0, master.derive("secrets"))
        self._lock = threading.Lock()
        self._by_name: dict[str, DataKey] = {}
        self._by_id: dict[int, DataKey] = {}
        self._signing: dict[tuple[int, str], bytes] = {}

    def close(self) -> None:
        """Close the store and forget every key."""
        self._engine.dispose()
        self._by_name.clear()
        self._by_id.clear()

    def named(self, names: Sequence[str]) -> list[DataKey]:
        """Give the data keys of these names in order, making those that are new, in one batch."""
        with self._lock:
            self._forget_if_many()
            missing = [name for name in dict.fromkeys(names) if name not in self._by_name]
            if missing:
                self._load(missing)
            return [self._by_name[name] for name in names]

    def by_id(self, key_ids: Sequence[int]) -> dict[int, DataKey]:
        """Give data keys by number; one that was erased is missing in the answer."""
        with self._lock:
            self._forget_if_many()
            missing = sorted({key_id for key_id in key_ids if key_id not in self._by_id})
            with self._engine.connect() as connection:
                for start in range(0, len(missing), _BATCH):
                    part = missing[start : start + _BATCH]
                    chosen = select(data_keys).where(data_keys.c.key_id.in_(part))
                    self._remember(connection.execute(chosen).all())
            return {key_id: self._by_id[key_id] for key_id in key_ids if key_id in self._by_id}

    def secret(self, name: str) -> SecretStr:
        """Give a secret by name.

        Raises:
            SecretMissingError: It is not there.
        """
        with self._engine.connect() as connection:
            chosen = select(kept_secrets.c.sealed).where(kept_secrets.c.name == name)
            sealed = connection.execute(chosen).scalar_one_or_none()
        if sealed is None:
            raise SecretMissingError(
                f"The secret '{name}' is not in the key store.",
                "Nothing was sent with it.",
                f"Run: aphub secret set {name}",
            )
        return SecretStr(open_sealed(self._own_key, sealed, f"secret:{name}".encode()).decode())

    def set_secret(self, name: str, value: SecretStr, now: datetime, expires_on: date | None = None) -> None:
        """Keep a secret under a name, replacing the older value."""
        plain = value.get_secret_value().encode()
        row = {
            "sealed": seal(self._own_key, plain, f"secret:{name}".encode()),
            "expires_on": expires_on,
            "changed_at": now,
        }
        with self._writing.begin() as connection:
            changed = connection.execute(
                update(kept_secrets).where(kept_secrets.c.name == name).values(**row)
            )
            if not changed.rowcount:
                connection.execute(insert(kept_secrets).values(name=name, **row))

    def secret_names(self) -> list[tuple[str, date | None]]:
        """List the names of secrets and when they expire; never a value."""
        with self._engine.connect() as connection:
            chosen = select(kept_secrets.c.name, kept_secrets.c.expires_on).order_by(kept_secrets.c.name)
            return [(row.name, row.expires_on) for row in connection.execute(chosen)]

    def vault(self, provider_id: int) -> "Vault":
        """Give one provider's view of the keys."""
        return Vault(self, provider_id, self._master.derive(f"blind index {provider_id}"))

    def signing_key(self, provider_id: int, name: str) -> bytes:
        """Give a provider's 32-byte Ed25519 ledger key of this name, making it the first time."""
        if (provider_id, name) in self._signing:
            return self._signing[provider_id, name]
        context = f"signing:{provider_id}:{name}".encode()
        chosen = select(signing_keys.c.sealed).where(
            signing_keys.c.provider_id == provider_id, signing_keys.c.name == name
        )
        with self._writing.begin() as connection:
            sealed = connection.execute(chosen).scalar_one_or_none()
            if sealed is None:
                fresh = Ed25519PrivateKey.generate().private_bytes_raw()
                connection.execute(
                    insert_ignoring(connection, signing_keys).values(
                        provider_id=provider_id, name=name, sealed=seal(self._own_key, fresh, context)
                    )
                )
                sealed = connection.execute(chosen).scalar_one()
        private = open_sealed(self._own_key, sealed, context)
        self._signing[provider_id, name] = private
        return private

    def _forget_if_many(self) -> None:
        if len(self._by_name) >= CACHED_KEYS:
            self._by_name.clear()
            self._by_id.clear()

    def _load(self, names: list[str]) -> None:
        """Read the keys of these names, making those that are not there."""
        with self._writing.begin() as connection:
            for start in range(0, len(names), _BATCH):
                part = names[start : start + _BATCH]
                chosen = select(data_keys).where(data_keys.c.name.in_(part))
                found = {row.name: row for row in connection.execute(chosen).all()}
                new = [(DataKey.generate(_key_number()), name.encode()) for name in part if name not in found]
                if new:
                    wrapped = wrap_many(self._master, new)
                    fresh = [
                        {"key_id": key.key_id, "name": name.decode(), "wrapped": sealed}
                        for (key, name), sealed in zip(new, wrapped, strict=True)
                    ]
                    connection.execute(insert_ignoring(connection, data_keys), fresh)
                    made = [row["name"] for row in fresh]
                    chosen = select(data_keys).where(data_keys.c.name.in_(made))
                    # Read back: another process may have made the same name first.
                    found.update({row.name: row for row in connection.execute(chosen).all()})
                self._remember(list(found.values()))

    def _remember(self, rows: Sequence[Any]) -> None:
        opened = unwrap_many(self._master, [(row.key_id, row.wrapped, row.name.encode()) for row in rows])
        for row, key in zip(rows, opened, strict=True):
            self._by_name[row.name] = key
            self._by_id[key.key_id] = key


def _begin(connection: Connection) -> None:
    """Begin as SQLite wants it: a batch of keys is one transaction, and a writer never has to become one half way."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _key_number() -> int:
    return secrets.randbits(62) | 1


class Vault:
    """One provider's keys: seals and opens its data, and finds it again without showing it."""

    def __init__(self, keys: KeyStore, provider_id: int, index_secret: bytes) -> None:
        """Keep the store and the provider's own index secret."""
        self.provider_id = provider_id
        self._keys = keys
        self._index_secret = index_secret
        self._blind = BlindIndex(index_secret)

    def data_keys(self, subjects: Sequence[int | str], record_class: str, year: str) -> list[DataKey]:
        """Give one data key per subject (such as a pupil's number) for a record class and school year."""
        names = [key_name(self.provider_id, subject, record_class, year) for subject in subjects]
        return self._keys.named(names)

    def open_many(self, sealed: Sequence[tuple[int, str, bytes]]) -> list[bytes]:
        """Open (key number, context, sealed) triples in one batch.

        Raises:
            KeyErasedError: A key is no longer there.
        """
        keys = self._keys.by_id([key_id for key_id, _, _ in sealed])
        try:
            return [open_sealed(keys[key_id], blob, context.encode()) for key_id, context, blob in sealed]
        except KeyError as exc:
            raise KeyErasedError(
                "A record's key has been erased, so it cannot be read.", "Nothing was changed."
            ) from exc

    def open_json_many(self, sealed: Sequence[tuple[int, str, bytes]]) -> list[Any]:
        """Open (key number, context, sealed JSON) triples in one batch."""
        return [json.loads(plain) for plain in self.open_many(sealed)] if sealed else []

    def open(self, key_id: int, context: str, sealed: bytes) -> bytes:
        """Open one sealed value."""
        return self.open_many([(key_id, context, sealed)])[0]

    def open_json(self, key_id: int, context: str, sealed: bytes) -> Any:
        """Open one sealed JSON value."""
        return json.loads(self.open(key_id, context, sealed))

    def seal(self, key: DataKey, context: str, plain: bytes) -> bytes:
        """Seal bytes so that they open only in this context."""
        return seal(key, plain, context.encode())

    def seal_json(self, key: DataKey, context: str, value: Any) -> bytes:
        """Seal a JSON value."""
        return seal(key, json.dumps(value, ensure_ascii=False).encode(), context.encode())

    def index(self, kind: str, text: str) -> bytes:
        """Give the blind index of a text: equal texts of one kind give equal indexes."""
        return self._blind.of(kind, text)

    def digest(self, content: bytes) -> bytes:
        """Give a keyed digest, so that a list of digests tells nothing to others."""
        return keyed_digest(self._index_secret, content)

    def digest_json(self, value: Any) -> bytes:
        """Give the keyed digest of a JSON value, whatever the order of its keys."""
        return self.digest(self.plain_json(value).encode())

    @staticmethod
    def plain_json(value: Any) -> str:
        """Write a JSON value with its keys in order."""
        return json.dumps(value, ensure_ascii=False, sort_keys=True)

    def secret(self, name: str) -> SecretStr:
        """Give a secret by name."""
        return self._keys.secret(name)

    def signing_key(self, name: str) -> bytes:
        """Give this provider's ledger key of a name."""
        return self._keys.signing_key(self.provider_id, name)


def open_keys(url: str, master: MasterKey) -> KeyStore:
    """Open the key store at `url`, making its tables the first time."""
    engine = create_engine(url)
    if make_url(url).get_backend_name() == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", _begin)
    metadata.create_all(engine)
    return KeyStore(engine, master)
