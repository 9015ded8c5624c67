"""Canonical commands of billing: the invoice from draft to credit note, the money that comes for it, the
journal beside it, and what PSA and CRM are told of it. One command is one effect, as in `domain.commands`."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from domain.base import Value
from domain.commands import Command
from domain.money import Exact, Money, total

LineKind = Literal[
    "time",
    "expense",
    "milestone",
    "subscription",
    "percent",
    "retention",
    "retention_release",
    "advance",
    "advance_applied",
    "adjustment",
]
"""What an invoice line bills. `retention` and `advance_applied` are negative lines of an invoice."""

CreditReason = Literal["billing_error", "concession"]
"""A billing error leaves revenue alone; a concession reduces the price. What cannot be collected is
written off by an allowance, never by a credit note."""


class DraftLine(Value):
    """One line of an invoice as it is written into the ERP."""

    ref: str
    """Stable within the invoice, such as `1`."""
    kind: LineKind
    description: str
    quantity: Exact | None = None
    unit: str = ""
    unit_price: Exact | None = None
    net: Money
    tax_code: str = ""
    """Code of the expected tax; the connector's settings map it to the ERP's own."""
    contract_line: int
    task_ref: str = ""


class DraftInvoice(Command):
    """Write an invoice into the ERP as a draft: no number that counts, nothing in the ledger."""

    noun: ClassVar[str] = "invoice draft"
    compared: ClassVar[tuple[str, ...]] = ("net", "line_count")

    invoice: str
    """Canonical id of the invoice."""
    entity: str
    customer_external_id: str
    project_external_id: str
    project_key: str = ""
    """Effect key of the ERP project."""
    currency: str
    dated: date
    payment_terms: str = ""
    """Such as `Net 30`."""
    customer_po: str = ""
    service_from: date
    service_to: date
    lines: tuple[DraftLine, ...] = Field(min_length=1)
    note: str = ""
    """Words that must stand on the document, such as those of the reverse charge."""

    @property
    def net(self) -> Money:
        return total([line.net for line in self.lines], self.currency)

    @property
    def line_count(self) -> int:
        return len(self.lines)


class PostInvoice(Command):
    """Post a draft into the ledger: from here on it is only ever credited."""

    noun: ClassVar[str] = "invoice posting"
    compared: ClassVar[tuple[str, ...]] = ("posted",)

    invoice_external_id: str
    entity: str
    approval: str = ""
    """Id of the stored approval; empty below the limit that needs one."""
    approved_by: str = ""
    posted: bool = True


class DiscardInvoice(Command):
    """Undo of `DraftInvoice`: deleted where no legal number was given, else rejected with the reason."""

    noun: ClassVar[str] = "invoice draft removal"
    compared: ClassVar[tuple[str, ...]] = ("discarded",)

    invoice_external_id: str
    reason: str = ""
    discarded: bool = True


class CreditInvoice(Command):
    """A credit note to a posted invoice, with its rate and tax, posted in an open period."""

    noun: ClassVar[str] = "credit note"
    compared: ClassVar[tuple[str, ...]] = ("net",)

    credit: str
    """Canonical id of the credit note."""
    invoice_external_id: str
    entity: str
    customer_external_id: str
    project_external_id: str
    currency: str
    dated: date
    reason: CreditReason
    reason_text: str = ""
    full: bool = True
    """The whole invoice; a partial credit lists what it credits in `lines`."""
    lines: tuple[DraftLine, ...] = Field(min_length=1)
    """What is credited, as on the invoice: amounts with the invoice's sign."""

    @property
    def net(self) -> Money:
        return total([line.net for line in self.lines], self.currency)


class ReceivePayment(Command):
    """A customer's payment of one invoice, in the ERP."""

    noun: ClassVar[str] = "payment"
    compared: ClassVar[tuple[str, ...]] = ("amount",)

    invoice_external_id: str
    entity: str
    customer_external_id: str
    amount: Money
    received_on: date
    reference: str = ""


class JournalPosting(Value):
    """One side of a journal, on an account role of the firm's file."""

    account: str
    debit: Money | None = None
    credit: Money | None = None
    project_external_id: str = ""
    memo: str = ""


class PostJournal(Command):
    """A general-ledger journal. Never to receivables, payables, bank or payroll control accounts."""

    noun: ClassVar[str] = "journal"
    compared: ClassVar[tuple[str, ...]] = ("total",)

    journal: str
    """Canonical id of the journal."""
    entity: str
    currency: str
    posted_on: date
    text: str
    lines: tuple[JournalPosting, ...] = Field(min_length=2)
    reverse_on: date | None = None
    """Day on which the ERP reverses it, for accruals."""

    @property
    def total(self) -> Money:
        """Sum of the debits."""
        return total([line.debit for line in self.lines if line.debit is not None], self.currency)


class RecordBilling(Command):
    """Tell the PSA that entries are billed, in the form it has (an invoice of its own that covers them)."""

    noun: ClassVar[str] = "billing record"
    compared: ClassVar[tuple[str, ...]] = ("entry_count",)

    invoice: str
    """Canonical id of the invoice."""
    project_external_id: str
    currency: str
    number: str
    """Number of the legal document in the ERP."""
    erp_external_id: str
    dated: date
    payment_days: int = 30
    net: Money
    time_entry_ids: tuple[str, ...] = ()
    expense_ids: tuple[str, ...] = ()
    other: Money | None = None
    """The part of `net` that no entry carries: milestones, periods, retention, advances, rounding."""
    other_text: str = ""

    @property
    def entry_count(self) -> int:
        return len(self.time_entry_ids) + len(self.expense_ids)


class CancelBillingRecord(Command):
    """Undo of `RecordBilling`: its entries are unbilled again."""

    noun: ClassVar[str] = "billing record cancellation"
    compared: ClassVar[tuple[str, ...]] = ("cancelled",)

    record_external_id: str
    cancelled: bool = True


class MarkBilling(Command):
    """Tell the CRM what has been billed of its deal."""

    noun: ClassVar[str] = "deal billing status"
    compared: ClassVar[tuple[str, ...]] = ("last_invoice", "invoiced")

    deal_external_id: str
    last_invoice: str
    """Number of the newest invoice or credit note."""
    invoiced: Money
    """Net of all live invoices of the deal."""
    invoiced_on: date
