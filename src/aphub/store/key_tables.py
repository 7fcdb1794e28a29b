"""The key store's tables: wrapped data keys, secrets, signing keys, and where copies of them lie."""

from sqlalchemy import BigInteger, Column, Date, LargeBinary, MetaData, String, Table

from aphub.store.types import UtcDateTime

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

key_backups = Table(
    "key_backups",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("place", String(400), nullable=False, comment="the folder it was written into"),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime, comment="when it was deleted"),
)

key_facts = Table(
    "key_facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("number", BigInteger, nullable=False),
    comment="erasures: how often keys have been erased, so that other processes forget theirs",
)
