"""What the rules of alerts look at across all projects."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, and_, func, literal_column, or_, select

from domain.alert_facts import StuckEvents
from domain.invoice_state import BillingEventRow, InvoiceRow, InvoiceStage
from store.ports import ProcessRow
from store.sql.billing_events import event_of
from store.sql.billing_tables import BillingEventRecord, InvoiceRecord
from store.sql.inbox import INBOX, OPEN_STATES
from store.sql.processes import PROCESSES
from store.sql.tables import table

EVENTS = table(BillingEventRecord)
INVOICES = table(InvoiceRecord)

_FREE = EVENTS.c.invoice == literal_column("''")
"""In the words of the partial index, else it is not used."""


def open_events(connection: Connection, due_by: date) -> Sequence[BillingEventRow]:
    """Neither void nor on a live invoice, in the order they fell due."""
    query = (
        select(EVENTS)
        .where(EVENTS.c.due_on <= due_by, EVENTS.c.void.is_(False), _FREE)
        .order_by(EVENTS.c.due_on, EVENTS.c.key)
    )
    return [event_of(found) for found in connection.execute(query)]


def quiet_invoices(
    connection: Connection, stages: Sequence[InvoiceStage], since: datetime
) -> Sequence[InvoiceRow]:
    """The one longest unchanged first."""
    query = (
        select(INVOICES.c.body)
        .where(INVOICES.c.stage.in_(stages), INVOICES.c.updated_at < since)
        .order_by(INVOICES.c.updated_at, INVOICES.c.id)
    )
    return [InvoiceRow.model_validate_json(body) for body in connection.execute(query).scalars()]


def quiet_processes(connection: Connection, kind: str, since: datetime) -> Sequence[ProcessRow]:
    """The one longest unchanged first."""
    query = (
        select(PROCESSES)
        .where(PROCESSES.c.state == "running", PROCESSES.c.updated_at < since, PROCESSES.c.kind == kind)
        .order_by(PROCESSES.c.updated_at, PROCESSES.c.key)
    )
    return [ProcessRow.model_validate(found._asdict()) for found in connection.execute(query)]


def stuck_events(connection: Connection, since: datetime) -> Sequence[StuckEvents]:
    """By source, type and state, with the note of the oldest."""
    stuck = or_(INBOX.c.state == "poison", and_(INBOX.c.state.in_(OPEN_STATES), INBOX.c.received_at < since))
    by = (INBOX.c.source, INBOX.c.type, INBOX.c.state)
    sums = select(*by, func.count().label("events"), func.min(INBOX.c.received_at).label("oldest"))
    groups = connection.execute(sums.where(stuck).group_by(*by).order_by(*by)).all()
    return [
        StuckEvents(
            source=group.source,
            type=group.type,
            state=group.state,
            count=group.events,
            oldest=group.oldest,
            note=_note(connection, group.source, group.type, group.state),
        )
        for group in groups
    ]


def _note(connection: Connection, source: str, type: str, state: str) -> str:
    query = select(INBOX.c.note).where(INBOX.c.source == source, INBOX.c.type == type, INBOX.c.state == state)
    return connection.execute(query.order_by(INBOX.c.received_at, INBOX.c.id).limit(1)).scalar() or ""
