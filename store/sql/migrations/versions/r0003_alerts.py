"""Alerts, and when their rules were looked at.

Types are plain here, because a revision must not change when the code's own types do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        _text("id"),
        _text("rule"),
        _text("object"),
        sa.Column("number", sa.Integer(), nullable=False),
        _text("owner"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    condition = sa.text("cleared_at IS NULL")
    op.create_index(
        "uq_alerts_open",
        "alerts",
        ["rule", "object"],
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )
    op.create_index("ix_alerts_rule_object_number", "alerts", ["rule", "object", "number"])
    op.create_index("ix_alerts_since", "alerts", ["since"])
    op.create_table(
        "alert_looks",
        _text("rule"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rule", name="pk_alert_looks"),
    )
    free = sa.text("invoice = ''")
    op.create_index(
        "ix_billing_events_open",
        "billing_events",
        ["due_on", "key"],
        sqlite_where=free,
        postgresql_where=free,
    )


def downgrade() -> None:
    op.drop_index("ix_billing_events_open", "billing_events")
    op.drop_table("alert_looks")
    op.drop_table("alerts")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)
