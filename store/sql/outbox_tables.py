"""The tables of the outbox: what happened, and how far each subscriber has it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from store.sql.tables import Record
from store.sql.types import ExactJson, UtcDateTime

UNROUTED = "routed_at IS NULL"
"""Condition of the partial index, word for word as queries must say it."""


class OutboxRecord(Record, table=True):
    """One event; `sequence` keeps the order in which events were noted."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("id"),
        Index(None, "at"),
        Index(
            "ix_outbox_unrouted",
            "sequence",
            sqlite_where=text(UNROUTED),
            postgresql_where=text(UNROUTED),
        ),
    )

    sequence: int | None = Field(default=None, primary_key=True)
    id: str
    type: str
    version: int
    key: str
    process: str
    subject: str
    data: dict[str, Any] = Field(sa_type=ExactJson)
    at: datetime = Field(sa_type=UtcDateTime)
    routed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeliveryRecord(Record, table=True):
    """One event for one subscriber; `subject` is that of the event, for the order of deliveries."""

    __tablename__ = "outbox_deliveries"
    __table_args__ = (
        Index(None, "subscriber", "state", "next_at"),
        Index(None, "subscriber", "subject", "sequence"),
    )

    sequence: int = Field(primary_key=True)
    subscriber: str = Field(primary_key=True)
    subject: str
    state: str
    attempts: int
    since: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
    claimed_by: str
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str
