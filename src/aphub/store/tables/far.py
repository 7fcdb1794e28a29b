"""What far sides call our pupils."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, UniqueConstraint

from aphub.store.tables.base import key_column, metadata, provider_column
from aphub.store.types import UtcDateTime

far_pupils = Table(
    "far_pupils",
    metadata,
    provider_column(),
    key_column("far_pupil_id"),
    Column("pupil_id", BigInteger, nullable=False),
    Column("place_index", LargeBinary, comment="blind index of far side, school and UPN together"),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="the pupil's id there"),
    Column("found_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "place_index"),
    Index("ix_far_pupils_pupil", "provider_id", "pupil_id"),
)
