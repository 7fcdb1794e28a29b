"""Who: pupils, placements and recipients."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
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

pupils = Table(
    "pupils",
    metadata,
    provider_column(),
    key_column("pupil_id"),
    reference_column(),
    Column("version", Integer, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: names, UPN, references"),
    Column("ref_index", LargeBinary, comment="blind index of the provider's own reference"),
    Column("upn_index", LargeBinary),
    Column("name_index", LargeBinary),
    Column("suppressed", Boolean, nullable=False),
    Column("erased_at", UtcDateTime, comment="nothing but outcomes without a name is left"),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_pupils_ref_index", "provider_id", "ref_index"),
    Index("ix_pupils_upn_index", "provider_id", "upn_index"),
    Index("ix_pupils_name_index", "provider_id", "name_index"),
)

placements = Table(
    "placements",
    metadata,
    provider_column(),
    key_column("placement_id"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    reference_column(),
    Column("pupil_id", BigInteger, nullable=False),
    Column("starts_day", Date, nullable=False),
    Column("ends_day", Date),
    Column("arranged_by", String(10), nullable=False),
    Column("power", String(10), nullable=False),
    Column("registration", String(10), nullable=False),
    Column("nature", String(40), nullable=False),
    Column("commissioner", String(60), nullable=False),
    Column("timetable", Text, nullable=False, comment="JSON list of weekly slots"),
    Column("attends_on_school_closure", Boolean, nullable=False),
    Column("risk_flag", Boolean, nullable=False),
    Column("standing", String(10), nullable=False, default="agreed", comment="agreed, trial, pending"),
    Column("current", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("key_id", BigInteger),
    Column("sealed", LargeBinary, comment="JSON: what a census asks of it, as far as it was given"),
    Index("ix_placements_ref", "provider_id", "ref"),
    Index("ix_placements_pupil", "provider_id", "pupil_id", "current"),
)

recipients = Table(
    "recipients",
    metadata,
    provider_column(),
    key_column("recipient_id"),
    Column("placement_id", BigInteger, nullable=False),
    Column("organisation", String(60), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("agreement", String(60), nullable=False),
    Column("starts_day", Date, nullable=False),
    Column("ends_day", Date),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "placement_id", "organisation", "purpose", "starts_day"),
)
