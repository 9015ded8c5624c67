"""`!transform`: what a new transaction takes over from the one it is made of.

Source: SuiteTalk REST, transforming records: the body overrides what is taken over; lines in the body are
added to those taken over unless `replace` names the sublist. A transform is not idempotent: the same call
twice makes two records, unless the body carries an external id, which is unique.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.core.call import Refused
from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.errors import error, user_error
from sandbox.netsuite.transactions import books, schedules

Values = dict[str, Any]
Take = Callable[[Record, Mapping[str, Any], RecordStore], Values]


def taken_over(source: Record, target: str, raw: Mapping[str, Any], store: RecordStore) -> Values:
    """Values of a new `target` made of `source`; `raw` is the body. Raises Refused."""
    take = _TAKERS.get((source.object, target))
    if take is None:
        text = f"The transform from '{source.object}' to '{target}' is not supported."
        raise Refused(error(400, "INVALID_REQUEST", text))
    return take(source, raw, store)


def _credit(invoice: Record, raw: Mapping[str, Any], store: RecordStore) -> Values:
    _posted(invoice)
    values = _copied(invoice, "entity job subsidiary currency exchangeRate otherRefNum account item")
    applied = [{"line": 1, "doc": invoice.id, "apply": True}] if invoice["amountRemaining"] else []
    return values | {"createdFrom": invoice.id, "apply": applied}


def _payment(invoice: Record, raw: Mapping[str, Any], store: RecordStore) -> Values:
    _posted(invoice)
    if not invoice["amountRemaining"]:
        raise user_error(f"Invoice {invoice['tranId']} is paid in full.")
    amount = raw.get("payment", invoice["amountRemaining"])
    values = _copied(invoice, "subsidiary currency") | {"customer": invoice["entity"]}
    values |= {"payment": invoice["amountRemaining"], "arAcct": invoice.get("account")}
    # The whole payment is meant for this invoice: more than what is left of it is refused.
    line = {"line": 1, "doc": invoice.id, "apply": True}
    whole = isinstance(amount, int | Decimal) and not isinstance(amount, bool)
    return values | {"apply": [line | ({"amount": amount} if whole else {})]}


def _invoice(order: Record, raw: Mapping[str, Any], store: RecordStore) -> Values:
    if order["orderStatus"] != "F":
        raise user_error("The sales order is not pending billing.")
    values = _copied(order, "entity job subsidiary currency otherRefNum memo item")
    values["createdFrom"] = order.id
    if order.get("billingSchedule"):
        schedule = books.held(store, "billingSchedule", order["billingSchedule"])
        first = order["item"][0]
        until = str(raw.get("tranDate") or "9999-12-31")
        values |= schedules.lines_of_invoice(schedule, until, first["item"], first.get("taxCode"))
    return values


def _posted(invoice: Record) -> None:
    if not invoice.get("posted"):
        raise user_error("The invoice has not been approved.")


def _copied(source: Record, names: str) -> Values:
    return {name: source[name] for name in names.split() if source.get(name) is not None}


_TAKERS: dict[tuple[str, str], Take] = {
    ("invoice", "creditMemo"): _credit,
    ("invoice", "customerPayment"): _payment,
    ("salesOrder", "invoice"): _invoice,
}
