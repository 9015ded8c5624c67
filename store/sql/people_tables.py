"""The tables of people: each worker, assignment and demand whole as JSON beside what queries go by."""

from datetime import date, datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field

from store.sql.tables import Record
from store.sql.types import UtcDateTime

OPEN = "healed_at IS NULL"
"""Condition of the partial index, word for word as queries must say it."""


class WorkerRecord(Record, table=True):
    """One person as HR knows them."""

    __tablename__ = "workers"
    __table_args__ = (Index(None, "source", "email"),)

    id: str = Field(primary_key=True)
    source: str
    external_id: str
    email: str
    """In lower case."""
    version: datetime = Field(sa_type=UtcDateTime)
    body: str = Field(sa_type=Text)


class UnavailableRecord(Record, table=True):
    """Hours of one day on which somebody cannot work; not why."""

    __tablename__ = "unavailable_days"

    source: str = Field(primary_key=True)
    worker: str = Field(primary_key=True)
    """HR's id."""
    day: date = Field(primary_key=True)
    hours: str
    """Exact decimal."""


class CalendarRecord(Record, table=True):
    """Working time and holidays of a region."""

    __tablename__ = "work_calendars"

    source: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    body: str = Field(sa_type=Text)


class AssignmentRecord(Record, table=True):
    """A person on a project, as the PSA plans it."""

    __tablename__ = "assignments"
    __table_args__ = (Index(None, "system", "ends_on"), Index(None, "system", "person"))

    system: str = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    person: str
    ends_on: date
    body: str = Field(sa_type=Text)


class ToldRecord(Record, table=True):
    """What another system was told last."""

    __tablename__ = "people_told"

    key: str = Field(primary_key=True)
    external_id: str
    revision: int
    body: str = Field(sa_type=Text)


class DifferenceRecord(Record, table=True):
    """What two systems do not agree on, one row per person and field."""

    __tablename__ = "people_differences"
    __table_args__ = (
        Index(
            "ix_people_differences_open",
            *("source", "owner", "found_at"),
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
    )

    source: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    scope: str
    person: str
    owner: str
    found_at: datetime = Field(sa_type=UtcDateTime)
    healed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    body: str = Field(sa_type=Text)


class DemandRecord(Record, table=True):
    """A role that a project needs, as it was asked."""

    __tablename__ = "staffing_requests"
    __table_args__ = (Index(None, "state", "asked_at"), Index(None, "process"))

    key: str = Field(primary_key=True)
    process: str
    state: str
    revision: int
    asked_at: datetime = Field(sa_type=UtcDateTime)
    body: str = Field(sa_type=Text)
