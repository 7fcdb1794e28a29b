"""What somebody told beside the registers: known absences, a school's decisions, mornings that we cancelled."""

from sqlalchemy import BigInteger, Boolean, Column, Date, Index, LargeBinary, String, Table, UniqueConstraint

from aphub.store.tables.base import key_column, metadata, provider_column, reference_column
from aphub.store.types import UtcDateTime

known_absences = Table(
    "known_absences",
    metadata,
    provider_column(),
    key_column("absence_id"),
    reference_column(),
    Column("pupil_id", BigInteger, nullable=False),
    Column("starts_day", Date, nullable=False),
    Column("ends_day", Date, nullable=False, comment="belongs to it"),
    Column("half", String(2), nullable=False, comment="AM, PM or empty for the whole day"),
    Column("weekdays", String(13), nullable=False, comment="such as 0,2; empty for all"),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("told_by", String(20), nullable=False, comment="a role, never a name"),
    Column("evidence", String(10), nullable=False, comment="none, asked, seen"),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: who told it, their words, why it ended"),
    Column("recorded_by", String(80), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("ended_by", String(80)),
    Column("ended_at", UtcDateTime, comment="when its last day was brought forward"),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_known_absences_pupil", "provider_id", "pupil_id", "ends_day"),
)

school_decisions = Table(
    "school_decisions",
    metadata,
    provider_column(),
    key_column("decision_id"),
    reference_column(),
    Column("pupil_id", BigInteger, nullable=False),
    Column("organisation", String(60), nullable=False, comment="whose decision it is"),
    Column("reason", String(24), nullable=False),
    Column("starts_day", Date, nullable=False),
    Column("ends_day", Date, nullable=False, comment="belongs to it"),
    Column("half", String(2), nullable=False),
    Column("weekdays", String(13), nullable=False),
    Column("comes_anyway", Boolean, nullable=False, comment="the pupil is still expected here"),
    Column("key_id", BigInteger, nullable=False),
    Column(
        "sealed", LargeBinary, nullable=False, comment="JSON: who decided, name and role, and their words"
    ),
    Column("decided_on", Date, nullable=False),
    Column("recorded_by", String(80), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("withdrawn_by", String(80)),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_school_decisions_pupil", "provider_id", "pupil_id", "ends_day"),
)

cancellations = Table(
    "cancellations",
    metadata,
    provider_column(),
    key_column("cancellation_id"),
    reference_column(),
    Column("day", Date, nullable=False),
    Column("because", String(20), nullable=False, comment="staff ill, premises, weather, other"),
    Column("made_by", String(80), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_cancellations_day", "provider_id", "day"),
)

cancelled_lessons = Table(
    "cancelled_lessons",
    metadata,
    provider_column(),
    key_column("lesson_id"),
    Column("cancellation_id", BigInteger, nullable=False),
    Column("pupil_id", BigInteger, nullable=False),
    Column("answer", String(40), comment="back to school, stays home, elsewhere; null until somebody said"),
    Column("answered_by", String(80)),
    Column("answered_at", UtcDateTime),
    Index("ix_cancelled_lessons_of", "provider_id", "cancellation_id", "pupil_id"),
)
