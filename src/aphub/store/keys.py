"""The key store: wrapped data keys, secrets and signing keys, apart from the database they open.

Losing this store makes every sealed thing unreadable; erasing a key erases what it sealed. It has its own backups.
"""

import secrets
import threading
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, Row, create_engine, delete, event, insert, select, update
from sqlalchemy.engine import make_url

from aphub.domain.errors import AphubError
from aphub.sealing import DataKey, MasterKey, open_sealed, seal, unwrap_many, wrap_many
from aphub.store import key_copies
from aphub.store.among import among
from aphub.store.bulk import add_many, read_many
from aphub.store.engine import insert_ignoring, prepare_sqlite
from aphub.store.key_tables import data_keys, kept_secrets, key_facts, metadata, signing_keys
from aphub.store.vault import Vault

CACHED_KEYS = 25_000  # those of ten thousand pupils' day; 270 bytes each
_BATCH = 500
_WRITES = "aphub_writes"
_ERASURES = "erasures"


class SecretMissingError(AphubError):
    """A secret that the configuration names is not in the key store."""


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
        self._seen = self._erasures()

    @property
    def engine(self) -> Engine:
        """The database of the keys, for those who copy it."""
        return self._engine

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

    def has_keys(self) -> bool:
        """Say whether any data key is here."""
        with self._engine.connect() as connection:
            return connection.execute(select(data_keys.c.key_id).limit(1)).first() is not None

    def names_like(self, pattern: str) -> list[str]:
        """Name the data keys that fit an SQL LIKE pattern, such as `3/%/entry/2019-20`."""
        with self._engine.connect() as connection:
            chosen = select(data_keys.c.name).where(data_keys.c.name.like(pattern)).order_by(data_keys.c.name)
            return list(connection.execute(chosen).scalars())

    def key_ids(self, names: Sequence[str]) -> list[int]:
        """Give the numbers of those of these data keys that are there."""
        found: list[int] = []
        with self._engine.connect() as connection:
            for start in range(0, len(names), _BATCH):
                part = list(names[start : start + _BATCH])
                chosen = select(data_keys.c.key_id).where(data_keys.c.name.in_(part))
                found += connection.execute(chosen).scalars()
        return found

    def erase(self, names: Sequence[str]) -> int:
        """Destroy the data keys of these names and give how many there were: what they sealed is unreadable from now on.

        Copies of the key store keep theirs until they expire (`store.key_copies`).
        """
        unique = sorted(set(names))
        gone = 0
        with self._writing.begin() as connection:
            for start in range(0, len(unique), _BATCH):
                part = unique[start : start + _BATCH]
                gone += connection.execute(delete(data_keys).where(data_keys.c.name.in_(part))).rowcount
            if gone:
                self._count_erasure(connection)
        if gone:
            self._forget()
            scrub(self._engine)
        return gone

    def newest_copy(self, now: datetime) -> datetime | None:
        """Give when the newest copy of the key store that still lives was taken; None when there is none."""
        living = [row.taken_at for row in key_copies.living(self._engine) if row.expires_at > now]
        return max(living, default=None)

    def living_copies(self) -> list[Row[Any]]:
        """Give the copies of the key store that count as readable, oldest first."""
        return key_copies.living(self._engine)

    def give_up_copy(self, name: str, now: datetime) -> bool:
        """Note that nobody can read a copy any more; give whether there was one of that name."""
        return key_copies.give_up(self._engine, name, now)

    def copies_until(self, now: datetime) -> datetime:
        """Give when the last copy of the key store that still lives expires; the present instant when there is none."""
        return key_copies.last_expiry(self._engine, now)

    def delete_expired_copies(self, now: datetime) -> tuple[list[str], list[str]]:
        """Delete the copies whose time is over; give those that are gone, and those out of our reach."""
        return key_copies.delete_expired(self._engine, now)

    def forget_erased(self) -> None:
        """Forget every key held in memory if any process has erased one since we last looked."""
        if self._erasures() != self._seen:
            self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._by_name.clear()
            self._by_id.clear()
            self._signing.clear()
        self._seen = self._erasures()

    def _erasures(self) -> int:
        with self._engine.connect() as connection:
            chosen = select(key_facts.c.number).where(key_facts.c.name == _ERASURES)
            return int(connection.execute(chosen).scalar_one_or_none() or 0)

    @staticmethod
    def _count_erasure(connection: Connection) -> None:
        connection.execute(insert_ignoring(connection, key_facts).values(name=_ERASURES, number=0))
        connection.execute(
            update(key_facts).where(key_facts.c.name == _ERASURES).values(number=key_facts.c.number + 1)
        )

    def erase_signing(self, provider_id: int) -> None:
        """Destroy a provider's private ledger keys: nobody can add to its log any more; what it signed stays valid."""
        with self._writing.begin() as connection:
            connection.execute(delete(signing_keys).where(signing_keys.c.provider_id == provider_id))
            self._count_erasure(connection)
        self._forget()
        scrub(self._engine)

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
                there = self._read(connection, part)
                new = [DataKey.generate(_key_number()) for _ in range(len(part) - len(there))]
                if new:
                    self._make(connection, new, [name for name in part if name not in there])

    def _make(self, connection: Connection, new: list[DataKey], names: list[str]) -> None:
        """Keep fresh keys under names that are not there."""
        wrapped = wrap_many(self._master, zip(new, map(str.encode, names), strict=True))
        rows = [
            {"key_id": key.key_id, "name": name, "wrapped": sealed}
            for key, name, sealed in zip(new, names, wrapped, strict=True)
        ]
        if connection.dialect.name == "sqlite":
            # From the look at them to here nobody else has written: we hold the lock of the file.
            add_many(connection, data_keys, rows)
            self._by_name.update(zip(names, new, strict=True))
            self._by_id.update({key.key_id: key for key in new})
        else:
            # Another process may have made the same name first.
            connection.execute(insert_ignoring(connection, data_keys), rows)
            self._read(connection, names)

    def _read(self, connection: Connection, names: list[str]) -> set[str]:
        """Read the keys of these names; give which are there."""
        rows = read_many(connection, select(data_keys).where(among(connection, data_keys.c.name, names)))
        self._remember(rows)
        return {row.name for row in rows}

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


def master_key(path: Path, environment: Mapping[str, str]) -> MasterKey:
    """Read the master key from the environment where it is set there, else from its file; raises MasterKeyError."""
    if "APHUB_MASTER_KEY" in environment:
        return MasterKey.from_environment(environ=environment)
    return MasterKey.from_file(path)


def scrub(engine: Engine) -> None:
    """Let nothing of what was deleted stay behind in the key store's own files.

    SQLite overwrites deleted rows (`secure_delete`) but keeps old pages in its journal; PostgreSQL keeps dead rows.
    """
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM data_keys")


def open_keys(url: str, master: MasterKey) -> KeyStore:
    """Open the key store at `url`, making its tables the first time."""
    engine = create_engine(url, hide_parameters=True)
    if make_url(url).get_backend_name() == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", _begin)
    metadata.create_all(engine)
    return KeyStore(engine, master)
