"""The tables of billing: contracts, billables, what covers them, invoices, and what they use of limits.

Objects are kept whole as JSON, beside the columns that lists filter, sort and sum by. Amounts in columns
are whole numbers of minor units, so that every database sums them exactly.
"""

from datetime import date, datetime

from sqlalchemy import BigInteger, Index, Text, text
from sqlmodel import Field

from store.sql.tables import Record
from store.sql.types import UtcDateTime

LIVE = "released_at IS NULL"
FREE = "invoice = ''"
REVIEWABLE = "invoice = '' AND cause != 'not_billable'"
UNHEALED = "healed_at IS NULL"
"""Conditions of the partial indexes, word for word as the queries must say them."""


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class ContractRecord(Record, table=True):
    """One revision of a project's contract."""

    __tablename__ = "contracts"
    __table_args__ = (Index(None, "entity", "project"),)

    project: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    entity: str
    currency: str
    body: str = Field(sa_type=Text)


class BillableRecord(Record, table=True):
    """One approved entry as its source said it (`body`), and what was made of it here (`review`).

    `project`, `line`, `entity` and `cause` are as they are after the review. `invoice` repeats the live
    row of `coverage`, which is the guard, so that what is free is found without looking there.
    """

    __tablename__ = "billables"
    __table_args__ = (
        _partial("ix_billables_reviewable", "project", "work_date", "key", where=REVIEWABLE),
        _partial(
            "ix_billables_free",
            *("project", "entity", "currency", "cause", "work_date", "minutes", "amount_minor", "invoice"),
            where=FREE,
        ),
        Index(None, "taken_at", "approval_days"),
        Index(None, "resource", "work_date"),
    )

    key: str = Field(primary_key=True)
    content_hash: str
    version: datetime | None = Field(default=None, sa_type=UtcDateTime)
    project: str
    line: int
    entity: str
    source: str
    kind: str
    resource: str
    work_date: date
    cause: str
    """`ready`, `held`, `parked` or `not_billable`."""
    minutes: int
    """Of time given in minutes or hours; a day has no fixed length."""
    currency: str
    """Of an expense; time has the currency of its contract."""
    amount_minor: int = Field(sa_type=BigInteger)
    approval_days: int | None = None
    """Days from the work date to the approval's day in UTC."""
    taken_at: datetime = Field(sa_type=UtcDateTime)
    invoice: str
    body: str = Field(sa_type=Text)
    review: str = Field(sa_type=Text)


class IntakeProblemRecord(Record, table=True):
    """An entry that was refused, until it comes in."""

    __tablename__ = "intake_problems"
    __table_args__ = (_partial("ix_intake_problems_unhealed", "found_at", "key", where=UNHEALED),)

    key: str = Field(primary_key=True)
    project: str
    owner: str
    found_at: datetime = Field(sa_type=UtcDateTime)
    healed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    body: str = Field(sa_type=Text)


class AdjustmentRecord(Record, table=True):
    """A change a person made to one entry, once per decision."""

    __tablename__ = "adjustments"

    decision: str = Field(primary_key=True)
    entry: str = Field(primary_key=True)
    asked: str = Field(sa_type=Text)
    """What was asked, so that a repeat is told from a contradiction."""
    at: datetime = Field(sa_type=UtcDateTime)


class BillingEventRecord(Record, table=True):
    """Something that may be billed, once."""

    __tablename__ = "billing_events"
    __table_args__ = (Index(None, "project", "due_on", "key"),)

    key: str = Field(primary_key=True)
    project: str
    due_on: date
    void: bool
    invoice: str
    body: str = Field(sa_type=Text)


class CoverageRecord(Record, table=True):
    """An entry or event on an invoice: the guard. Rows stay when released; of live ones there is one."""

    __tablename__ = "coverage"
    __table_args__ = (
        _partial("uq_coverage_live", "kind", "item", where=LIVE, unique=True),
        Index(None, "invoice", "kind", "item"),
    )

    sequence: int | None = Field(default=None, primary_key=True)
    invoice: str
    kind: str
    """`entry` or `event`."""
    item: str
    covered_at: datetime = Field(sa_type=UtcDateTime)
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class InvoiceRecord(Record, table=True):
    """An invoice or credit note as it stands."""

    __tablename__ = "invoices"
    __table_args__ = (
        Index(None, "project", "updated_at"),
        Index(None, "customer", "updated_at"),
        Index(None, "stage", "updated_at"),
        Index(None, "credits"),
    )

    id: str = Field(primary_key=True)
    project: str
    customer: str
    stage: str
    credits: str
    updated_at: datetime = Field(sa_type=UtcDateTime)
    body: str = Field(sa_type=Text)


class MovementRecord(Record, table=True):
    """What one invoice uses of, or adds to, the limits of its project."""

    __tablename__ = "invoice_movements"

    invoice: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    """`billed`, `held` and `released` (retention), `advanced` and `applied` (advance)."""
    line: int = Field(primary_key=True)
    amount_minor: int = Field(sa_type=BigInteger)
