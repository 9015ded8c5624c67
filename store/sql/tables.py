"""The tables of Fairlead's own database.

Queries use the Core tables (`table(EffectRecord)`), never ORM sessions: a process run makes about 25
small transactions, and a unit of work would cost more than the statements themselves.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, MetaData, Table, UniqueConstraint, text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from store.sql.types import ExactJson, UtcDateTime

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""A metadata of its own, with every constraint named, so that SQLite's batch migrations can find them."""


class Record(SQLModel, registry=registry(metadata=METADATA)):
    """Base of all tables here."""

    metadata: ClassVar[MetaData] = METADATA


class ProcessRecord(Record, table=True):
    """Once-only of a process."""

    __tablename__ = "processes"
    __table_args__ = (Index(None, "state", "updated_at"), Index(None, "kind", "updated_at"))

    key: str = Field(primary_key=True)
    kind: str
    generation: int
    state: str
    run_id: str
    stage: str
    customer: str
    entity: str
    project: str
    owner: str
    title: str
    policy_hash: str
    policy_json: str
    result_json: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ProcessRun(Record, table=True):
    """A run that opened a process: its late repeat must neither reopen nor take over anything."""

    __tablename__ = "process_runs"

    key: str = Field(primary_key=True)
    run_id: str = Field(primary_key=True)
    generation: int
    opened_at: datetime = Field(sa_type=UtcDateTime)


class EffectRecord(Record, table=True):
    """One external write; `sequence` keeps the order of first intents."""

    __tablename__ = "effects"
    __table_args__ = (UniqueConstraint("key"), Index(None, "process", "sequence"))

    sequence: int | None = Field(default=None, primary_key=True)
    key: str
    process: str
    step: str
    system: str
    noun: str
    state: str
    command_hash: str
    revision: int
    external_id: str
    number: str
    url: str
    request_id: str
    sent_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str
    actor: str
    reason: str
    summary: str
    undone_by: str


class AuditRecord(Record, table=True):
    """One audit entry; `number` counts from 1 in its process without a gap."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(
            "uq_audit_entries_outcome",
            "process",
            "key",
            "outcome",
            unique=True,
            sqlite_where=text("key != ''"),
            postgresql_where=text("key != ''"),
        ),
    )

    process: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    schema_version: int
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    what: str
    why: str
    system: str
    object: str
    external_id: str
    key: str
    outcome: str
    before: str
    after: str
    previous_hash: str
    hash: str


class AuditHead(Record, table=True):
    """The last entry of each chain, so that a truncated one is found."""

    __tablename__ = "audit_heads"

    process: str = Field(primary_key=True)
    number: int
    hash: str


class InboxRecord(Record, table=True):
    """An inbound event. `applied_at` stays through a replay, so that versions never go back."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        Index(None, "state", "next_at"),
        Index(None, "source", "subject", "type"),
        Index(None, "received_at"),
    )

    id: str = Field(primary_key=True)
    source: str
    event_id: str
    type: str
    subject: str
    version: datetime = Field(sa_type=UtcDateTime)
    body: dict[str, Any] = Field(sa_type=ExactJson)
    state: str
    process: str
    attempts: int
    note: str
    received_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    applied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DecisionRecord(Record, table=True):
    """A decision as canonical text with its hash, and who spent it."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "process"),)

    id: str = Field(primary_key=True)
    process: str
    body: str
    body_hash: str
    at: datetime = Field(sa_type=UtcDateTime)
    spent_by: str
    spent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AttentionRecord(Record, table=True):
    """The projection of an exception: the item as JSON beside what lists filter and sort by."""

    __tablename__ = "attention"
    __table_args__ = (Index(None, "state", "due_at"), Index(None, "process"))

    id: str = Field(primary_key=True)
    process: str
    state: str
    owner: str
    due_at: datetime = Field(sa_type=UtcDateTime)
    item: str


class ReferenceRecord(Record, table=True):
    """Canonical id <-> (system, object, external id)."""

    __tablename__ = "cross_references"
    __table_args__ = (UniqueConstraint("system", "object", "external_id"),)

    canonical_id: str = Field(primary_key=True)
    system: str = Field(primary_key=True)
    object: str = Field(primary_key=True)
    external_id: str


class CursorRecord(Record, table=True):
    """High-water mark of one poll."""

    __tablename__ = "cursors"

    name: str = Field(primary_key=True)
    mark: datetime = Field(sa_type=UtcDateTime)


def table(record: type[Record]) -> Table:
    """The Core table of a record class."""
    return METADATA.tables[str(record.__tablename__)]
