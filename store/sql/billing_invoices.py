"""Invoices and credit notes, and the limits of their project they use."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update

from domain.invoice_state import InvoiceRow, InvoiceStage
from store.billing_ports import ProjectTotals
from store.ports import AuditNote, StaleReference, StoreError
from store.sql.billing_contracts import contract_of, lock_limits
from store.sql.billing_coverage import live_items
from store.sql.billing_credits import check_left
from store.sql.billing_limits import DEAD, FINAL, POSTED, Used, check_limits, check_seen, movements_of
from store.sql.billing_tables import InvoiceRecord, MovementRecord
from store.sql.chain import note
from store.sql.tables import table

INVOICES = table(InvoiceRecord)
MOVEMENTS = table(MovementRecord)

_READ = select(INVOICES).where(INVOICES.c.id == bindparam("of"))
_BY_ID = _READ.with_for_update()
_INSERT = insert(INVOICES)
_REPLACE = update(INVOICES).where(INVOICES.c.id == bindparam("of"))
_FORGET = delete(MOVEMENTS).where(MOVEMENTS.c.invoice == bindparam("of"))
_MOVE = insert(MOVEMENTS)

_CREDITED = INVOICES.alias("credited")
_USED = (
    select(INVOICES.c.stage, MOVEMENTS.c.kind, MOVEMENTS.c.line, func.sum(MOVEMENTS.c.amount_minor))
    .select_from(
        MOVEMENTS.join(INVOICES, INVOICES.c.id == MOVEMENTS.c.invoice).outerjoin(
            _CREDITED, _CREDITED.c.id == INVOICES.c.credits
        )
    )
    .where(
        INVOICES.c.project == bindparam("of"),
        INVOICES.c.id != bindparam("besides"),
        INVOICES.c.stage.not_in(DEAD),
        # A credit note counts when it is posted, and not where the whole invoice no longer counts.
        or_(INVOICES.c.credits == "", INVOICES.c.stage.in_(POSTED)),
        or_(_CREDITED.c.id.is_(None), _CREDITED.c.stage.not_in(DEAD)),
    )
    .group_by(INVOICES.c.stage, MOVEMENTS.c.kind, MOVEMENTS.c.line)
)


def put_invoice(connection: Connection, row: InvoiceRow, now: datetime) -> InvoiceRow:
    """Insert or replace by id; what it uses of limits follows its price. The same again changes nothing.

    Raises `StoreError` for a change of what is posted, or of whose invoice it is.
    """
    found = connection.execute(_BY_ID, {"of": row.id}).first()
    kept = invoice_of(found) if found else None
    row = row.model_copy(update={"updated_at": now})
    if kept is not None:
        if kept.model_copy(update={"updated_at": now}) == row:
            return kept
        _check_change(kept, row)
    values = {name: getattr(row, name) for name in ("project", "customer", "stage", "credits", "updated_at")}
    values["body"] = row.model_dump_json()
    if kept is None:
        connection.execute(_INSERT, {"id": row.id, **values})
    else:
        connection.execute(_REPLACE, {"of": row.id, **values})
    if kept is None or kept.priced != row.priced:
        _move(connection, row, replaces=kept is not None)
    note(connection, row.id, now, _said(row, kept))
    return row


def invoice(connection: Connection, id: str) -> InvoiceRow | None:
    found = connection.execute(_READ, {"of": id}).first()
    return invoice_of(found) if found else None


def invoices(
    connection: Connection,
    project: str | None,
    stage: InvoiceStage | None,
    customer: str | None,
    limit: int,
) -> Sequence[InvoiceRow]:
    """Last changed first."""
    query = select(INVOICES)
    for column, value in (("project", project), ("stage", stage), ("customer", customer)):
        if value is not None:
            query = query.where(INVOICES.c[column] == value)
    query = query.order_by(INVOICES.c.updated_at.desc(), INVOICES.c.id).limit(limit)
    return [invoice_of(found) for found in connection.execute(query)]


def documents(connection: Connection, project: str, credits: str | None) -> Sequence[InvoiceRow]:
    """All of a project, or the credit notes to one invoice. Last changed first."""
    query = select(INVOICES).where(INVOICES.c.project == project)
    if credits is not None:
        query = query.where(INVOICES.c.credits == credits)
    query = query.order_by(INVOICES.c.updated_at.desc(), INVOICES.c.id)
    return [invoice_of(found) for found in connection.execute(query)]


def settle(
    connection: Connection, id: str, row: InvoiceRow, seen: ProjectTotals | None, now: datetime
) -> ProjectTotals:
    """Record the priced invoice and what it uses; see the port. Returns the totals with it."""
    if row.id != id or row.priced is None:
        raise StoreError(f"invoice {id} is settled by its own priced row, not by {row.id} without a price")
    contract = contract_of(connection, row.project)
    if row.priced.currency != contract.currency:
        raise StoreError(
            f"invoice {id} is in {row.priced.currency}, contract {contract.number} in {contract.currency}"
        )
    lock_limits(connection, row.project)
    found = connection.execute(_BY_ID, {"of": id}).first()  # locked: nothing is released from it meanwhile
    if found is None or found.stage not in FINAL:
        if row.credits:
            _check_signs(connection, row)
            check_left(row, *_credits(connection, row))
        else:
            _check_covered(connection, row)
            used = _used(connection, row.project, besides=id)
            check_seen(row, seen, used.totals(contract.currency))
            check_limits(contract, row, used)
    put_invoice(connection, row, now)
    return totals(connection, row.project, without="")


def totals(connection: Connection, project: str, without: str) -> ProjectTotals:
    """Used limits over live invoices but one. Raises `StaleReference` without a contract."""
    currency = contract_of(connection, project).currency
    return _used(connection, project, besides=without).totals(currency)


def _credits(connection: Connection, row: InvoiceRow) -> tuple[InvoiceRow | None, list[InvoiceRow]]:
    """What the credit note `row` credits, and the other live credit notes to it."""
    query = select(INVOICES).where(
        INVOICES.c.credits == row.credits, INVOICES.c.id != row.id, INVOICES.c.stage.not_in(DEAD)
    )
    return invoice(connection, row.credits), [invoice_of(found) for found in connection.execute(query)]


def invoice_of(found: Row[Any]) -> InvoiceRow:
    return InvoiceRow.model_validate_json(found.body)


def _used(connection: Connection, project: str, *, besides: str) -> Used:
    used = Used()
    for stage, kind, line, minor in connection.execute(_USED, {"of": project, "besides": besides}):
        used.add(kind, line, int(minor), posted=stage in POSTED)
    return used


def _move(connection: Connection, row: InvoiceRow, *, replaces: bool) -> None:
    """What is blocked claims nothing: it is priced again, on what is left then, before it can be posted."""
    if replaces:
        connection.execute(_FORGET, {"of": row.id})
    moved = [
        {"invoice": row.id, "kind": kind, "line": line, "amount_minor": minor}
        for (kind, line), minor in movements_of(row).items()
        if minor and not (row.priced and row.priced.blocked)
    ]
    if moved:
        connection.execute(_MOVE, moved)


def _check_change(kept: InvoiceRow, row: InvoiceRow) -> None:
    for name in ("project", "credits"):
        if getattr(kept, name) != getattr(row, name):
            raise StoreError(
                f"invoice {row.id} has {name} {getattr(kept, name)!r}, not {getattr(row, name)!r};"
                " another invoice needs an id of its own"
            )
    if kept.stage not in FINAL:
        return
    if row.stage not in FINAL or (kept.stage == "credited" and row.stage != "credited"):
        raise StoreError(
            f"invoice {row.id} is {kept.stage} as {kept.number or kept.external_id or 'unnumbered'}, it never"
            f" goes back to {row.stage}; correct it by a credit note"
        )
    for name in ("priced", "external_id", "number"):
        if getattr(kept, name) and getattr(kept, name) != getattr(row, name):
            raise StoreError(
                f"invoice {row.id} is {kept.stage}: its {name} cannot change; correct it by a credit note"
            )


def _check_covered(connection: Connection, row: InvoiceRow) -> None:
    """What is billed by name is on this invoice: else another one might bill it, too."""
    assert row.priced is not None  # noqa: S101  the caller looked
    named = {share.key for line in row.priced.lines for share in line.shares}
    missing = sorted(named - live_items(connection, row.id))
    if missing:
        raise StoreError(
            f"invoice {row.id} bills {missing[0]} and {len(missing) - 1} more that it does not cover;"
            " cover them first, or price it again"
        )


def _check_signs(connection: Connection, row: InvoiceRow) -> None:
    """A credit note states amounts with the sign of what it credits, as `CreditInvoice` does."""
    credited = invoice(connection, row.credits)
    if credited is None:
        raise StaleReference(f"credit note {row.id} credits invoice {row.credits}, which is not kept")
    if credited.priced and row.priced and credited.priced.net.amount * row.priced.net.amount < 0:
        raise StoreError(
            f"credit note {row.id} over {row.priced.net} must have the sign of what it credits,"
            f" {credited.priced.net} of invoice {row.credits}"
        )


def _said(row: InvoiceRow, kept: InvoiceRow | None) -> AuditNote:
    what = f"credit note to {row.credits}" if row.credits else f"invoice of project {row.project}"
    worth = f" over {row.priced.net} net" if row.priced else ""
    return AuditNote(
        actor=row.approved_by if row.stage == "approved" and row.approved_by else "fairlead",
        what=f"{what} {row.stage}{worth}",
        why=row.approval,
        object=row.number or row.external_id or row.id,
        before=_short(kept) if kept else "",
        after=_short(row),
    )


def _short(row: InvoiceRow) -> str:
    content = f" {row.priced.content_hash}" if row.priced else ""
    return f"{row.stage}, revision {row.revision}{content}"
