"""What is kept for whom and who looked: legal holds, erasures, the access log, notes on records, wrong disclosures."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from aphub.store.tables.base import key_column, metadata, provider_column, reference_column
from aphub.store.types import UtcDateTime

legal_holds = Table(
    "legal_holds",
    metadata,
    provider_column(),
    key_column("legal_hold_id"),
    reference_column(),
    Column("pupil_id", BigInteger, nullable=False),
    Column("because", String(200), nullable=False, comment="why nothing of this pupil may go; never a name"),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("placed_by", String(80), nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String(80)),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_legal_holds_open", "provider_id", "ended_at"),
)

erasures = Table(
    "erasures",
    metadata,
    provider_column(),
    key_column("erasure_id"),
    reference_column(),
    Column("pupil_id", BigInteger, nullable=False),
    Column("because", String(200), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_by", String(80), nullable=False),
    Column("left", Integer, nullable=False, comment="messages and files kept for another pupil's legal hold"),
    Column("erased_at", UtcDateTime, comment="when nothing of it was left here"),
    Column("complete_at", UtcDateTime, comment="when the last copy of its keys expires"),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_erasures_open", "provider_id", "erased_at"),
)

accesses = Table(
    "accesses",
    metadata,
    provider_column(),
    key_column("access_id"),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(80), nullable=False),
    Column("what", String(20), nullable=False, comment="see services.accesses.What"),
    Column("subject", String(60), nullable=False, comment="a reference or a day, never a name"),
    Column("because", String(200), nullable=False),
    Column("pupils", Integer, nullable=False),
    Index("ix_accesses_at", "provider_id", "at"),
    comment="who viewed or exported what; deliberately outside the ledger, which outlives the data",
)

access_pupils = Table(
    "access_pupils",
    metadata,
    provider_column(),
    key_column("access_id"),
    key_column("pupil_id"),
    Index("ix_access_pupils_pupil", "provider_id", "pupil_id"),
)

record_notes = Table(
    "record_notes",
    metadata,
    provider_column(),
    key_column("record_note_id"),
    reference_column(),
    Column("pupil_id", BigInteger, nullable=False),
    Column(
        "about",
        String(60),
        nullable=False,
        comment="a day, or a message's reference; empty for the whole record",
    ),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: what is disputed, and what we answered"),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(80), nullable=False),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_record_notes_pupil", "provider_id", "pupil_id"),
    comment="rectification: what a pupil or parent says is wrong; travels with the record",
)

disclosures = Table(
    "disclosures",
    metadata,
    provider_column(),
    key_column("disclosure_id"),
    reference_column(),
    Column("dispatch_id", BigInteger, nullable=False),
    Column("organisation", String(60), nullable=False),
    Column("aware_at", UtcDateTime, nullable=False),
    Column("report_by", UtcDateTime, nullable=False, comment="72 hours after (UK GDPR article 33)"),
    Column("noted_at", UtcDateTime, nullable=False),
    Column("noted_by", String(80), nullable=False),
    Column("pupils", Integer, nullable=False),
    Column("reports", Integer, nullable=False),
    Column("deleted_at", UtcDateTime, comment="when the wrong reader said that it is deleted"),
    Column("deleted_by", String(80)),
    Column("decided_at", UtcDateTime),
    Column("decided_by", String(80)),
    Column("decision", String(20), comment="reported, not reported"),
    Column("because", String(300), comment="of the decision; never a name"),
    UniqueConstraint("provider_id", "ref"),
    UniqueConstraint("provider_id", "dispatch_id"),
    comment="reports that reached a wrong school",
)
