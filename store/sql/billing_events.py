"""Billing events: each may be billed once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from domain.invoice_state import BillingEventRow
from store.billing_ports import AlreadyCovered
from store.ports import AuditNote, StaleReference, StoreError
from store.sql.billing_contracts import note_on_project
from store.sql.billing_tables import BillingEventRecord
from store.sql.tables import table

EVENTS = table(BillingEventRecord)

_BY_KEY = select(EVENTS).where(EVENTS.c.key == bindparam("of")).with_for_update()
_INSERT = insert(EVENTS)
_VOID = update(EVENTS).where(EVENTS.c.key == bindparam("of")).values(void=True)


def add_event(connection: Connection, event: BillingEventRow, now: datetime) -> bool:
    """Keep an event; false when its key is there already.

    Raises `StoreError` when it is there with another amount, or the key is not that of its parts.
    """
    _check_key(event)
    found = connection.execute(_BY_KEY, {"of": event.key}).first()
    if found is not None:
        kept = event_of(found)
        if kept.amount != event.amount:
            raise StoreError(
                f"billing event {event.key} is kept with {kept.amount or 'no amount'}, not with"
                f" {event.amount or 'none'}; give the change a new revision"
            )
        return False
    row = {"key": event.key, "project": event.project, "due_on": event.due_on, "void": event.void}
    body = event.model_dump_json(exclude={"void", "invoice"})
    connection.execute(_INSERT, {**row, "invoice": "", "body": body})
    worth = f" of {event.amount}" if event.amount else ""
    said = AuditNote(
        what=f"billing event: {event.kind} {event.occasion}{worth}",
        why=event.evidence,
        key=event.key,
        outcome="added",
        object=event.key,
    )
    note_on_project(connection, event.project, now, said)
    return True


def events(connection: Connection, project: str, *, open_only: bool) -> Sequence[BillingEventRow]:
    """Events of a project as they fall due; open ones are neither void nor on a live invoice."""
    query = select(EVENTS).where(EVENTS.c.project == project).order_by(EVENTS.c.due_on, EVENTS.c.key)
    if open_only:
        query = query.where(EVENTS.c.void.is_(False), EVENTS.c.invoice == "")
    return [event_of(found) for found in connection.execute(query)]


def void_event(connection: Connection, key: str, reason: str, now: datetime) -> None:
    """It is never billed. Raises `AlreadyCovered` while a live invoice bills it, `StaleReference` when
    it is unknown."""
    found = connection.execute(_BY_KEY, {"of": key}).first()
    if found is None:
        raise StaleReference(
            f"billing event {key} is not kept, as after a restored backup; add it again before voiding it"
        )
    if found.invoice:
        raise AlreadyCovered(
            f"billing event {key} is on invoice {found.invoice}; credit or discard that first"
        )
    if found.void:
        return
    connection.execute(_VOID, {"of": key})
    said = AuditNote(what=f"billing event {key} void", why=reason, key=key, outcome="void", object=key)
    note_on_project(connection, found.project, now, said)


def event_of(found: Row[Any]) -> BillingEventRow:
    event = BillingEventRow.model_validate_json(found.body)
    return event.model_copy(update={"void": found.void, "invoice": found.invoice})


def _check_key(event: BillingEventRow) -> None:
    expected = f"{event.project}/{event.line}/{event.occasion}/{event.revision}"
    if event.key != expected:
        raise StoreError(f"billing event {event.key!r} must have the key {expected}")
