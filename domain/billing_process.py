"""What crosses Temporal for the processes "invoice" and "credit": inputs, results, and views of their state.

Rows never travel: an invoice's lines, entries and prices are in the store under its id, which is its
workflow id; what crosses are ids, totals and findings.
"""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from domain.activation_process import StepView, SystemRecord
from domain.attention import AttentionItem
from domain.base import Canonical
from domain.identity import content_hash, process_key
from domain.money import Money

INVOICE = "invoice"
CREDIT = "credit"
"""Names of the processes in workflow ids."""


def invoice_id(firm: str, event: str) -> str:
    """Id of the invoice of a billing event, equal to its workflow id: `invoice/<firm>/<event>`.

    `event` is the key of the (first) billing event; its slashes become colons.
    """
    return process_key(INVOICE, firm, event.replace("/", ":"))


def credit_id(firm: str, request: "CreditInput") -> str:
    """Id of a credit note, equal to its workflow id: `credit/<firm>/<invoice>:<short hash of the request>`.

    The same request again is the same credit note; another reason text makes another one.
    """
    _, _, invoice = request.invoice.split("/", 2)
    asked = request.model_dump_json(exclude={"requested_by", "correlation", "firm", "schema_version"})
    return process_key(CREDIT, firm, f"{invoice[:90]}:{content_hash(asked)[:12]}")


class InvoiceInput(Canonical):
    firm: str
    project: str
    events: tuple[str, ...]
    """Keys of the billing events it bills; all of one project."""
    service_from: date
    service_to: date
    """Approved work up to this day is collected when an event bills time."""
    requested_by: str = ""
    correlation: str = ""
    rebills: str = ""
    """Id of the credited invoice whose released entries are billed again."""


InvoiceState = Literal["posted", "discarded", "empty"]


class InvoiceResult(Canonical):
    state: InvoiceState
    invoice: str
    number: str = ""
    net: Money | None = None
    gross: Money | None = None
    records: tuple[SystemRecord, ...] = ()
    reason: str = ""
    joined: bool = False


InvoiceStageName = Literal[
    "collecting",
    "pre-bill review",
    "pricing",
    "awaiting approval",
    "drafting",
    "posting",
    "telling",
    "posted",
    "discarding",
    "discarded",
    "nothing to bill",
]


class InvoiceView(Canonical):
    """Answer of the query `status`."""

    invoice: str
    project: str
    customer: str = ""
    entity: str = ""
    stage: InvoiceStageName = "collecting"
    entries: int = 0
    net: Money | None = None
    tax: Money | None = None
    gross: Money | None = None
    number: str = ""
    approval: str = ""
    """Who approved it; empty while nobody has, or nobody has to."""
    prebill_due: AwareDatetime | None = None
    steps: tuple[StepView, ...] = ()
    attention: tuple[AttentionItem, ...] = ()
    records: tuple[SystemRecord, ...] = ()
    started_at: AwareDatetime | None = None
    finished: bool = False


class CreditInput(Canonical):
    """Ask for a credit note to a posted invoice: whole, of named entries, or a price reduction."""

    firm: str
    invoice: str
    reason: str
    """A `CreditReason`; any other is refused, saying what to do instead."""
    reason_text: str
    requested_by: str
    entries: tuple[str, ...] = ()
    """Entries and events to credit and release by name; empty with no `amount` means the whole invoice."""
    amount: Money | None = None
    """A price reduction, net: releases nothing."""
    rebill: bool = False
    """Bill what is released again, on a new invoice."""
    correlation: str = ""


CreditStageName = Literal[
    "checking",
    "awaiting approval",
    "posting",
    "telling",
    "posted",
    "discarding",
    "cancelled",
    "refused",
]


class CreditView(Canonical):
    """Answer of the query `status` of a credit note."""

    credit: str
    invoice: str
    project: str = ""
    stage: CreditStageName = "checking"
    net: Money | None = None
    tax: Money | None = None
    gross: Money | None = None
    number: str = ""
    approval: str = ""
    steps: tuple[StepView, ...] = ()
    attention: tuple[AttentionItem, ...] = ()
    records: tuple[SystemRecord, ...] = ()
    started_at: AwareDatetime | None = None
    finished: bool = False


class CreditResult(Canonical):
    state: Literal["posted", "refused", "cancelled"]
    credit: str
    invoice: str
    number: str = ""
    net: Money | None = None
    released: int = 0
    rebilled_as: str = ""
    """Id of the new invoice."""
    reason: str = ""
    records: tuple[SystemRecord, ...] = ()
    joined: bool = False
