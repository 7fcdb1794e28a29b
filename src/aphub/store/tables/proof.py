"""Proof: statements, tree nodes, checkpoints and keys."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from aphub.store.tables.base import metadata, provider_column
from aphub.store.types import UtcDateTime

statements = Table(
    "statements",
    metadata,
    provider_column(),
    Column(
        "number", BigInteger, primary_key=True, autoincrement=False, comment="its leaf index, without gaps"
    ),
    Column("kind", String(40), nullable=False),
    Column("subject", String(40), nullable=False, comment="the reference it is about"),
    Column("body", LargeBinary, nullable=False, comment="RFC 8785 JSON: the leaf, byte for byte"),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_statements_subject", "provider_id", "subject"),
)

ledger_nodes = Table(
    "ledger_nodes",
    metadata,
    provider_column(),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    provider_column(),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("note", Text, nullable=False, comment="signed note, C2SP tlog-checkpoint"),
    Column("at", UtcDateTime, nullable=False),
)

verifying_keys = Table(
    "verifying_keys",
    metadata,
    provider_column(),
    Column("vkey", String(200), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
)
