"""The guard: an entry or event is on one live invoice.

The unique index over the live rows of `coverage` decides every race. `invoice` on entries and events is
set and cleared with it, in one transaction, so that what is free can be listed quickly.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from store.billing_ports import AlreadyCovered
from store.ports import AuditNote, StaleReference, StoreError
from store.sql.billing_limits import DEAD, FINAL, POSTED
from store.sql.billing_rows import BILLABLES, batches
from store.sql.billing_tables import BillingEventRecord, CoverageRecord, InvoiceRecord
from store.sql.chain import note
from store.sql.tables import table

COVERAGE = table(CoverageRecord)
EVENTS = table(BillingEventRecord)
INVOICES = table(InvoiceRecord)

_COVERED: dict[str, Table] = {"entry": BILLABLES, "event": EVENTS}
_INVOICE = select(INVOICES).where(INVOICES.c.id == bindparam("of")).with_for_update()
_CREDIT = select(INVOICES.c.id).where(INVOICES.c.credits == bindparam("of"), INVOICES.c.stage.in_(POSTED))
_INSERT = insert(COVERAGE)
_EVER = select(COVERAGE.c.kind, COVERAGE.c.item, COVERAGE.c.released_at).where(
    COVERAGE.c.invoice == bindparam("of")
)


def cover(
    connection: Connection, invoice: str, entries: Sequence[str], events: Sequence[str], now: datetime
) -> None:
    """Put entries and events on an invoice, all or none; what is on it already stays.

    Raises `AlreadyCovered` for what another live invoice has, `StaleReference` for what is not kept,
    `StoreError` for what may not be billed or when the invoice is posted, credited or discarded.
    """
    row = _standing(connection, invoice)
    added = [
        {"invoice": invoice, "kind": kind, "item": item, "covered_at": now}
        for kind, items in (("entry", entries), ("event", events))
        for item in _coverable(connection, row, kind, items)
    ]
    if not added:
        return
    if row.stage in (*FINAL, *DEAD):
        raise StoreError(f"invoice {invoice} is {row.stage}: nothing can be added to it; begin another")
    connection.execute(_INSERT, added)
    _assign(connection, added, invoice)
    _audit(connection, invoice, now, "covered", added)


def release(
    connection: Connection,
    invoice: str,
    entries: Sequence[str] | None,
    events: Sequence[str] | None,
    now: datetime,
) -> Sequence[str]:
    """Take named entries and events off an invoice, or everything where neither is named.

    Returns what was ever on it, of what was asked for, and is on no live invoice now: a repeat answers
    the same. Raises `StoreError` for a posted invoice without a posted credit note, and for what was never
    on it.
    """
    row = _standing(connection, invoice)
    ever, live = _on(connection, invoice)
    asked = {("entry", key) for key in entries or ()} | {("event", key) for key in events or ()}
    if entries is None and events is None:
        asked = ever
    unknown = sorted(item for _, item in asked - ever)
    if unknown:
        raise StoreError(f"invoice {invoice} never covered {', '.join(unknown)}; release what it covers")
    going = sorted(asked & live)
    if going:
        if row.stage in POSTED and connection.execute(_CREDIT, {"of": invoice}).first() is None:
            raise StoreError(
                f"invoice {invoice} is {row.stage} and not credited: what it covers would be billed twice;"
                " post a credit note first"
            )
        released = [{"kind": kind, "item": item} for kind, item in going]
        _end(connection, invoice, released, now)
        _assign(connection, released, "")
        _audit(connection, invoice, now, "released", released)
    taken = _taken(connection, asked)
    return [item for _, item in sorted(asked - taken)]


def live_items(connection: Connection, invoice: str) -> set[str]:
    """Keys of the entries and events that are on an invoice."""
    return {item for _, item in _on(connection, invoice)[1]}


def _standing(connection: Connection, invoice: str) -> Any:
    found = connection.execute(_INVOICE, {"of": invoice}).first()
    if found is None:
        raise StaleReference(f"invoice {invoice} is not kept; put its row before it covers anything")
    return found


def _coverable(connection: Connection, row: Any, kind: str, items: Sequence[str]) -> Sequence[str]:
    """Those of `items` that are free and may be billed by the invoice `row`."""
    rows = {found.key: found for found in _locked(connection, kind, items)}
    free = []
    for item in dict.fromkeys(items):
        found = rows.get(item)
        if found is None:
            raise StaleReference(f"{kind} {item} is not kept, as after a restored backup; take it in again")
        if found.invoice == row.id:
            continue
        if found.invoice:
            raise AlreadyCovered(f"{kind} {item} is on invoice {found.invoice}, it cannot be on {row.id} too")
        if found.project != row.project:
            raise StoreError(
                f"{kind} {item} is of project {found.project}, invoice {row.id} of {row.project}"
            )
        if found.void if kind == "event" else found.cause == "not_billable":
            state = "void" if kind == "event" else "not billable"
            raise StoreError(f"{kind} {item} is {state}: invoice {row.id} cannot bill it")
        free.append(item)
    return free


def _locked(connection: Connection, kind: str, items: Sequence[str]) -> Iterator[Any]:
    covered = _COVERED[kind]
    state = covered.c.void if kind == "event" else covered.c.cause
    query = select(covered.c.key, covered.c.project, covered.c.invoice, state).with_for_update()
    for batch in batches(items):
        # In order of the key, so that two invoices at once never wait for each other in a circle.
        yield from connection.execute(query.where(covered.c.key.in_(batch)).order_by(covered.c.key)).all()


def _on(connection: Connection, invoice: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(kind, item) of what was ever on an invoice, and of what is on it."""
    rows = connection.execute(_EVER, {"of": invoice}).all()
    return {(row.kind, row.item) for row in rows}, {
        (row.kind, row.item) for row in rows if row.released_at is None
    }


def _assign(connection: Connection, items: Sequence[dict[str, Any]], invoice: str) -> None:
    for kind, covered in _COVERED.items():
        for batch in batches([item["item"] for item in items if item["kind"] == kind]):
            connection.execute(update(covered).where(covered.c.key.in_(batch)).values(invoice=invoice))


def _end(connection: Connection, invoice: str, items: Sequence[dict[str, Any]], now: datetime) -> None:
    for kind in _COVERED:
        for batch in batches([item["item"] for item in items if item["kind"] == kind]):
            live = update(COVERAGE).where(
                COVERAGE.c.invoice == invoice,
                COVERAGE.c.kind == kind,
                COVERAGE.c.item.in_(batch),
                COVERAGE.c.released_at.is_(None),
            )
            connection.execute(live.values(released_at=now))


def _taken(connection: Connection, items: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of `items` that are on a live invoice."""
    taken: set[tuple[str, str]] = set()
    for kind in _COVERED:
        for batch in batches([item for found, item in items if found == kind]):
            query = select(COVERAGE.c.item).where(COVERAGE.c.kind == kind, COVERAGE.c.item.in_(batch))
            live = query.where(COVERAGE.c.released_at.is_(None))
            taken |= {(kind, item) for item in connection.execute(live).scalars()}
    return taken


def _audit(
    connection: Connection, invoice: str, now: datetime, what: str, items: Sequence[dict[str, Any]]
) -> None:
    """One entry however many items: which they are stands in `coverage`, whose rows stay."""
    entries = sum(item["kind"] == "entry" for item in items)
    counts = ((entries, "entry", "entries"), (len(items) - entries, "event", "events"))
    said = " and ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n)
    note(connection, invoice, now, AuditNote(what=f"{said} {what}", object=invoice))
