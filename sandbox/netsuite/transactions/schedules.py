"""Billing schedules consumed: which lines are due, that each is billed once, and the account's own run.

A schedule hangs on a sales order or on a project. A line is billed by at most one live invoice; which one is
kept on the line. Lines count from their own date; lines that repeat, or lie relative to the one before, are
beyond this sandbox and never due.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.errors import user_error

KEYS = {"milestone": "milestoneId", "recurrence": "recurrenceId"}
DATES = {"milestone": "milestoneDate", "recurrence": "recurrenceDate"}
AMOUNTS = {"milestone": "milestoneAmount", "recurrence": "amount"}
BILLED = "billed"
"""Key of a stored line that holds the invoice that bills it; the API does not show it."""
DEFAULT_ITEM = "item-billing"


def due(schedule: Record, until: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Unbilled lines due by a day, with the name of their sublist."""
    for name in KEYS:
        for line in schedule.get(name) or []:
            on, alone = line.get(DATES[name]), (line.get("count") or 1) == 1
            if on is not None and on <= until and alone and not line.get(BILLED):
                yield name, line


def lines_of_invoice(schedule: Record, until: str, item: str, tax: str | None) -> dict[str, Any]:
    """Invoice lines for what is due, and the marks to be set when the invoice stands. Raises Refused."""
    found = list(due(schedule, until))
    if schedule.get("isInactive") or not found:
        raise user_error("There is nothing to bill on the billing schedule.")
    lines = [
        {"line": number, "item": item, "amount": line[AMOUNTS[name]]}
        | ({"taxCode": tax} if tax else {})
        | ({"description": line["comments"]} if line.get("comments") else {})
        for number, (name, line) in enumerate(found, 1)
    ]
    marks = [[name, line[KEYS[name]]] for name, line in found]
    return {"item": lines, "billingSchedule": schedule.id, "scheduleLines": marks}


def mark_billed(invoice: Record, store: RecordStore) -> None:
    """The lines that a new invoice bills are used up, and the order behind it when none is left."""
    schedule = store.get("billingSchedule", str(invoice.get("billingSchedule")))
    if schedule is not None:
        _mark(invoice, schedule, invoice.id, store)
    order = store.get("salesOrder", str(invoice.get("createdFrom")))
    if order is not None:
        store.update("salesOrder", order.id, {"orderStatus": _order_status(order, store)}, derived=True)


def release(invoice: Record, store: RecordStore) -> None:
    """The lines of a deleted draft may be billed again."""
    schedule = store.get("billingSchedule", str(invoice.get("billingSchedule")))
    if schedule is not None:
        _mark(invoice, schedule, None, store)
    order = store.get("salesOrder", str(invoice.get("createdFrom")))
    if order is not None:
        store.update("salesOrder", order.id, {"orderStatus": "F"}, derived=True)


def _mark(invoice: Record, schedule: Record, billed: str | None, store: RecordStore) -> None:
    marks = {(name, key) for name, key in invoice.get("scheduleLines") or []}
    changes: dict[str, Any] = {}
    for name, key in KEYS.items():
        lines = [
            {**line, BILLED: billed, **_completion(name, billed)} if (name, line[key]) in marks else line
            for line in schedule.get(name) or []
        ]
        if lines:
            changes[name] = lines
    store.update("billingSchedule", schedule.id, changes, derived=True)


def _completion(name: str, billed: str | None) -> dict[str, bool]:
    return {"milestoneCompleted": billed is not None} if name == "milestone" else {}


def _order_status(order: Record, store: RecordStore) -> str:
    schedule = store.get("billingSchedule", str(order.get("billingSchedule")))
    if schedule is None:
        return "G"
    lines = [line for name in KEYS for line in schedule.get(name) or []]
    return "G" if all(line.get(BILLED) for line in lines) else "F"
