"""Invoices of the account: what they bill, what they come to, and what they do to the entries on them.

An entry is on one live invoice; membership sets `is_invoiced`, cancelling or deleting takes it back. Amounts
are the account's own: minutes x rate, each entry rounded half up to the base unit of the currency.
"""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.core import clock
from sandbox.core.records import Record, RecordStore
from sandbox.kantata import feed, invoice_items, references
from sandbox.kantata.errors import ErrorLine, invalid, line
from sandbox.kantata.resources import RESOURCES
from sandbox.kantata.validation import Row

MEMBERS = {
    "time_entries": "time_entry_ids",
    "expenses": "expense_ids",
    "billing_milestones": "billing_milestone_ids",
}
"""What an invoice takes up -> the field that lists it."""


def create(store: RecordStore, row: Row, by: str) -> Record:
    """Create an invoice. Raises Refused with 422."""
    values = {name: value for name, value in row.values.items() if name != "suppress_emails"}
    workspace_ids = values.pop("workspace_ids", None) or [
        id for id in [values.pop("workspace_id", None)] if id is not None
    ]
    values.pop("workspace_id", None)
    members = {field: list(values.get(field) or []) for field in MEMBERS.values()}
    items = invoice_items.checked(values)
    errors = _errors(store, workspace_ids, members, items) or _member_errors(store, workspace_ids, members)
    if errors:
        raise invalid(errors)
    currency = _currency(store, workspace_ids)
    dated = values.get("invoice_date") or clock.utc(clock.now()).date().isoformat()
    data = {
        "draft": False,
        "message": None,
        **{name: value for name, value in values.items() if name not in invoice_items.KEYS},
        **members,
        **invoice_items.create(store, items, currency),
        "workspace_ids": workspace_ids,
        "currency": currency,
        "status": "new",
        "invoice_date": dated,
        "due_date": (date.fromisoformat(dated) + timedelta(values["payment_schedule"])).isoformat(),
        "user_id": by,
    }
    data["user_invoice_number"] = values.get("user_invoice_number") or store.next_number("invoice_number")
    key = references.effect_key(row.reference, updating=False) if row.reference else None
    natural = str(data.get("user_invoice_title") or data["user_invoice_number"])
    made = store.create("invoices", data, natural_key=natural, effect_key=key, sent=row.sent)
    if row.reference:
        references.attach(store, "Invoice", made.id, row.reference)
    _take_up(store, made.id, members)
    feed.publish(store, RESOURCES["invoices"], made.id, "created")
    return made


def update(store: RecordStore, invoice: Record, row: Row) -> Record:
    """Change an invoice; a list of ids replaces the whole list. Raises Refused with 422."""
    if invoice["status"] != "new":
        raise invalid([line("validation", f"the invoice is {invoice['status']}", "status")])
    if any(name in row.values for name in invoice_items.KEYS):
        raise invalid([line("validation", "items can only be given when the invoice is created", "base")])
    values = {name: value for name, value in row.values.items() if name != "suppress_emails"}
    before = {field: invoice[field] for field in MEMBERS.values()}
    after = {field: list(values.get(field) or []) if field in values else before[field] for field in before}
    added = {field: [id for id in after[field] if id not in before[field]] for field in before}
    removed = {field: [id for id in before[field] if id not in after[field]] for field in before}
    errors = _member_errors(store, invoice["workspace_ids"], added)
    if errors:
        raise invalid(errors)
    key = references.effect_key(row.reference, updating=True) if row.reference else None
    changed = store.update("invoices", invoice.id, {**values, **after}, effect_key=key)
    if row.reference:
        references.attach(store, "Invoice", invoice.id, row.reference)
    _release(store, removed)
    _take_up(store, invoice.id, added)
    feed.publish(store, RESOURCES["invoices"], invoice.id, "updated")
    return changed


def cancel(store: RecordStore, invoice: Record, effect_key: str | None = None) -> Record:
    """Cancel an active invoice: its entries are free again. Raises Refused with 422."""
    if invoice["draft"] or invoice["status"] != "new":
        state = "a draft" if invoice["draft"] else invoice["status"]
        raise invalid(
            [line("validation", f"only active invoices can be cancelled; this is {state}", "status")]
        )
    _release(store, {field: invoice[field] for field in MEMBERS.values()})
    natural = str(invoice.get("user_invoice_title") or invoice.id)
    cancelled = store.update(
        "invoices",
        invoice.id,
        {"status": "cancelled"},
        natural_key=natural,
        effect_key=effect_key,
        action="cancel",
    )
    feed.publish(store, RESOURCES["invoices"], invoice.id, "updated")
    return cancelled


def delete(store: RecordStore, invoice: Record) -> None:
    """What deleting a draft leaves free."""
    _release(store, {field: invoice[field] for field in MEMBERS.values()})


