"""All tables. `provider_id` stands in each and comes first in every unique key, so nothing mixes two providers.

Sealed columns (LargeBinary named `sealed*`) hold personal data under a data key named by the `key_id` beside them;
blind indexes (`*_index`) find a row without showing what is in it. Times are instants unless their name says `day`
or `wall`. Keys are BIGINTs from `store.keys_for`; only `ref` columns ever leave the hub.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from aphub.store.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def _key(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _provider() -> Column[int]:
    return Column("provider_id", BigInteger, primary_key=True, autoincrement=False)


def _ref() -> Column[str]:
    return Column("ref", String(12), nullable=False)


# --- the hub itself -------------------------------------------------------------------------------------------------

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
    _provider(),
    Column("slug", String(60), nullable=False, unique=True),
    Column("since", UtcDateTime, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    _provider(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False, comment="canonical JSON of the validated configuration"),
    Column("digest", String(64), nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
    Column("published_by", String(80), nullable=False),
)

# --- who ------------------------------------------------------------------------------------------------------------

pupils = Table(
    "pupils",
    metadata,
    _provider(),
    _key("pupil_id"),
    _ref(),
    Column("version", Integer, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False, comment="JSON: names, UPN, references"),
    Column("ref_index", LargeBinary, comment="blind index of the provider's own reference"),
    Column("upn_index", LargeBinary),
    Column("name_index", LargeBinary),
    Column("suppressed", Boolean, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_pupils_ref_index", "provider_id", "ref_index"),
    Index("ix_pupils_upn_index", "provider_id", "upn_index"),
    Index("ix_pupils_name_index", "provider_id", "name_index"),
)

placements = Table(
    "placements",
    metadata,
    _provider(),
    _key("placement_id"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _ref(),
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
    Column("current", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String(80), nullable=False),
    Index("ix_placements_pupil", "provider_id", "pupil_id", "current"),
)

recipients = Table(
    "recipients",
    metadata,
    _provider(),
    _key("recipient_id"),
    Column("placement_id", BigInteger, nullable=False),
    Column("organisation", String(60), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("agreement", String(60), nullable=False),
    Column("starts_day", Date, nullable=False),
    Column("ends_day", Date),
    Column("changed_at", UtcDateTime, nullable=False),
    UniqueConstraint("provider_id", "placement_id", "organisation", "purpose", "starts_day"),
)

# --- what came in ---------------------------------------------------------------------------------------------------

intakes = Table(
    "intakes",
    metadata,
    _provider(),
    _key("intake_id"),
    _ref(),
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
    _provider(),
    _key("mark_id"),
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
    _provider(),
    _key("question_id"),
    _ref(),
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

# --- what must exist, and what does ---------------------------------------------------------------------------------

lessons = Table(
    "lessons",
    metadata,
    _provider(),
    _key("lesson_id"),
    Column("placement_id", BigInteger, nullable=False),
    Column("pupil_id", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("starts_wall", String(5), nullable=False),
    Column("ends_wall", String(5), nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("mode", String(12), nullable=False),
    Column("nature", String(40), nullable=False),
    Column("place", String(80), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("staff", String(80), nullable=False),
    Column("entry_due", UtcDateTime, nullable=False),
    Column("state", String(10), nullable=False, comment="owed, entered, withdrawn"),
    Column("withdrawn_because", String(80)),
    Column("unregistered_told_at", UtcDateTime, comment="when a missing register was first told"),
    UniqueConstraint("provider_id", "placement_id", "starts_at"),
    Index("ix_lessons_placement", "provider_id", "placement_id", "day"),
    Index("ix_lessons_waiting", "provider_id", "state", "entry_due"),
    comment="a lesson that is due; at the same time the owed entry",
)

entries = Table(
    "entries",
    metadata,
    _provider(),
    _key("entry_id"),
    Column("lesson_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("minutes", Integer),
    Column("mode", String(12)),
    Column("key_id", BigInteger, nullable=False),
    Column("sealed", LargeBinary, comment="JSON: note, provider's word, actions; absent when there are none"),
    Column("mark_id", BigInteger),
    Column("by_person", Boolean, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("because", String(200), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, comment="when the register was taken, if the source says so"),
    Column("current", Boolean, nullable=False),
    UniqueConstraint("provider_id", "lesson_id", "version"),
    Index("ix_entries_current", "provider_id", "lesson_id", "current"),
    Index("ix_entries_news", "provider_id", "made_at"),
)

threads = Table(
    "threads",
    metadata,
    _provider(),
    _key("thread_id"),
    _ref(),
    Column("organisation", String(60), nullable=False),
    Column("agreement", String(60), nullable=False),
    Column("period", String(16), nullable=False),
    Column("last_number", Integer, nullable=False),
    UniqueConstraint("provider_id", "ref"),
    UniqueConstraint("provider_id", "organisation", "agreement", "period"),
)

owed_reports = Table(
    "owed_reports",
    metadata,
    _provider(),
    _key("owed_id"),
    _ref(),
    Column("thread_id", BigInteger, nullable=False),
    Column("recipient_id", BigInteger, nullable=False),
    Column("placement_id", BigInteger, nullable=False),
    Column("pupil_id", BigInteger, nullable=False),
    Column("period", String(16), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("until_day", Date, nullable=False, comment="exclusive"),
    Column("half", String(2), nullable=False, comment="AM, PM or empty for the whole period"),
    Column("entry_due", UtcDateTime, nullable=False),
    Column("send_at", UtcDateTime, nullable=False),
    Column("due_by", UtcDateTime, nullable=False),
    Column("useful_until", UtcDateTime, nullable=False),
    Column("state", String(12), nullable=False, comment="owed, prepared, met, missed, withdrawn, held"),
    Column("because", String(120)),
    Column("version", Integer, nullable=False, comment="of the newest report; 0 before the first"),
    Column(
        "look_at",
        UtcDateTime,
        comment="when it must be looked at next: its time, or news; null when all is told",
    ),
    Column("handed_over_at", UtcDateTime),
    Column("missed_told_at", UtcDateTime, comment="when the ledger said: owed and not handed over"),
    UniqueConstraint("provider_id", "recipient_id", "period"),
    UniqueConstraint("provider_id", "ref"),
    Index("ix_owed_reports_look", "provider_id", "look_at"),
    Index("ix_owed_reports_due", "provider_id", "state", "due_by"),
    Index("ix_owed_reports_thread", "provider_id", "thread_id"),
    Index("ix_owed_reports_placement", "provider_id", "placement_id", "first_day"),
)

# --- what was said --------------------------------------------------------------------------------------------------

reports = Table(
    "reports",
    metadata,
    _provider(),
    _key("report_id"),
    _ref(),
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
    _provider(),
    _key("dispatch_id"),
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
)

dispatch_reports = Table(
    "dispatch_reports",
    metadata,
    _provider(),
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
    _provider(),
    _key("attempt_id"),
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
    _provider(),
    _key("receipt_id"),
    _ref(),
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

# --- channels, and what waits for people ----------------------------------------------------------------------------

channels = Table(
    "channels",
    metadata,
    _provider(),
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
    _provider(),
    Column("lane", String(40), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("open_until", UtcDateTime, comment="the breaker: no tries before this"),
    Column("since", UtcDateTime, comment="when the trouble began"),
    Column("words", String(200)),
)

holds = Table(
    "holds",
    metadata,
    _provider(),
    _key("hold_id"),
    _ref(),
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
    _provider(),
    _key("task_id"),
    _ref(),
    Column(
        "kind",
        String(30),
        nullable=False,
        comment="phone_home, phone_school, take_register, fix_channel, settle",
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
    UniqueConstraint("provider_id", "kind", "subject"),
)

# --- proof ----------------------------------------------------------------------------------------------------------

statements = Table(
    "statements",
    metadata,
    _provider(),
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
    _provider(),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _provider(),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("note", Text, nullable=False, comment="signed note, C2SP tlog-checkpoint"),
    Column("at", UtcDateTime, nullable=False),
)

verifying_keys = Table(
    "verifying_keys",
    metadata,
    _provider(),
    Column("vkey", String(200), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime),
)
