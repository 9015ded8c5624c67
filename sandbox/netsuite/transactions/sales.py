"""Lines, tax and totals of what is sold: sales order, invoice, credit memo.

Tax is computed by the account, never taken from a body: amount of the line times the rate of its tax code (of
each tax that the code is made of), rounded per line. A line without a tax code is not taxable.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.core.records import RecordStore
from sandbox.netsuite.errors import invalid_value, user_error
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.transactions import books

Data = dict[str, Any]


def prepare(record_type: RecordType, data: Data, before: Mapping[str, Any], store: RecordStore) -> None:
    """Complete a sale with parties, rate, line amounts, taxes and totals. Raises Refused."""
    _complete_parties(data, store)
    complete_rate(data, before, store)
    _complete_lines(data, store)
    lines = data["item"]
    data["subtotal"] = sum((line["amount"] for line in lines), Decimal(0))
    data["taxTotal"] = sum((line["tax1Amt"] for line in lines), Decimal(0))
    data["total"] = data["subtotal"] + data["taxTotal"]
    if data["total"] < 0:
        raise user_error("The total of the transaction must not be negative.")
    if record_type.name == "invoice":
        _complete_due_date(data, before, store)


def complete_rate(data: Data, before: Mapping[str, Any], store: RecordStore) -> None:
    """Exchange rate of the day, read again when the day or currency of a draft changes."""
    if before.get("posted"):
        return
    moved = any(data.get(name) != before.get(name) for name in ("tranDate", "currency"))
    kept = before and data.get("exchangeRate") == before.get("exchangeRate")
    if data.get("exchangeRate") is None or (moved and kept):
        data["exchangeRate"] = books.rate(store, data["currency"], data["subsidiary"], data["tranDate"])
    if Decimal(data["exchangeRate"]) <= 0:
        raise invalid_value("exchangeRate")


def complete_home(data: Data, customer: str, store: RecordStore) -> None:
    """Subsidiary and currency are the customer's unless given. Raises Refused where they do not fit."""
    held = books.held(store, "customer", customer)
    if held.get("isInactive"):
        raise user_error("The customer is inactive.")
    data.setdefault("subsidiary", held["subsidiary"])
    if data["subsidiary"] != held["subsidiary"]:
        raise user_error("The subsidiary of the transaction must match the subsidiary of the customer.")
    data["currency"] = (
        data.get("currency") or held.get("currency") or books.base_currency(store, data["subsidiary"])
    )


def _complete_parties(data: Data, store: RecordStore) -> None:
    complete_home(data, data["entity"], store)
    if data.get("job"):
        job = books.held(store, "job", data["job"])
        if job["parent"] != data["entity"]:
            raise user_error("The project does not belong to the customer of the transaction.")
        if job["subsidiary"] != data["subsidiary"]:
            raise user_error("The project does not belong to the subsidiary of the transaction.")


def _complete_lines(data: Data, store: RecordStore) -> None:
    if not data.get("item"):
        raise user_error("You must enter at least one line item for this transaction.")
    data["item"] = [_line(number, line, data, store) for number, line in enumerate(data["item"])]


def _line(number: int, line: Mapping[str, Any], data: Data, store: RecordStore) -> Data:
    path = f"item.items[{number}]"
    if line.get("item") is None:
        raise user_error("Please enter value(s) for: Item.")
    amount = line.get("amount")
    if amount is None:
        if line.get("quantity") is None or line.get("rate") is None:
            raise user_error("Please enter value(s) for: Amount.")
        amount = books.rounded(store, Decimal(line["quantity"]) * Decimal(line["rate"]), data["currency"])
    amount = exact(store, amount, data["currency"], f"{path}.amount")
    rates = _tax_rates(line, data, path, store)
    percent = sum(rates, Decimal(0))
    taxes = (books.rounded(store, amount * rate / 100, data["currency"]) for rate in rates)
    tax = sum(taxes, Decimal(0))
    return {**line, "amount": amount, "taxRate1": percent, "tax1Amt": tax, "grossAmt": amount + tax}


def exact(store: RecordStore, amount: Any, currency: str, path: str) -> Decimal:
    """An amount as sent, padded to its currency's decimals. Raises Refused for more of them."""
    given = Decimal(amount)
    padded = books.rounded(store, given, currency)
    if padded != given:
        raise invalid_value(path)
    return padded


def _tax_rates(line: Mapping[str, Any], data: Data, path: str, store: RecordStore) -> list[Decimal]:
    """Rates of the taxes that the line's code is made of: each is rounded by itself."""
    if line.get("taxCode") is None:
        return []
    code = store.get("salesTaxItem", line["taxCode"])
    if code is None or code.get("isInactive"):
        raise invalid_value(f"{path}.taxCode")
    if code.get("subsidiary") not in (None, data["subsidiary"]):
        raise user_error(f"The tax code {code['itemId']} is not available to the subsidiary.")
    parts = [Decimal(part["rate"]) for part in code.get("taxItem") or []]
    return parts or [Decimal(code["rate"])]


def _complete_due_date(data: Data, before: Mapping[str, Any], store: RecordStore) -> None:
    customer = store.get("customer", data["entity"])
    data.setdefault("terms", customer.get("terms") if customer else None)
    moved = any(data.get(name) != before.get(name) for name in ("tranDate", "terms"))
    if data.get("dueDate") is None or (before and moved and data["dueDate"] == before.get("dueDate")):
        term = store.get("term", data["terms"]) if data.get("terms") else None
        days = int(term["daysUntilNetDue"]) if term else 0
        data["dueDate"] = (date.fromisoformat(data["tranDate"]) + timedelta(days=days)).isoformat()
