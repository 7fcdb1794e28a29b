"""The hub itself: single facts, numbers, providers and their published configuration."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from aphub.store.tables.base import metadata, provider_column
from aphub.store.types import UtcDateTime

facts = Table(
    "facts",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    comment="single facts about this store: simulated, the played time, the epoch",
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("next", BigInteger, nullable=False),
)

providers = Table(
    "providers",
    metadata,
    provider_column(),
    Column("slug", String(60), nullable=False, unique=True),
    Column("since", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime, comment="when everything of it was erased for good"),
)

snapshots = Table(
    "snapshots",
    metadata,
    provider_column(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False, comment="canonical JSON of the validated configuration"),
    Column("digest", String(64), nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("published_by", String(80), nullable=False),
)
