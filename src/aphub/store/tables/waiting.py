"""Channels and lanes, and what waits for people."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from aphub.store.tables.base import key_column, metadata, provider_column, reference_column
from aphub.store.types import UtcDateTime

channels = Table(
    "channels",
    metadata,
    provider_column(),
    Column("organisation", String(60), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("adapter", String(40), nullable=False),
    Column("lane", String(40), nullable=False),
    Column("destination", String(64), nullable=False, comment="digest of what decides who can read"),
    Column(
        "state", String(12), nullable=False, comment="draft, checked, tested, live, changed, paused, held"
    ),
    Column("because", String(200)),
    Column("key_id", BigInteger),
    Column("sealed", LargeBinary, comment="JSON: test code, file password, old address"),
    Column("checked_at", UtcDateTime),
    Column("tested_at", UtcDateTime),
    Column("tested_by", String(80)),
    Column("read_back_at", UtcDateTime),
    Column("approved_at", UtcDateTime),
    Column("approved_by", String(80)),
    Column("approved_destination", String(64)),
)

lanes = Table(
    "lanes",
    metadata,
    provider_column(),
    Column("lane", String(40), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("open_until", UtcDateTime, comment="the breaker: no tries before this"),
    Column("since", UtcDateTime, comment="when the trouble began"),
    Column("words", String(200)),
    Column("spent", Text, comment="JSON: what was sent lately, for a far side that takes so much a minute"),
)

listening = Table(
    "listening",
    metadata,
    provider_column(),
    Column("connection", String(60), primary_key=True),
    Column("mark", String(200), nullable=False, comment="up to where a far side's answers were read"),
    Column("next_at", UtcDateTime, nullable=False),
    Column("heard_at", UtcDateTime, comment="when they could last be read"),
    Column("failures", Integer, nullable=False),
)

holds = Table(
    "holds",
    metadata,
    provider_column(),
    key_column("hold_id"),
    reference_column(),
    Column("kind", String(30), nullable=False),
    Column("dispatch_id", BigInteger),
    Column("owed_id", BigInteger),
    Column("words", String(300), nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    Column("settled_by", String(80)),
    Column("settled_how", String(120)),
    UniqueConstraint("provider_id", "ref"),
)

tasks = Table(
    "tasks",
    metadata,
    provider_column(),
    key_column("task_id"),
    reference_column(),
    Column(
        "kind",
        String(30),
        nullable=False,
        comment="phone_school, take_register, fix_channel, settle, read_reply and others",
    ),
    Column(
        "subject", String(120), nullable=False, comment="unique beside its kind: a reference, never a name"
    ),
    Column("pupil_id", BigInteger),
    Column("organisation", String(60)),
    Column("words", String(300), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("state", String(12), nullable=False, comment="open, done, cleared"),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(80)),
    Column("result", String(120)),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_tasks_kind_subject", "provider_id", "kind", "subject"),
)
# Kind and subject are unique among open tasks: one that has ended hides no second trouble with the same thing.
Index(
    "uq_tasks_open",
    tasks.c.provider_id,
    tasks.c.kind,
    tasks.c.subject,
    unique=True,
    sqlite_where=tasks.c.state == "open",
    postgresql_where=tasks.c.state == "open",
)
