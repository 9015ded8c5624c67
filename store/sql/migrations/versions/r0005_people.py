"""People as HR knows them, and when they are not there; who is planned where, and who is needed.

Types are plain here, because a revision must not change when the code's own types do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workers",
        *(_text("id"), _text("source"), _text("external_id"), _text("email"), _moment("version"), _body()),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )
    op.create_index("ix_workers_source_email", "workers", ["source", "email"])
    op.create_table(
        "unavailable_days",
        *(_text("source"), _text("worker"), _day("day"), _text("hours")),
        sa.PrimaryKeyConstraint("source", "worker", "day", name="pk_unavailable_days"),
    )
    op.create_table(
        "work_calendars",
        *(_text("source"), _text("code"), _body()),
        sa.PrimaryKeyConstraint("source", "code", name="pk_work_calendars"),
    )
    op.create_table(
        "assignments",
        *(_text("system"), _text("external_id"), _text("person"), _day("ends_on"), _body()),
        sa.PrimaryKeyConstraint("system", "external_id", name="pk_assignments"),
    )
    op.create_index("ix_assignments_system_ends_on", "assignments", ["system", "ends_on"])
    op.create_index("ix_assignments_system_person", "assignments", ["system", "person"])
    op.create_table(
        "people_told",
        *(_text("key"), _text("external_id"), sa.Column("revision", sa.Integer(), nullable=False), _body()),
        sa.PrimaryKeyConstraint("key", name="pk_people_told"),
    )
    _differences()
    _demand()


def _differences() -> None:
    op.create_table(
        "people_differences",
        *(_text("source"), _text("key"), _text("scope"), _text("person"), _text("owner")),
        _moment("found_at"),
        sa.Column("healed_at", sa.DateTime(timezone=True), nullable=True),
        _body(),
        sa.PrimaryKeyConstraint("source", "key", name="pk_people_differences"),
    )
    condition = sa.text("healed_at IS NULL")
    op.create_index(
        "ix_people_differences_open",
        "people_differences",
        ["source", "owner", "found_at"],
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _demand() -> None:
    op.create_table(
        "staffing_requests",
        *(_text("key"), _text("process"), _text("state")),
        sa.Column("revision", sa.Integer(), nullable=False),
        *(_moment("asked_at"), _body()),
        sa.PrimaryKeyConstraint("key", name="pk_staffing_requests"),
    )
    op.create_index("ix_staffing_requests_state_asked_at", "staffing_requests", ["state", "asked_at"])
    op.create_index("ix_staffing_requests_process", "staffing_requests", ["process"])


def downgrade() -> None:
    for table in (
        *("staffing_requests", "people_differences", "people_told", "assignments", "work_calendars"),
        *("unavailable_days", "workers"),
    ):
        op.drop_table(table)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _body() -> sa.Column[str]:
    return sa.Column("body", sa.Text(), nullable=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _day(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=False)
