"""What was said: reports, dispatches, attempts and receipts."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from aphub.store.tables.base import key_column, metadata, provider_column, reference_column
from aphub.store.types import UtcDateTime

reports = Table(
    "reports",
    metadata,
    provider_column(),
    key_column("report_id"),
    reference_column(),
    Column("owed_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("pupil_id", BigInteger, nullable=False),
    Column("placement_version", Integer, nullable=False),
    Column("snapshot", Integer, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: the report's canonical sessions"),
    Column("digest", String(64), nullable=False),
    Column("salt", LargeBinary, comment="erased with the content; the commitment stays in the ledger"),
    Column("commitment", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "owed_id", "version"),
    UniqueConstraint("provider_id", "ref"),
)

dispatches = Table(
    "dispatches",
    metadata,
    provider_column(),
    key_column("dispatch_id"),
    Column("reference", String(24), nullable=False, comment="thread plus running number: what people quote"),
    Column("thread_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("organisation", String(60), nullable=False),
    Column("channel", String(60), nullable=False),
    Column("channel_rank", Integer, nullable=False, comment="its place in the agreed order, from 0"),
    Column("lane", String(40), nullable=False),
    Column("adapter", String(40), nullable=False),
    Column("snapshot", Integer, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("state", String(12), nullable=False, comment="see services.deliver.DispatchState"),
    Column("because", String(200)),
    Column("send_at", UtcDateTime, nullable=False),
    Column("due_by", UtcDateTime, nullable=False),
    Column("useful_until", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, comment="when to try; null when it is not waiting to be tried"),
    Column("lease_until", UtcDateTime),
    Column("lease_by", String(40)),
    Column("attempts", Integer, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="the frozen documents and rows"),
    Column("digest", String(64), nullable=False, comment="SHA-256 over the frozen documents"),
    Column("prepared_at", UtcDateTime, nullable=False),
    Column("handed_over_at", UtcDateTime),
    Column("rung", String(12), nullable=False),
    Column("far_reference", String(120)),
    Column(
        "replaces_id", BigInteger, comment="the dispatch whose reports this one carries by another channel"
    ),
    UniqueConstraint("provider_id", "thread_id", "number"),
    UniqueConstraint("provider_id", "reference"),
    Index("ix_dispatches_waiting", "lane", "state", "next_at"),
    Index("ix_dispatches_state", "state", "next_at"),
    Index("ix_dispatches_made", "provider_id", "prepared_at"),
)

dispatch_reports = Table(
    "dispatch_reports",
    metadata,
    provider_column(),
    Column("dispatch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("report_id", BigInteger, primary_key=True, autoincrement=False),
    Column("owed_id", BigInteger, nullable=False),
    Column("answer", String(16), comment="the far side's answer; null until there is one"),
    Index("ix_dispatch_reports_owed", "provider_id", "owed_id"),
    Index("ix_dispatch_reports_report", "provider_id", "report_id"),
)

attempts = Table(
    "attempts",
    metadata,
    provider_column(),
    key_column("attempt_id"),
    Column("dispatch_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(16), comment="taken, transient, refused, uncertain, fault; null while it runs"),
    Column("code", String(120)),
    Column("words", String(300), comment="our words for what happened; never the far side's free text"),
    UniqueConstraint("provider_id", "dispatch_id", "number"),
)

receipts = Table(
    "receipts",
    metadata,
    provider_column(),
    key_column("receipt_id"),
    reference_column(),
    Column("dispatch_id", BigInteger, nullable=False),
    Column(
        "rung",
        String(12),
        nullable=False,
        comment="a rung of the ladder, or refused, bounced, uncertain, expired",
    ),
    Column("far_reference", String(120), nullable=False),
    Column(
        "reports", Text, nullable=False, comment="JSON: report refs by answer; what is not named was taken"
    ),
    Column("hops", String(200), nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: the far side's words"),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "dispatch_id", "rung", "far_reference"),
    UniqueConstraint("provider_id", "ref"),
)
