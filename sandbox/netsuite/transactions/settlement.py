"""What a credit memo or a payment settles of invoices, in transaction and in base currency.

An invoice is settled at its own rate. Never more than what is left of it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.errors import user_error
from sandbox.netsuite.transactions import books
from sandbox.netsuite.transactions.sales import Data, exact

ZERO = Decimal(0)


def apply(data: Data, available: Decimal, customer: str, store: RecordStore) -> None:
    """Complete the apply lines of a new credit memo or payment. Raises Refused."""
    lines, left, seen = [], available, set()
    for number, line in enumerate(data.get("apply") or []):
        if line.get("apply") is False:
            continue
        invoice = _invoice(line, data, customer, store)
        if invoice.id in seen:
            raise user_error("An invoice may be applied to only once.")
        seen.add(invoice.id)
        due = Decimal(invoice["amountRemaining"])
        amount = min(due, left) if line.get("amount") is None else line["amount"]
        amount = exact(store, amount, data["currency"], f"apply.items[{number}].amount")
        if amount > due:
            raise user_error(
                f"You cannot apply {amount} to invoice {invoice['tranId']}: {due} remain of it to be paid."
            )
        if not ZERO < amount <= left:
            raise user_error("You cannot apply more than the amount of the transaction, nor nothing.")
        left -= amount
        shown = {"refNum": invoice["tranId"], "type": "Invoice", "due": due, "total": invoice["total"]}
        base = _base_settled(invoice, amount, data["subsidiary"], store)
        lines.append({**line, **shown, "apply": True, "amount": amount, "base": base})
    data["apply"] = lines
    data["applied"], data["unapplied"] = available - left, left


def check_credit(data: Mapping[str, Any], store: RecordStore) -> None:
    """Credits of an invoice never exceed it. Raises Refused."""
    if data.get("createdFrom") is None:
        return
    invoice = books.held(store, "invoice", data["createdFrom"])
    credited = sum(
        (Decimal(row["total"]) for row in store.rows("creditMemo") if row.get("createdFrom") == invoice.id),
        ZERO,
    )
    left = Decimal(invoice["total"]) - credited
    if Decimal(data["total"]) > left:
        raise user_error(
            f"The credit of {data['total']} exceeds {invoice['tranId']}: {left} remain to be credited."
        )


def settle(record: Record, store: RecordStore) -> None:
    """Reduce the invoices that a new credit memo or payment was applied to."""
    for line in record.get("apply") or []:
        invoice = books.held(store, "invoice", line["doc"])
        left = Decimal(invoice["amountRemaining"]) - line["amount"]
        changes = {
            "amountRemaining": left,
            "amountPaid": Decimal(invoice["amountPaid"]) + line["amount"],
            "baseRemaining": Decimal(invoice["baseRemaining"]) - line["base"],
            "status": "A" if left else "B",
        }
        store.update("invoice", invoice.id, changes, derived=True)


def _invoice(line: Mapping[str, Any], data: Data, customer: str, store: RecordStore) -> Record:
    invoice = store.get("invoice", str(line.get("doc")))
    if invoice is None or not invoice.get("posted"):
        raise user_error("Only an approved invoice can be applied to.")
    if invoice["entity"] != customer or invoice["currency"] != data["currency"]:
        raise user_error("The invoice is of another customer or in another currency.")
    return invoice


def _base_settled(invoice: Record, amount: Decimal, subsidiary: str, store: RecordStore) -> Decimal:
    if amount == Decimal(invoice["amountRemaining"]):
        return Decimal(invoice["baseRemaining"])
    base = books.base_currency(store, subsidiary)
    return books.rounded(store, amount * Decimal(invoice["exchangeRate"]), base)
