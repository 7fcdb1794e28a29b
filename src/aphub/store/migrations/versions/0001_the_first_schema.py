"""The first schema."""

import sqlalchemy as sa
from alembic import op

from aphub.store.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "access_pupils",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("access_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "access_id", "pupil_id", name=op.f("pk_access_pupils")),
    )
    with op.batch_alter_table("access_pupils", schema=None) as batch_op:
        batch_op.create_index("ix_access_pupils_pupil", ["provider_id", "pupil_id"], unique=False)

    op.create_table(
        "accesses",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("access_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False, comment="see services.accesses.What"),
        sa.Column(
            "subject", sa.String(length=60), nullable=False, comment="a reference or a day, never a name"
        ),
        sa.Column("because", sa.String(length=200), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "access_id", name=op.f("pk_accesses")),
        comment="who viewed or exported what; deliberately outside the ledger, which outlives the data",
    )
    with op.batch_alter_table("accesses", schema=None) as batch_op:
        batch_op.create_index("ix_accesses_at", ["provider_id", "at"], unique=False)

    op.create_table(
        "attempts",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dispatch_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column(
            "outcome",
            sa.String(length=16),
            nullable=True,
            comment="taken, transient, refused, uncertain, fault; null while it runs",
        ),
        sa.Column("code", sa.String(length=120), nullable=True),
        sa.Column(
            "words",
            sa.String(length=300),
            nullable=True,
            comment="our words for what happened; never the far side's free text",
        ),
        sa.PrimaryKeyConstraint("provider_id", "attempt_id", name=op.f("pk_attempts")),
        sa.UniqueConstraint(
            "provider_id", "dispatch_id", "number", name=op.f("uq_attempts_provider_id_dispatch_id_number")
        ),
    )
    op.create_table(
        "calls",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column(
            "subject", sa.String(length=24), nullable=False, comment="reference of the step, message or task"
        ),
        sa.Column("step_id", sa.BigInteger(), nullable=True),
        sa.Column("act", sa.String(length=30), nullable=False),
        sa.Column("result", sa.String(length=14), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="JSON: whom, who answered, what was said"
        ),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "call_id", name=op.f("pk_calls")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_calls_provider_id_ref")),
    )
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.create_index("ix_calls_step", ["provider_id", "step_id"], unique=False)
        batch_op.create_index("ix_calls_subject", ["provider_id", "subject"], unique=False)

    op.create_table(
        "cancellations",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cancellation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "because", sa.String(length=20), nullable=False, comment="staff ill, premises, weather, other"
        ),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "cancellation_id", name=op.f("pk_cancellations")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_cancellations_provider_id_ref")),
    )
    with op.batch_alter_table("cancellations", schema=None) as batch_op:
        batch_op.create_index("ix_cancellations_day", ["provider_id", "day"], unique=False)

    op.create_table(
        "cancelled_lessons",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cancellation_id", sa.BigInteger(), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "answer",
            sa.String(length=40),
            nullable=True,
            comment="back to school, stays home, elsewhere; null until somebody said",
        ),
        sa.Column("answered_by", sa.String(length=80), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "lesson_id", name=op.f("pk_cancelled_lessons")),
    )
    with op.batch_alter_table("cancelled_lessons", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cancelled_lessons_of", ["provider_id", "cancellation_id", "pupil_id"], unique=False
        )

    op.create_table(
        "cases",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column(
            "subject",
            sa.String(length=60),
            nullable=False,
            comment="pupil's number and day, or a register's instant",
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=True, comment="null for a register's case"),
        sa.Column("placement_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(length=14), nullable=False, comment="raised, acknowledged, cleared"),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=True),
        sa.Column("cleared_at", UtcDateTime(), nullable=True),
        sa.Column("cleared_because", sa.String(length=120), nullable=True),
        sa.Column(
            "found_at", UtcDateTime(), nullable=True, comment="when a pupil who left the site was found safe"
        ),
        sa.Column("found_by", sa.String(length=80), nullable=True),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=True, comment="JSON: what was said when the pupil was found"
        ),
        sa.Column(
            "look_at",
            UtcDateTime(),
            nullable=True,
            comment="when a step opens or is overdue next; null when nothing waits",
        ),
        sa.PrimaryKeyConstraint("provider_id", "case_id", name=op.f("pk_cases")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_cases_provider_id_ref")),
        sa.UniqueConstraint("provider_id", "subject", name=op.f("uq_cases_provider_id_subject")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index("ix_cases_look", ["provider_id", "look_at"], unique=False)
        batch_op.create_index("ix_cases_pupil", ["provider_id", "pupil_id", "day"], unique=False)
        batch_op.create_index("ix_cases_state", ["provider_id", "state", "day"], unique=False)

    op.create_table(
        "channels",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organisation", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("adapter", sa.String(length=40), nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column(
            "destination", sa.String(length=64), nullable=False, comment="digest of what decides who can read"
        ),
        sa.Column(
            "state",
            sa.String(length=12),
            nullable=False,
            comment="draft, checked, tested, live, changed, paused, held",
        ),
        sa.Column("because", sa.String(length=200), nullable=True),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=True, comment="JSON: test code, file password, old address"
        ),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("tested_at", UtcDateTime(), nullable=True),
        sa.Column("tested_by", sa.String(length=80), nullable=True),
        sa.Column("read_back_at", UtcDateTime(), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("approved_by", sa.String(length=80), nullable=True),
        sa.Column("approved_destination", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "organisation", "name", name=op.f("pk_channels")),
    )
    op.create_table(
        "checkpoints",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, comment="signed note, C2SP tlog-checkpoint"),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "disclosures",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("disclosure_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("dispatch_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation", sa.String(length=60), nullable=False),
        sa.Column("aware_at", UtcDateTime(), nullable=False),
        sa.Column("report_by", UtcDateTime(), nullable=False, comment="72 hours after (UK GDPR article 33)"),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.Column("noted_by", sa.String(length=80), nullable=False),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column(
            "deleted_at",
            UtcDateTime(),
            nullable=True,
            comment="when the wrong reader said that it is deleted",
        ),
        sa.Column("deleted_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decision", sa.String(length=20), nullable=True, comment="reported, not reported"),
        sa.Column("because", sa.String(length=300), nullable=True, comment="of the decision; never a name"),
        sa.PrimaryKeyConstraint("provider_id", "disclosure_id", name=op.f("pk_disclosures")),
        sa.UniqueConstraint(
            "provider_id", "dispatch_id", name=op.f("uq_disclosures_provider_id_dispatch_id")
        ),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_disclosures_provider_id_ref")),
        comment="reports that reached a wrong school",
    )
    op.create_table(
        "dispatch_reports",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dispatch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("report_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owed_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "answer",
            sa.String(length=16),
            nullable=True,
            comment="the far side's answer; null until there is one",
        ),
        sa.PrimaryKeyConstraint("provider_id", "dispatch_id", "report_id", name=op.f("pk_dispatch_reports")),
    )
    with op.batch_alter_table("dispatch_reports", schema=None) as batch_op:
        batch_op.create_index("ix_dispatch_reports_owed", ["provider_id", "owed_id"], unique=False)
        batch_op.create_index("ix_dispatch_reports_report", ["provider_id", "report_id"], unique=False)

    op.create_table(
        "dispatches",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dispatch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "reference",
            sa.String(length=24),
            nullable=False,
            comment="thread plus running number: what people quote",
        ),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("organisation", sa.String(length=60), nullable=False),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column(
            "channel_rank", sa.Integer(), nullable=False, comment="its place in the agreed order, from 0"
        ),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("adapter", sa.String(length=40), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column(
            "state", sa.String(length=12), nullable=False, comment="see services.deliver.DispatchState"
        ),
        sa.Column("because", sa.String(length=200), nullable=True),
        sa.Column("send_at", UtcDateTime(), nullable=False),
        sa.Column("due_by", UtcDateTime(), nullable=False),
        sa.Column("useful_until", UtcDateTime(), nullable=False),
        sa.Column(
            "next_at",
            UtcDateTime(),
            nullable=True,
            comment="when to try; null when it is not waiting to be tried",
        ),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("lease_by", sa.String(length=40), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="the frozen documents and rows"),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="SHA-256 over the frozen documents"
        ),
        sa.Column("prepared_at", UtcDateTime(), nullable=False),
        sa.Column("handed_over_at", UtcDateTime(), nullable=True),
        sa.Column("rung", sa.String(length=12), nullable=False),
        sa.Column("far_reference", sa.String(length=120), nullable=True),
        sa.Column(
            "replaces_id",
            sa.BigInteger(),
            nullable=True,
            comment="the dispatch whose reports this one carries by another channel",
        ),
        sa.PrimaryKeyConstraint("provider_id", "dispatch_id", name=op.f("pk_dispatches")),
        sa.UniqueConstraint("provider_id", "reference", name=op.f("uq_dispatches_provider_id_reference")),
        sa.UniqueConstraint(
            "provider_id", "thread_id", "number", name=op.f("uq_dispatches_provider_id_thread_id_number")
        ),
    )
    with op.batch_alter_table("dispatches", schema=None) as batch_op:
        batch_op.create_index("ix_dispatches_made", ["provider_id", "prepared_at"], unique=False)
        batch_op.create_index("ix_dispatches_state", ["state", "next_at"], unique=False)
        batch_op.create_index("ix_dispatches_waiting", ["lane", "state", "next_at"], unique=False)

    op.create_table(
        "entries",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(length=12), nullable=True),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="JSON: note, provider's word, actions; absent when there are none",
        ),
        sa.Column("mark_id", sa.BigInteger(), nullable=True),
        sa.Column("by_person", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("because", sa.String(length=200), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column(
            "taken_at",
            UtcDateTime(),
            nullable=True,
            comment="when the register was taken, if the source says so",
        ),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "entry_id", name=op.f("pk_entries")),
        sa.UniqueConstraint(
            "provider_id", "lesson_id", "version", name=op.f("uq_entries_provider_id_lesson_id_version")
        ),
    )
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_entries_absent",
            ["provider_id", "reason"],
            unique=False,
            sqlite_where=sa.text("current AND outcome = 'absent'"),
            postgresql_where=sa.text("current AND outcome = 'absent'"),
        )
        batch_op.create_index("ix_entries_current", ["provider_id", "lesson_id", "current"], unique=False)
        batch_op.create_index("ix_entries_news", ["provider_id", "made_at"], unique=False)

    op.create_table(
        "erasures",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("erasure_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column("because", sa.String(length=200), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        sa.Column(
            "left",
            sa.Integer(),
            nullable=False,
            comment="messages and files kept for another pupil's legal hold",
        ),
        sa.Column("erased_at", UtcDateTime(), nullable=True, comment="when nothing of it was left here"),
        sa.Column(
            "complete_at", UtcDateTime(), nullable=True, comment="when the last copy of its keys expires"
        ),
        sa.PrimaryKeyConstraint("provider_id", "erasure_id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_erasures_provider_id_ref")),
    )
    with op.batch_alter_table("erasures", schema=None) as batch_op:
        batch_op.create_index("ix_erasures_open", ["provider_id", "erased_at"], unique=False)

    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
        comment="single facts about this store: simulated, the played time, the epoch",
    )
    op.create_table(
        "far_pupils",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("far_pupil_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "place_index",
            sa.LargeBinary(),
            nullable=True,
            comment="blind index of far side, school and UPN together",
        ),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="the pupil's id there"),
        sa.Column("found_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "far_pupil_id", name=op.f("pk_far_pupils")),
        sa.UniqueConstraint("provider_id", "place_index", name=op.f("uq_far_pupils_provider_id_place_index")),
    )
    with op.batch_alter_table("far_pupils", schema=None) as batch_op:
        batch_op.create_index("ix_far_pupils_pupil", ["provider_id", "pupil_id"], unique=False)

    op.create_table(
        "holds",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hold_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("dispatch_id", sa.BigInteger(), nullable=True),
        sa.Column("owed_id", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.String(length=80), nullable=True),
        sa.Column("settled_how", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "hold_id", name=op.f("pk_holds")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_holds_provider_id_ref")),
    )
    op.create_table(
        "intakes",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("intake_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column(
            "file_digest",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed, so that a list of digests says nothing",
        ),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="the original, byte for byte"),
        sa.Column("state", sa.String(length=10), nullable=False, comment="stored, taken, refused"),
        sa.Column("rows_read", sa.Integer(), nullable=True),
        sa.Column("rows_entered", sa.Integer(), nullable=True),
        sa.Column("rows_unchanged", sa.Integer(), nullable=True),
        sa.Column("rows_questioned", sa.Integer(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "intake_id", name=op.f("pk_intakes")),
        sa.UniqueConstraint("provider_id", "file_digest", name=op.f("uq_intakes_provider_id_file_digest")),
    )
    op.create_table(
        "known_absences",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("absence_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_day", sa.Date(), nullable=False),
        sa.Column("ends_day", sa.Date(), nullable=False, comment="belongs to it"),
        sa.Column("half", sa.String(length=2), nullable=False, comment="AM, PM or empty for the whole day"),
        sa.Column("weekdays", sa.String(length=13), nullable=False, comment="such as 0,2; empty for all"),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("told_by", sa.String(length=20), nullable=False, comment="a role, never a name"),
        sa.Column("evidence", sa.String(length=10), nullable=False, comment="none, asked, seen"),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="JSON: who told it, their words, why it ended"
        ),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True, comment="when its last day was brought forward"),
        sa.PrimaryKeyConstraint("provider_id", "absence_id", name=op.f("pk_known_absences")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_known_absences_provider_id_ref")),
    )
    with op.batch_alter_table("known_absences", schema=None) as batch_op:
        batch_op.create_index(
            "ix_known_absences_pupil", ["provider_id", "pupil_id", "ends_day"], unique=False
        )

    op.create_table(
        "lanes",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lane", sa.String(length=40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", UtcDateTime(), nullable=True, comment="the breaker: no tries before this"),
        sa.Column("since", UtcDateTime(), nullable=True, comment="when the trouble began"),
        sa.Column("words", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "lane", name=op.f("pk_lanes")),
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "level", "position", name=op.f("pk_ledger_nodes")),
    )
    op.create_table(
        "legal_holds",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("legal_hold_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "because",
            sa.String(length=200),
            nullable=False,
            comment="why nothing of this pupil may go; never a name",
        ),
        sa.Column("placed_at", UtcDateTime(), nullable=False),
        sa.Column("placed_by", sa.String(length=80), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "legal_hold_id", name=op.f("pk_legal_holds")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_legal_holds_provider_id_ref")),
    )
    with op.batch_alter_table("legal_holds", schema=None) as batch_op:
        batch_op.create_index("ix_legal_holds_open", ["provider_id", "ended_at"], unique=False)

    op.create_table(
        "lessons",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lesson_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("placement_id", sa.BigInteger(), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("starts_wall", sa.String(length=5), nullable=False),
        sa.Column("ends_wall", sa.String(length=5), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("nature", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("staff", sa.String(length=80), nullable=False),
        sa.Column("entry_due", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False, comment="owed, entered, withdrawn"),
        sa.Column("withdrawn_because", sa.String(length=80), nullable=True),
        sa.Column(
            "unregistered_told_at",
            UtcDateTime(),
            nullable=True,
            comment="when a missing register was first told",
        ),
        sa.Column(
            "look_at",
            UtcDateTime(),
            nullable=True,
            comment="when what is done about it must be looked at; null when it was",
        ),
        sa.PrimaryKeyConstraint("provider_id", "lesson_id", name=op.f("pk_lessons")),
        sa.UniqueConstraint(
            "provider_id",
            "placement_id",
            "starts_at",
            name=op.f("uq_lessons_provider_id_placement_id_starts_at"),
        ),
        comment="a lesson that is due; at the same time the owed entry",
    )
    with op.batch_alter_table("lessons", schema=None) as batch_op:
        batch_op.create_index(
            "ix_lessons_look",
            ["provider_id", "look_at"],
            unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"),
            postgresql_where=sa.text("look_at IS NOT NULL"),
        )
        batch_op.create_index("ix_lessons_placement", ["provider_id", "placement_id", "day"], unique=False)
        batch_op.create_index("ix_lessons_waiting", ["provider_id", "state", "entry_due"], unique=False)

    op.create_table(
        "listening",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("connection", sa.String(length=60), nullable=False),
        sa.Column(
            "mark",
            sa.String(length=200),
            nullable=False,
            comment="up to where a far side's answers were read",
        ),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=True, comment="when they could last be read"),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "connection", name=op.f("pk_listening")),
    )
    op.create_table(
        "marks",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mark_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("intake_id", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column(
            "slot",
            sa.LargeBinary(),
            nullable=False,
            comment="blind index of who, day and lesson as the source says",
        ),
        sa.Column(
            "word",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed digest of what the source said for the slot",
        ),
        sa.Column("pupil_id", sa.BigInteger(), nullable=True),
        sa.Column("lesson_id", sa.BigInteger(), nullable=True),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="JSON: the row, word for word"),
        sa.Column("result", sa.String(length=12), nullable=False, comment="entered, unchanged, questioned"),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "mark_id", name=op.f("pk_marks")),
        sa.UniqueConstraint(
            "provider_id", "intake_id", "row", name=op.f("uq_marks_provider_id_intake_id_row")
        ),
    )
    with op.batch_alter_table("marks", schema=None) as batch_op:
        batch_op.create_index("ix_marks_slot", ["provider_id", "source", "slot", "mark_id"], unique=False)

    op.create_table(
        "owed_reports",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owed_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("thread_id", sa.BigInteger(), nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("placement_id", sa.BigInteger(), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False, comment="exclusive"),
        sa.Column(
            "half", sa.String(length=2), nullable=False, comment="AM, PM or empty for the whole period"
        ),
        sa.Column("entry_due", UtcDateTime(), nullable=False),
        sa.Column("send_at", UtcDateTime(), nullable=False),
        sa.Column("due_by", UtcDateTime(), nullable=False),
        sa.Column("useful_until", UtcDateTime(), nullable=False),
        sa.Column(
            "state",
            sa.String(length=12),
            nullable=False,
            comment="owed, prepared, met, missed, withdrawn, held",
        ),
        sa.Column("because", sa.String(length=120), nullable=True),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="of the newest report; 0 before the first"
        ),
        sa.Column(
            "look_at",
            UtcDateTime(),
            nullable=True,
            comment="when it must be looked at next: its time, or news; null when all is told",
        ),
        sa.Column("handed_over_at", UtcDateTime(), nullable=True),
        sa.Column(
            "missed_told_at",
            UtcDateTime(),
            nullable=True,
            comment="when the ledger said: owed and not handed over",
        ),
        sa.PrimaryKeyConstraint("provider_id", "owed_id", name=op.f("pk_owed_reports")),
        sa.UniqueConstraint(
            "provider_id",
            "recipient_id",
            "period",
            name=op.f("uq_owed_reports_provider_id_recipient_id_period"),
        ),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_owed_reports_provider_id_ref")),
    )
    with op.batch_alter_table("owed_reports", schema=None) as batch_op:
        batch_op.create_index("ix_owed_reports_day", ["provider_id", "first_day"], unique=False)
        batch_op.create_index("ix_owed_reports_due", ["provider_id", "state", "due_by"], unique=False)
        batch_op.create_index("ix_owed_reports_look", ["provider_id", "look_at"], unique=False)
        batch_op.create_index(
            "ix_owed_reports_placement", ["provider_id", "placement_id", "first_day"], unique=False
        )
        batch_op.create_index("ix_owed_reports_thread", ["provider_id", "thread_id"], unique=False)

    op.create_table(
        "placements",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("placement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_day", sa.Date(), nullable=False),
        sa.Column("ends_day", sa.Date(), nullable=True),
        sa.Column("arranged_by", sa.String(length=10), nullable=False),
        sa.Column("power", sa.String(length=10), nullable=False),
        sa.Column("registration", sa.String(length=10), nullable=False),
        sa.Column("nature", sa.String(length=40), nullable=False),
        sa.Column("commissioner", sa.String(length=60), nullable=False),
        sa.Column("timetable", sa.Text(), nullable=False, comment="JSON list of weekly slots"),
        sa.Column("attends_on_school_closure", sa.Boolean(), nullable=False),
        sa.Column("risk_flag", sa.Boolean(), nullable=False),
        sa.Column("standing", sa.String(length=10), nullable=False, comment="agreed, trial, pending"),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "placement_id", "version", name=op.f("pk_placements")),
    )
    with op.batch_alter_table("placements", schema=None) as batch_op:
        batch_op.create_index("ix_placements_pupil", ["provider_id", "pupil_id", "current"], unique=False)

    op.create_table(
        "plans",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("plan_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("placement_id", sa.BigInteger(), nullable=False),
        sa.Column("ladder", sa.String(length=60), nullable=False),
        sa.Column("starts_day", sa.Date(), nullable=False),
        sa.Column("ends_day", sa.Date(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("signed_by", sa.String(length=80), nullable=False, comment="the safeguarding lead"),
        sa.Column("agreed_with", sa.String(length=80), nullable=False, comment="who at the school agreed"),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "plan_id", name=op.f("pk_plans")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_plans_provider_id_ref")),
    )
    with op.batch_alter_table("plans", schema=None) as batch_op:
        batch_op.create_index("ix_plans_placement", ["provider_id", "placement_id"], unique=False)

    op.create_table(
        "providers",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column(
            "closed_at", UtcDateTime(), nullable=True, comment="when everything of it was erased for good"
        ),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_providers")),
        sa.UniqueConstraint("slug", name=op.f("uq_providers_slug")),
    )
    op.create_table(
        "pupils",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="JSON: names, UPN, references"),
        sa.Column(
            "ref_index",
            sa.LargeBinary(),
            nullable=True,
            comment="blind index of the provider's own reference",
        ),
        sa.Column("upn_index", sa.LargeBinary(), nullable=True),
        sa.Column("name_index", sa.LargeBinary(), nullable=True),
        sa.Column("suppressed", sa.Boolean(), nullable=False),
        sa.Column(
            "erased_at", UtcDateTime(), nullable=True, comment="nothing but outcomes without a name is left"
        ),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "pupil_id", name=op.f("pk_pupils")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_pupils_provider_id_ref")),
    )
    with op.batch_alter_table("pupils", schema=None) as batch_op:
        batch_op.create_index("ix_pupils_name_index", ["provider_id", "name_index"], unique=False)
        batch_op.create_index("ix_pupils_ref_index", ["provider_id", "ref_index"], unique=False)
        batch_op.create_index("ix_pupils_upn_index", ["provider_id", "upn_index"], unique=False)

    op.create_table(
        "questions",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("question_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("mark_id", sa.BigInteger(), nullable=True),
        sa.Column("lesson_id", sa.BigInteger(), nullable=True),
        sa.Column("pupil_id", sa.BigInteger(), nullable=True),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="JSON: words, choices"),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=80), nullable=True),
        sa.Column("answer", sa.String(length=30), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "question_id", name=op.f("pk_questions")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_questions_provider_id_ref")),
    )
    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.create_index("ix_questions_open", ["provider_id", "answered_at"], unique=False)

    op.create_table(
        "receipts",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("receipt_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("dispatch_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "rung",
            sa.String(length=12),
            nullable=False,
            comment="a rung of the ladder, or refused, bounced, uncertain, expired",
        ),
        sa.Column("far_reference", sa.String(length=120), nullable=False),
        sa.Column(
            "reports",
            sa.Text(),
            nullable=False,
            comment="JSON: report refs by answer; what is not named was taken",
        ),
        sa.Column("hops", sa.String(length=200), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False, comment="JSON: the far side's words"),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "receipt_id", name=op.f("pk_receipts")),
        sa.UniqueConstraint(
            "provider_id",
            "dispatch_id",
            "rung",
            "far_reference",
            name=op.f("uq_receipts_provider_id_dispatch_id_rung_far_reference"),
        ),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_receipts_provider_id_ref")),
    )
    op.create_table(
        "recipients",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("placement_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation", sa.String(length=60), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("agreement", sa.String(length=60), nullable=False),
        sa.Column("starts_day", sa.Date(), nullable=False),
        sa.Column("ends_day", sa.Date(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "recipient_id", name=op.f("pk_recipients")),
        sa.UniqueConstraint(
            "provider_id",
            "placement_id",
            "organisation",
            "purpose",
            "starts_day",
            name=op.f("uq_recipients_provider_id_placement_id_organisation_purpose_starts_day"),
        ),
    )
    op.create_table(
        "record_notes",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_note_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "about",
            sa.String(length=60),
            nullable=False,
            comment="a day, or a message's reference; empty for the whole record",
        ),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="JSON: what is disputed, and what we answered"
        ),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "record_note_id", name=op.f("pk_record_notes")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_record_notes_provider_id_ref")),
        comment="rectification: what a pupil or parent says is wrong; travels with the record",
    )
    with op.batch_alter_table("record_notes", schema=None) as batch_op:
        batch_op.create_index("ix_record_notes_pupil", ["provider_id", "pupil_id"], unique=False)

    op.create_table(
        "reports",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("report_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("owed_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column("placement_version", sa.Integer(), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="JSON: the report's canonical sessions"
        ),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column(
            "salt",
            sa.LargeBinary(),
            nullable=True,
            comment="erased with the content; the commitment stays in the ledger",
        ),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "report_id", name=op.f("pk_reports")),
        sa.UniqueConstraint(
            "provider_id", "owed_id", "version", name=op.f("uq_reports_provider_id_owed_id_version")
        ),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_reports_provider_id_ref")),
    )
    op.create_table(
        "school_decisions",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("decision_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("pupil_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation", sa.String(length=60), nullable=False, comment="whose decision it is"),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("starts_day", sa.Date(), nullable=False),
        sa.Column("ends_day", sa.Date(), nullable=False, comment="belongs to it"),
        sa.Column("half", sa.String(length=2), nullable=False),
        sa.Column("weekdays", sa.String(length=13), nullable=False),
        sa.Column("comes_anyway", sa.Boolean(), nullable=False, comment="the pupil is still expected here"),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="JSON: who decided, name and role, and their words",
        ),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.String(length=80), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "decision_id", name=op.f("pk_school_decisions")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_school_decisions_provider_id_ref")),
    )
    with op.batch_alter_table("school_decisions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_school_decisions_pupil", ["provider_id", "pupil_id", "ends_day"], unique=False
        )

    op.create_table(
        "snapshots",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="canonical JSON of the validated configuration"),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=False),
        sa.Column("published_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "number", name=op.f("pk_snapshots")),
    )
    op.create_table(
        "statements",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "number",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="its leaf index, without gaps",
        ),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=40), nullable=False, comment="the reference it is about"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="RFC 8785 JSON: the leaf, byte for byte"),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "number", name=op.f("pk_statements")),
    )
    with op.batch_alter_table("statements", schema=None) as batch_op:
        batch_op.create_index("ix_statements_subject", ["provider_id", "subject"], unique=False)

    op.create_table(
        "steps",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("ladder", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("trigger", sa.String(length=24), nullable=False),
        sa.Column("act", sa.String(length=30), nullable=False),
        sa.Column("owner", sa.String(length=60), nullable=False, comment="a role"),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("record", sa.String(length=120), nullable=False),
        sa.Column("until", sa.String(length=10), nullable=False),
        sa.Column("if_not_done", sa.String(length=60), nullable=False),
        sa.Column("letter", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False, comment="later, open, done, cleared"),
        sa.Column("lesson_at", UtcDateTime(), nullable=False, comment="start of the lesson that it is about"),
        sa.Column("opens_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("overdue_told_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column(
            "result",
            sa.String(length=120),
            nullable=True,
            comment="from a fixed list, or why it is not needed any more",
        ),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="JSON: what was written down about it, or the letter",
        ),
        sa.PrimaryKeyConstraint("provider_id", "step_id", name=op.f("pk_steps")),
        sa.UniqueConstraint(
            "provider_id", "case_id", "ladder", "name", name=op.f("uq_steps_provider_id_case_id_ladder_name")
        ),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_steps_provider_id_ref")),
    )
    with op.batch_alter_table("steps", schema=None) as batch_op:
        batch_op.create_index("ix_steps_state", ["provider_id", "state", "due_at"], unique=False)

    op.create_table(
        "tasks",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("task_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column(
            "kind",
            sa.String(length=30),
            nullable=False,
            comment="phone_school, take_register, fix_channel, settle, read_reply and others",
        ),
        sa.Column(
            "subject",
            sa.String(length=120),
            nullable=False,
            comment="unique beside its kind: a reference, never a name",
        ),
        sa.Column("pupil_id", sa.BigInteger(), nullable=True),
        sa.Column("organisation", sa.String(length=60), nullable=True),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False, comment="open, done, cleared"),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("result", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "task_id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("provider_id", "kind", "subject", name=op.f("uq_tasks_provider_id_kind_subject")),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_tasks_provider_id_ref")),
    )
    op.create_table(
        "threads",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("thread_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(length=12), nullable=False),
        sa.Column("organisation", sa.String(length=60), nullable=False),
        sa.Column("agreement", sa.String(length=60), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "thread_id", name=op.f("pk_threads")),
        sa.UniqueConstraint(
            "provider_id",
            "organisation",
            "agreement",
            "period",
            name=op.f("uq_threads_provider_id_organisation_agreement_period"),
        ),
        sa.UniqueConstraint("provider_id", "ref", name=op.f("uq_threads_provider_id_ref")),
    )
    op.create_table(
        "verifying_keys",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("vkey", sa.String(length=200), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "vkey", name=op.f("pk_verifying_keys")),
    )
