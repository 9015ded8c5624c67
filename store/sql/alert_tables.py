"""The tables of alerts: each alert whole as JSON beside what lists filter and sort by, and the last looks."""

from datetime import datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from store.sql.billing_tables import FREE, BillingEventRecord
from store.sql.tables import Record, table
from store.sql.types import UtcDateTime

OPEN = "cleared_at IS NULL"
"""Condition of the partial index, word for word as queries must say it."""


class AlertRecord(Record, table=True):
    """One alert. Of one condition (rule and object) one is open."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_open",
            "rule",
            "object",
            unique=True,
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index(None, "rule", "object", "number"),
        Index(None, "since"),
    )

    id: str = Field(primary_key=True)
    rule: str
    object: str
    number: int
    owner: str
    since: datetime = Field(sa_type=UtcDateTime)
    cleared_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    body: str = Field(sa_type=Text)


_EVENTS = table(BillingEventRecord)
Index(
    "ix_billing_events_open",
    _EVENTS.c.due_on,
    _EVENTS.c.key,
    sqlite_where=text(FREE),
    postgresql_where=text(FREE),
)
"""What has no invoice is a small part of all events."""


class AlertLookRecord(Record, table=True):
    """When a rule was looked at last."""

    __tablename__ = "alert_looks"

    rule: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
