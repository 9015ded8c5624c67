"""Canonical objects and Coupa's bodies, both ways. Pure: no I/O, no clock."""

import base64
import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from connectors.coupa.models import Account, Line, OrderRow, RequisitionLine, RequisitionRow, SupplierRow
from connectors.coupa.settings import CoupaSettings
from domain.buying import (
    OrderState,
    PurchaseLine,
    PurchaseOrder,
    PurchaseRequisition,
    RequisitionState,
    Supplier,
)
from domain.buying_commands import RequestPurchase
from domain.commands import canonical_text
from domain.money import Money, MoneyError, total

REQUISITION_STATES: Mapping[str, RequisitionState] = {
    "draft": "draft",
    "cart": "draft",
    "pending_buyer_action": "pending",
    "pending_approval": "pending",
    "backgrounded": "pending",
    "approved": "approved",
    "ordered": "ordered",
    "partially_received": "ordered",
    "received": "ordered",
    "abandoned": "withdrawn",
    "withdrawn": "withdrawn",
}
ORDER_STATES: Mapping[str, OrderState] = {
    "draft": "draft",
    "buyer_hold": "held",
    "currency_hold": "held",
    "supplier_hold": "held",
    "supplier_window_hold": "held",
    "error": "failed",
    "issued": "issued",
    "exported": "issued",
    "expensed": "closed",
    "closed": "closed",
    "cancelled": "cancelled",
}
ACCEPTED_IN = frozenset({"issued", "exported"})
"""Statuses in which `acknowledged-flag` means that the supplier has accepted the order."""
REFERENCE_LENGTH = 20
"""A PO number holds so many characters."""


class Refused(ValueError):
    """A record we cannot take: `field` as Coupa names it, `problem` in words."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def po_reference(key: str) -> str:
    """The PO number under which `key` is ordered: `FL` + 18 base32 characters of its SHA-256 (90 bits).

    Coupa refuses a second requisition with it, whoever makes it.
    """
    digest = hashlib.sha256(key.encode()).digest()
    return "FL" + base64.b32encode(digest).decode()[: REFERENCE_LENGTH - 2]


# ---- to Coupa


def requisition_body(command: RequestPurchase, settings: CoupaSettings, key: str) -> dict[str, Any]:
    """Body of a new requisition. Raises `Refused` for an entity or account the firm's file does not name."""
    chart = _of(settings.charts, command.entity, "charts")
    account = _account_body(command, settings, chart)
    lines = [
        _line_body(command, line, number, settings, account)
        for number, line in enumerate(command.lines, start=1)
    ]
    return {
        "requested-by": {"login": command.requested_by or settings.requester},
        "ship-to-address": {"name": _of(settings.ship_to, command.entity, "ship_to")},
        "currency": {"code": command.currency},
        "need-by-date": _midnight(command),
        "justification": command.reason or f"Subcontracted work for project {command.project}",
        "external-po-reference": po_reference(key),
        "custom-fields": {settings.key_field: key},
        "requisition-lines": lines,
    }


def undo_body(settings: CoupaSettings, key: str, reason: str) -> dict[str, Any]:
    """What a withdrawal or cancellation leaves in the record."""
    why = {settings.reason_field: reason} if reason else {}
    return {"custom-fields": {settings.undo_key_field: key, **why}}


def supplier_reference(supplier: str) -> dict[str, Any]:
    """A supplier as bodies refer to it. See `supplier`."""
    kind, _, id = supplier.partition(":")
    return {"id": int(id)} if kind == "id" and id.isdigit() else {"number": supplier}


def _line_body(
    command: RequestPurchase,
    line: PurchaseLine,
    number: int,
    settings: CoupaSettings,
    account: dict[str, Any],
) -> dict[str, Any]:
    commodity = {"commodity": {"name": settings.commodity}} if settings.commodity else {}
    return {
        "line-num": number,
        "line-type": "RequisitionQuantityLine",
        "description": line.description,
        "quantity": str(line.quantity),
        "unit-price": str(line.rate),
        "uom": {"code": settings.hour_unit},
        "currency": {"code": command.currency},
        "need-by-date": _midnight(command),
        "supplier": supplier_reference(command.supplier),
        "account": account,
        "custom-fields": {settings.line_field: line.ref},
        **commodity,
    }


def _account_body(command: RequestPurchase, settings: CoupaSettings, chart: str) -> dict[str, Any]:
    account = settings.accounts.get(command.cost)
    if account is None:
        raise Refused("account", f"the firm's file names no account for {command.cost}; add it to accounts")
    values = {"entity": command.entity, "account": account, "project": command.project}
    segments = {name: form.format(**values) for name, form in settings.segments.items()}
    return {"account-type": {"name": chart}, **segments}


def _of(names: Mapping[str, str], entity: str, setting: str) -> str:
    if entity not in names:
        raise Refused(setting, f"the firm's file names none for entity {entity}; add it to {setting}")
    return names[entity]


def _midnight(command: RequestPurchase) -> str:
    return f"{command.needed_on.isoformat()}T00:00:00+00:00"


# ---- from Coupa


