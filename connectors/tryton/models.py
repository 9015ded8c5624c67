"""Tryton's records as we read them (series 8.0). A field without default is needed.

Fields of a linked record come under the link's name with a dot behind it; `FIELDS` of each model is what
is asked for.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from connectors.http.shapes import VendorShape


class Coded(VendorShape):
    id: int
    code: str | None = None


class Named(VendorShape):
    id: int
    name: str


class CompanyParty(VendorShape):
    """The party that a company is."""

    id: int
    code: str
    name: str = ""


class CompanyLink(VendorShape):
    id: int
    party: CompanyParty = Field(alias="party.")


class Identifier(VendorShape):
    id: int
    code: str
    type: str | None = None


class Country(VendorShape):
    id: int
    code: str


class Address(VendorShape):
    id: int
    country: Country | None = Field(default=None, alias="country.")


class OwnParty(CompanyParty):
    name: str
    addresses: list[Address] = Field(default=[], alias="addresses.")
    identifiers: list[Identifier] = Field(default=[], alias="identifiers.")


class Company(VendorShape):
    FIELDS: ClassVar = (
        *("party.code", "party.name", "currency.code", "write_date", "party.addresses.country.code"),
        *("party.identifiers.code", "party.identifiers.type"),
    )
    id: int
    party: OwnParty = Field(alias="party.")
    currency: Coded = Field(alias="currency.")
    written: datetime | None = Field(default=None, alias="write_date")


class Party(VendorShape):
    FIELDS: ClassVar = (
        *("name", "code", "active", "receivable", "write_date", "customer_payment_term.name"),
        *("identifiers.code", "identifiers.type", "addresses.country.code"),
    )
    id: int
    name: str
    code: str | None = None
    active: bool = True
    receivable: Decimal | None = None
    written: datetime | None = Field(default=None, alias="write_date")
    term: Named | None = Field(default=None, alias="customer_payment_term.")
    identifiers: list[Identifier] = Field(default=[], alias="identifiers.")
    addresses: list[Address] = Field(default=[], alias="addresses.")


class Work(VendorShape):
    """A project or a task."""

    FIELDS: ClassVar = (
        *("number", "name", "type", "party", "comment", "timesheet_available", "list_price", "parent"),
        *("status.name", "company.party.code", "company.currency.code", "_timestamp"),
    )

    class Company(CompanyLink):
        currency: Coded = Field(alias="currency.")

    id: int
    name: str
    number: str | None = None
    party: int | None = None
    comment: str | None = None
    timesheet_available: bool
    list_price: Decimal | None = None
    parent: int | None = None
    status: Named = Field(alias="status.")
    company: Company = Field(alias="company.")
    timestamp: str = Field(default="", alias="_timestamp")


InvoiceState = Literal["draft", "validated", "posted", "paid", "cancelled"]


class InvoiceLine(VendorShape):
    id: int
    type: str = "line"
    amount: Decimal
    description: str | None = None
    note: str | None = None


class MoveLink(VendorShape):
    class Period(VendorShape):
        id: int
        starts_on: date = Field(alias="start_date")

    id: int
    state: str = ""
    origin: str | None = None
    period: Period | None = Field(default=None, alias="period.")


class LineToPay(VendorShape):
    id: int
    due_on: date | None = Field(default=None, alias="maturity_date")
    invoice_payment: int | None = None


class Invoice(VendorShape):
    """An invoice to a customer, or a credit note: its amounts are negative."""

    FIELDS: ClassVar = (
        *("state", "number", "reference", "description", "comment", "party", "invoice_date", "create_date"),
        *("untaxed_amount", "tax_amount", "total_amount", "amount_to_pay", "write_date", "account"),
        *("currency.code", "company.party.code", "origin_invoices", "payment_lines", "invoice_address"),
        *("lines.amount", "lines.type", "lines.description", "lines.note", "move.state"),
        *("move.period.start_date", "cancel_move.origin", "lines_to_pay.maturity_date"),
        "lines_to_pay.invoice_payment",
    )
    id: int
    state: InvoiceState
    number: str | None = None
    reference: str | None = None
    description: str | None = None
    comment: str | None = None
    party: int
    address: int | None = Field(default=None, alias="invoice_address")
    dated: date | None = Field(default=None, alias="invoice_date")
    made: datetime = Field(alias="create_date")
    written: datetime | None = Field(default=None, alias="write_date")
    net: Decimal = Field(alias="untaxed_amount")
    tax: Decimal = Field(alias="tax_amount")
    gross: Decimal = Field(alias="total_amount")
    open_amount: Decimal = Field(alias="amount_to_pay")
    account: int
    currency: Coded = Field(alias="currency.")
    company: CompanyLink = Field(alias="company.")
    credited: list[int] = Field(default=[], alias="origin_invoices")
    """The invoices that this one credits."""
    payment_lines: list[int] = []
    lines: list[InvoiceLine] = Field(default=[], alias="lines.")
    move: MoveLink | None = Field(default=None, alias="move.")
    cancel_move: MoveLink | None = Field(default=None, alias="cancel_move.")
    to_pay: list[LineToPay] = Field(default=[], alias="lines_to_pay.")

    @property
    def posted(self) -> bool:
        """In the ledger, whatever became of it there."""
        return self.state in ("posted", "paid") or (self.state == "cancelled" and self.credit_note > 0)

    @property
    def credit_note(self) -> int:
        """Id of the credit note that cancelled the whole invoice; 0 when there is none."""
        origin = (self.cancel_move.origin if self.cancel_move else None) or ""
        model, _, number = origin.partition(",")
        return int(number) if model == "account.invoice" and number.isdecimal() else 0


class MoveLine(VendorShape):
    id: int
    account: int
    debit: Decimal
    credit: Decimal
    second_currency: int | None = None
    second_amount: Decimal | None = Field(default=None, alias="amount_second_currency")


class Move(VendorShape):
    FIELDS: ClassVar = (
        *("number", "state", "description", "origin", "date", "lines.account", "lines.debit"),
        *("lines.credit", "lines.second_currency", "lines.amount_second_currency"),
    )
    id: int
    number: str | None = None
    state: Literal["draft", "posted"]
    description: str | None = None
    origin: str | None = None
    dated: date = Field(alias="date")
    lines: list[MoveLine] = Field(default=[], alias="lines.")


class PeriodRow(VendorShape):
    id: int
    starts_on: date = Field(alias="start_date")


class FiscalYear(VendorShape):
    id: int
    starts_on: date = Field(alias="start_date")


class LedgerRow(VendorShape):
    class Account(VendorShape):
        id: int
        code: str | None = None
        name: str

    id: int
    account: Account = Field(alias="account.")
    balance: Decimal = Field(alias="end_balance")


class Note(VendorShape):
    id: int
    message: str | None = None