def pay(store: RecordStore, row: Row, by: str) -> Record:
    """Record a payment from outside: of an invoice in full, or of an amount. Raises Refused with 422."""
    values = row.values
    workspace = store.get("workspaces", values["workspace_id"])
    data = {**values, "user_id": by, "currency": workspace["currency"] if workspace else None}
    if values.get("invoice_id") is None:
        if not values.get("amount_in_cents"):
            raise invalid([line("validation", "amount_in_cents can't be blank", "amount_in_cents")])
        return store.create("external_payments", data, natural_key=str(values.get("message") or ""))
    invoice = store.get("invoices", values["invoice_id"])
    errors = _payment_errors(invoice, values["workspace_id"])
    if errors or invoice is None:
        raise invalid(errors)
    data["amount_in_cents"] = total(store, invoice)
    store.update("invoices", invoice.id, {"status": "accepted payment"}, derived=True)
    feed.publish(store, RESOURCES["invoices"], invoice.id, "updated")
    return store.create("external_payments", data, natural_key=f"invoice {invoice.id}")


def total(store: RecordStore, invoice: Record) -> int:
    """What the invoice comes to, in base units."""
    entries = (store.get("time_entries", id) for id in invoice["time_entry_ids"])
    sums = [time_amount(entry) for entry in entries if entry is not None]
    for collection, field in (
        *(("expenses", "expense_ids"), ("billing_milestones", "billing_milestone_ids")),
        *invoice_items.KEYS.items(),
    ):
        records = (store.get(collection, id) for id in invoice[field])
        sums += [record["amount_in_cents"] for record in records if record is not None]
    return sum(sums)


def time_amount(entry: Record) -> int:
    """The price of a time entry in base units, rounded half up."""
    price = Decimal(entry["time_in_minutes"]) * entry["rate_in_cents"] / 60
    return int(price.quantize(Decimal(1), ROUND_HALF_UP))


def _errors(
    store: RecordStore, workspace_ids: list[str], members: dict[str, list[str]], items: dict[str, Any]
) -> list[ErrorLine]:
    if not workspace_ids:
        return [line("validation", "workspace_id can't be blank", "workspace_id")]
    if not any(members.values()) and not any(items.values()):
        return [line("validation", "an invoice must have at least one line item", "base")]
    currencies = {row["currency"] for id in workspace_ids for row in [store.get("workspaces", id)] if row}
    if len(currencies) > 1:
        return [line("validation", "the projects have more than one currency", "workspace_ids")]
    return []


def _member_errors(
    store: RecordStore, workspace_ids: list[str], members: dict[str, list[str]]
) -> list[ErrorLine]:
    errors = []
    for collection, field in MEMBERS.items():
        for id in members[field]:
            record = store.get(collection, id)
            problem = None if record is None else _problem(record, workspace_ids)
            if problem:
                errors.append(
                    line("validation", f"{field}: {RESOURCES[collection].noun} {id} {problem}", field)
                )
        if len(set(members[field])) != len(members[field]):
            errors.append(line("validation", f"{field} names an item twice", field))
    return errors


def _problem(record: Record, workspace_ids: list[str]) -> str:
    """Why a line cannot be put on an invoice of these projects; empty when it can."""
    if record["workspace_id"] not in workspace_ids:
        return "belongs to another project"
    if record.get("invoice_id"):
        return f"is already on invoice {record['invoice_id']}"
    if record.object == "billing_milestones":
        return ""
    if not record["approved"]:
        return "is not approved"
    return "" if record["billable"] else "is not billable"


def _payment_errors(invoice: Record | None, workspace_id: str) -> list[ErrorLine]:
    if invoice is None or workspace_id not in invoice["workspace_ids"]:
        return [line("validation", "invoice_id is not an invoice of this project", "invoice_id")]
    if len(invoice["workspace_ids"]) > 1 or invoice["draft"] or invoice["status"] != "new":
        words = "only pending invoices of one project, which are no drafts, can be paid"
        return [line("validation", words, "invoice_id")]
    return []


def _currency(store: RecordStore, workspace_ids: list[str]) -> str:
    workspace = store.get("workspaces", workspace_ids[0])
    return str(workspace["currency"]) if workspace else "USD"


def _take_up(store: RecordStore, invoice_id: str, members: dict[str, list[str]]) -> None:
    _mark(store, members, {"invoice_id": invoice_id, "is_invoiced": True})


def _release(store: RecordStore, members: dict[str, list[str]]) -> None:
    _mark(store, members, {"invoice_id": None, "is_invoiced": False})


def _mark(store: RecordStore, members: dict[str, list[str]], changes: dict[str, Any]) -> None:
    for collection, field in MEMBERS.items():
        for id in members[field]:
            if store.get(collection, id) is not None:
                store.update(collection, id, changes, derived=True)
                feed.publish(store, RESOURCES[collection], id, "updated")
