"""Addresses that far sides may call, and what they said there."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, UniqueConstraint

from aphub.store.tables.base import key_column, metadata, provider_column
from aphub.store.types import UtcDateTime

callbacks = Table(
    "callbacks",
    metadata,
    provider_column(),
    key_column("callback_id"),
    Column("token_hash", LargeBinary, nullable=False, comment="SHA-256 of the random end of the address"),
    Column("dispatch_id", BigInteger, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime, nullable=False, comment="after which nobody is heard there"),
    Column("heard_at", UtcDateTime, comment="when it was used; it is used once"),
    Column("said_digest", LargeBinary, comment="which tells the same call again from another one"),
    Column("far_reference", String(120), comment="the far side's own number of the write"),
    Column("state", String(6), comment="done, failed, open"),
    Column("word", String(40), comment="the far side's own word for it"),
    UniqueConstraint("provider_id", "token_hash"),
    Index("ix_callbacks_dispatch", "provider_id", "dispatch_id"),
)
