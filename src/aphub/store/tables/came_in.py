"""What came in: originals, marks and the questions they raised."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from aphub.store.tables.base import key_column, metadata, provider_column, reference_column
from aphub.store.types import UtcDateTime

intakes = Table(
    "intakes",
    metadata,
    provider_column(),
    key_column("intake_id"),
    reference_column(),
    Column("source", String(60), nullable=False),
    Column(
        "file_digest", LargeBinary, nullable=False, comment="keyed, so that a list of digests says nothing"
    ),
    Column("media_type", String(80), nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed_name", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="the original, byte for byte"),
    Column("state", String(10), nullable=False, comment="stored, taken, refused"),
    Column("rows_read", Integer),
    Column("rows_entered", Integer),
    Column("rows_unchanged", Integer),
    Column("rows_questioned", Integer),
    Column("received_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    UniqueConstraint("provider_id", "file_digest"),
)

marks = Table(
    "marks",
    metadata,
    provider_column(),
    key_column("mark_id"),
    Column("intake_id", BigInteger, nullable=False),
    Column("row", Integer, nullable=False),
    Column("source", String(60), nullable=False),
    Column(
        "slot", LargeBinary, nullable=False, comment="blind index of who, day and lesson as the source says"
    ),
    Column("word", LargeBinary, nullable=False, comment="keyed digest of what the source said for the slot"),
    Column("pupil_id", BigInteger),
    Column("lesson_id", BigInteger),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: the row, word for word"),
    Column("result", String(12), nullable=False, comment="entered, unchanged, questioned"),
    Column("received_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "intake_id", "row"),
    Index("ix_marks_slot", "provider_id", "source", "slot", "mark_id"),
)

questions = Table(
    "questions",
    metadata,
    provider_column(),
    key_column("question_id"),
    reference_column(),
    Column("kind", String(30), nullable=False),
    Column("mark_id", BigInteger),
    Column("lesson_id", BigInteger),
    Column("pupil_id", BigInteger),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: words, choices"),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("answered_by", String(80)),
    Column("answer", String(30)),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_questions_open", "provider_id", "answered_at"),
)
