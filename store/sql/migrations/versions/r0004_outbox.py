"""The outbox: what happened, for whom it is sent on.

Types are plain here, because a revision must not change when the code's own types do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("sequence", sa.Integer(), nullable=False),
        _text("id"),
        _text("type"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("key"),
        _text("process"),
        _text("subject"),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("routed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
    )
    op.create_index("ix_outbox_at", "outbox", ["at"])
    unrouted = sa.text("routed_at IS NULL")
    op.create_index(
        "ix_outbox_unrouted",
        "outbox",
        ["sequence"],
        sqlite_where=unrouted,
        postgresql_where=unrouted,
    )
    op.create_table(
        "outbox_deliveries",
        sa.Column("sequence", sa.Integer(), nullable=False),
        _text("subscriber"),
        _text("subject"),
        _text("state"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        _text("claimed_by"),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        _text("note"),
        sa.PrimaryKeyConstraint("sequence", "subscriber", name="pk_outbox_deliveries"),
    )
    op.create_index(
        "ix_outbox_deliveries_subscriber_state_next_at",
        "outbox_deliveries",
        ["subscriber", "state", "next_at"],
    )
    op.create_index(
        "ix_outbox_deliveries_subscriber_subject_sequence",
        "outbox_deliveries",
        ["subscriber", "subject", "sequence"],
    )


def downgrade() -> None:
    op.drop_table("outbox_deliveries")
    op.drop_table("outbox")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)
