"""What answers show of time, expenses, submissions and invoices beyond what is stored."""

from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.kantata.money import base_unit

SHAPED = frozenset(
    (
        *("time_entries", "expenses", "timesheet_submissions", "expense_report_submissions"),
        *("invoices", "additional_items", "fixed_fee_items", "external_payments"),
    )
)


def computed(store: RecordStore, record: Record) -> dict[str, Any]:
    """Units, and what follows from other records."""
    currency = record.get("currency")
    shown: dict[str, Any] = {"currency_base_unit": base_unit(currency) if currency else None}
    if record.object == "expenses":
        shown["is_billable"] = record["billable"]
    elif record.object == "invoices":
        shown |= _invoice(store, record)
    return shown


def _invoice(store: RecordStore, record: Record) -> dict[str, Any]:
    # Imported late: what an invoice comes to needs the resources, whose shapes these are.
    from sandbox.kantata.invoicing import total

    open_amount = total(store, record) if record["status"] == "new" else 0
    label = "Draft Invoice" if record["draft"] else "Invoice"
    return {"title": f"{label} #{record['user_invoice_number']}", "balance_in_cents": open_amount}
