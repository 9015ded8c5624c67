"""NetSuite's transactions as we read them (REST record browser 2026.1). A field without default is needed."""

from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import Field

from connectors.http.shapes import VendorShape
from connectors.netsuite.models import Reference


class ItemLine(VendorShape):
    """One line; our own reference stands in a custom column, kept in `model_extra`."""

    model_config = {"extra": "allow"}

    amount: Decimal
    description: str = ""

    def custom(self, field: str) -> str:
        return str((self.model_extra or {}).get(field) or "")


class ItemLines(VendorShape):
    items: list[ItemLine] = []


class Sale(VendorShape):
    """What invoice and credit memo have in common. `item` comes inline with `expandSubResources`."""

    model_config = {"extra": "allow"}

    id: str
    external_id: str = Field(default="", alias="externalId")
    tran_id: str = Field(default="", alias="tranId")
    status: Reference
    entity: Reference
    job: Reference | None = None
    subsidiary: Reference
    currency: Reference
    dated: date = Field(alias="tranDate")
    period: Reference | None = Field(default=None, alias="postingPeriod")
    net: Decimal = Field(alias="subtotal")
    tax: Decimal = Field(default=Decimal(0), alias="taxTotal")
    gross: Decimal = Field(alias="total")
    created_from: Reference | None = Field(default=None, alias="createdFrom")
    item: ItemLines = ItemLines()

    def custom(self, field: str) -> str:
        """Text of a custom field of the body."""
        value: Any = (self.model_extra or {}).get(field)
        return str(value or "")


class Invoice(Sale):
    due_on: date | None = Field(default=None, alias="dueDate")
    remaining: Decimal = Field(default=Decimal(0), alias="amountRemaining")
    schedule: Reference | None = Field(default=None, alias="billingSchedule")

    @property
    def posted(self) -> bool:
        return self.status.id in ("A", "B")


class CreditMemo(Sale):
    unapplied: Decimal = Decimal(0)


class CustomerPayment(VendorShape):
    id: str
    tran_id: str = Field(default="", alias="tranId")
    currency: Reference
    payment: Decimal


class JournalLine(VendorShape):
    debit: Decimal | None = None


class JournalLines(VendorShape):
    items: list[JournalLine] = []


class JournalEntry(VendorShape):
    id: str
    tran_id: str = Field(default="", alias="tranId")
    currency: Reference
    line: JournalLines

    @property
    def total(self) -> Decimal:
        """Sum of the debits."""
        return sum((each.debit for each in self.line.items if each.debit is not None), Decimal(0))


class TransactionRow(VendorShape):
    """A transaction as our SuiteQL query shows it."""

    id: str
    type: str


class BalanceRow(VendorShape):
    """One account of the ledger as our SuiteQL query adds it up: nulls are left out."""

    id: str
    number: str = ""
    name: str = ""
    debit: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)
