"""What the second release keeps beyond the first."""

import sqlalchemy as sa
from alembic import op

from aphub.store.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "callbacks",
        sa.Column("provider_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("callback_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the random end of the address"
        ),
        sa.Column("dispatch_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=False, comment="after which nobody is heard there"),
        sa.Column("heard_at", UtcDateTime(), nullable=True, comment="when it was used; it is used once"),
        sa.Column(
            "said_digest",
            sa.LargeBinary(),
            nullable=True,
            comment="which tells the same call again from another one",
        ),
        sa.Column(
            "far_reference",
            sa.String(length=120),
            nullable=True,
            comment="the far side's own number of the write",
        ),
        sa.Column("state", sa.String(length=6), nullable=True, comment="done, failed, open"),
        sa.Column("word", sa.String(length=40), nullable=True, comment="the far side's own word for it"),
        sa.PrimaryKeyConstraint("provider_id", "callback_id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("provider_id", "token_hash", name=op.f("uq_callbacks_provider_id_token_hash")),
    )
    with op.batch_alter_table("callbacks", schema=None) as batch_op:
        batch_op.create_index("ix_callbacks_dispatch", ["provider_id", "dispatch_id"], unique=False)

    with op.batch_alter_table("lanes", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "spent",
                sa.Text(),
                nullable=True,
                comment="JSON: what was sent lately, for a far side that takes so much a minute",
            )
        )

    with op.batch_alter_table("owed_reports", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "summary",
                sa.String(length=5),
                nullable=True,
                comment="day, week, month or term: a summary of it; null for a report",
            )
        )

    with op.batch_alter_table("placements", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key_id", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "sealed",
                sa.LargeBinary(),
                nullable=True,
                comment="JSON: what a census asks of it, as far as it was given",
            )
        )
        batch_op.create_index("ix_placements_ref", ["provider_id", "ref"], unique=False)

    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_tasks_provider_id_kind_subject"), type_="unique")
        batch_op.create_index("ix_tasks_kind_subject", ["provider_id", "kind", "subject"], unique=False)
        batch_op.create_index(
            "uq_tasks_open",
            ["provider_id", "kind", "subject"],
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        )
