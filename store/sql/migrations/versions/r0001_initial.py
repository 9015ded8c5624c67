"""The first schema: processes, effects, audit, inbox, decisions, attention, references, cursors.

Types are plain here, because a revision must not change when the code's own types do.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "processes",
    "process_runs",
    "effects",
    "audit_entries",
    "audit_heads",
    "inbox",
    "decisions",
    "attention",
    "cross_references",
    "cursors",
)


def upgrade() -> None:
    _processes()
    _effects()
    _audit()
    _inbox()
    _decisions_and_attention()
    _references_and_cursors()


def downgrade() -> None:
    for name in TABLES:
        op.drop_table(name)


def _texts(names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names.split()]


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _processes() -> None:
    op.create_table(
        "processes",
        *_texts("key kind"),
        _number("generation"),
        *_texts("state run_id stage customer entity project owner title policy_hash policy_json result_json"),
        _instant("started_at"),
        _instant("updated_at"),
        _instant("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_processes"),
    )
    op.create_index("ix_processes_state_updated_at", "processes", ["state", "updated_at"])
    op.create_index("ix_processes_kind_updated_at", "processes", ["kind", "updated_at"])
    op.create_table(
        "process_runs",
        *_texts("key run_id"),
        _number("generation"),
        _instant("opened_at"),
        sa.PrimaryKeyConstraint("key", "run_id", name="pk_process_runs"),
    )


def _effects() -> None:
    op.create_table(
        "effects",
        _number("sequence"),
        *_texts("key process step system noun state command_hash"),
        _number("revision"),
        *_texts("external_id number url request_id"),
        _instant("sent_at"),
        _instant("settled_at", nullable=True),
        *_texts("note actor reason summary undone_by"),
        sa.PrimaryKeyConstraint("sequence", name="pk_effects"),
        sa.UniqueConstraint("key", name="uq_effects_key"),
    )
    op.create_index("ix_effects_process_sequence", "effects", ["process", "sequence"])


def _audit() -> None:
    op.create_table(
        "audit_entries",
        *_texts("process"),
        _number("number"),
        _number("schema_version"),
        _instant("at"),
        *_texts("actor what why system object external_id key outcome before after previous_hash hash"),
        sa.PrimaryKeyConstraint("process", "number", name="pk_audit_entries"),
    )
    op.create_index(
        "uq_audit_entries_outcome",
        "audit_entries",
        ["process", "key", "outcome"],
        unique=True,
        sqlite_where=sa.text("key != ''"),
        postgresql_where=sa.text("key != ''"),
    )
    op.create_table(
        "audit_heads",
        *_texts("process"),
        _number("number"),
        *_texts("hash"),
        sa.PrimaryKeyConstraint("process", name="pk_audit_heads"),
    )


def _inbox() -> None:
    op.create_table(
        "inbox",
        *_texts("id source event_id type subject"),
        _instant("version"),
        sa.Column("body", sa.Text(), nullable=False),
        *_texts("state process"),
        _number("attempts"),
        *_texts("note"),
        _instant("received_at"),
        _instant("next_at", nullable=True),
        _instant("applied_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.UniqueConstraint("source", "event_id", name="uq_inbox_source_event_id"),
    )
    op.create_index("ix_inbox_state_next_at", "inbox", ["state", "next_at"])
    op.create_index("ix_inbox_source_subject_type", "inbox", ["source", "subject", "type"])
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])


def _decisions_and_attention() -> None:
    op.create_table(
        "decisions",
        *_texts("id process body body_hash"),
        _instant("at"),
        *_texts("spent_by"),
        _instant("spent_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
    )
    op.create_index("ix_decisions_process", "decisions", ["process"])
    op.create_table(
        "attention",
        *_texts("id process state owner"),
        _instant("due_at"),
        *_texts("item"),
        sa.PrimaryKeyConstraint("id", name="pk_attention"),
    )
    op.create_index("ix_attention_state_due_at", "attention", ["state", "due_at"])
    op.create_index("ix_attention_process", "attention", ["process"])


def _references_and_cursors() -> None:
    op.create_table(
        "cross_references",
        *_texts("canonical_id system object external_id"),
        sa.PrimaryKeyConstraint("canonical_id", "system", "object", name="pk_cross_references"),
        sa.UniqueConstraint(
            "system", "object", "external_id", name="uq_cross_references_system_object_external_id"
        ),
    )
    op.create_table(
        "cursors",
        *_texts("name"),
        _instant("mark"),
        sa.PrimaryKeyConstraint("name", name="pk_cursors"),
    )