def supplier(row: SupplierRow) -> Supplier:
    """A supplier; its id is its number, else `id:` and Coupa's own."""
    address = row.primary_address
    return Supplier(
        id=row.number or f"id:{row.id}",
        name=row.name,
        country=(address.country.code or "") if address and address.country else "",
        currency=row.currency.code if row.currency else "",
        tax_id=row.tax_id or None,
        active=row.status == "active" and not row.on_hold,
    )


def requisition_fields(row: RequisitionRow, settings: CoupaSettings) -> dict[str, str]:
    """What a requisition shows of `RequestPurchase.matter()`."""
    lines, currency = row.requisition_lines, row.currency.code
    return {
        "project": _joined({_project(line.account, settings) for line in lines}),
        "entity": _joined({_entity(line.account, settings) for line in lines}),
        "supplier": _joined({_number(line) for line in lines}),
        "currency": currency,
        "needed_on": _joined({_day(line) for line in lines}),
        "total": canonical_text(total([_money(line, currency) for line in lines], currency)),
        "line_count": str(len(lines)),
    }


def requisition(row: RequisitionRow, settings: CoupaSettings, orders: tuple[str, ...]) -> PurchaseRequisition:
    """Raises `Refused`."""
    state = REQUISITION_STATES.get(row.status)
    if state is None:
        raise Refused("status", f"{row.status!r} is a status we do not know")
    if state == "draft" and row.reject_reason_comment:
        state = "rejected"
    days = [line.need_by_date.date() for line in row.requisition_lines if line.need_by_date]
    if not days:
        raise Refused("need-by-date", "no line says when it is needed")
    suppliers = {_number(line) for line in row.requisition_lines}
    try:
        return PurchaseRequisition(
            id=str(row.id),
            project=_one("project", {_project(line.account, settings) for line in row.requisition_lines}),
            entity=_one("account", {_entity(line.account, settings) for line in row.requisition_lines}),
            supplier=_one("supplier", suppliers) or None,
            currency=row.currency.code,
            needed_on=min(days),
            lines=tuple(_line(line, row.currency.code, settings) for line in row.requisition_lines),
            state=state,
            note=row.reject_reason_comment or row.status,
            orders=orders,
            version=row.updated_at,
        )
    except ValidationError as error:
        raise _refusal(error) from None


def order(row: OrderRow, settings: CoupaSettings) -> PurchaseOrder:
    """Raises `Refused`."""
    state = ORDER_STATES.get(row.status)
    if state is None:
        raise Refused("status", f"{row.status!r} is a status we do not know")
    if row.status in ACCEPTED_IN and row.acknowledged_flag:
        state = "accepted"
    sent = f", {row.transmission_status}" if row.transmission_status else ""
    try:
        return PurchaseOrder(
            number=row.po_number,
            supplier=row.supplier.number or f"id:{row.supplier.id}",
            project=_one("project", {_project(line.account, settings) for line in row.order_lines}),
            entity=_one("account", {_entity(line.account, settings) for line in row.order_lines}),
            currency=row.currency.code,
            state=state,
            lines=tuple(_line(line, row.currency.code, settings) for line in row.order_lines),
            external_id=str(row.id),
            requisition=str(row.requisition_header.id) if row.requisition_header else "",
            note=f"{row.status}{sent}",
            version=row.updated_at,
        )
    except ValidationError as error:
        raise _refusal(error) from None


def _line(line: Line, currency: str, settings: CoupaSettings) -> PurchaseLine:
    """A line of hours; a line of one amount counts as one unit at that amount."""
    amount = _money(line, currency)
    return PurchaseLine(
        ref=str(line.custom_fields.get(settings.line_field) or line.line_num),
        description=line.description or "",
        quantity=Decimal(1) if line.quantity is None else line.quantity,
        rate=amount.amount if line.quantity is None else line.rate,
        amount=amount,
    )


def _money(line: Line, currency: str) -> Money:
    try:
        return Money.of(line.total, currency)
    except MoneyError as error:
        raise Refused("total", f"line {line.line_num}: {error}") from None


def _project(account: Account | None, settings: CoupaSettings) -> str:
    return account.segment(settings.project_segment) if account else ""


def _entity(account: Account | None, settings: CoupaSettings) -> str:
    """The entity of a chart of accounts; the chart's own name where the firm's file does not know it."""
    if account is None:
        return ""
    chart = account.account_type.name
    return next((entity for entity, name in settings.charts.items() if name == chart), chart)


def _number(line: RequisitionLine) -> str:
    if line.supplier is None:
        return ""
    return line.supplier.number or f"id:{line.supplier.id}"


def _day(line: RequisitionLine) -> str:
    return line.need_by_date.date().isoformat() if line.need_by_date else ""


def _joined(values: set[str]) -> str:
    return ", ".join(sorted(values))


def _one(field: str, values: set[str]) -> str:
    if len(values) != 1:
        raise Refused(field, f"the lines name {len(values)} different ones: {_joined(values)}")
    return values.pop()


def _refusal(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    return Refused(".".join(str(part) for part in first["loc"]) or "lines", first["msg"])
