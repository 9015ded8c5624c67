"""An invoice on its way: what it covers, what it costs, who approved it, what the ERP made of it."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from domain.base import Canonical, Value
from domain.billing_commands import CreditReason, DraftLine
from domain.intake import PsaInvoice
from domain.money import Exact, Money

EventKind = Literal[
    "milestone",
    "time",
    "subscription",
    "percent",
    "advance",
    "retention_release",
    "psa",
    "above_cap",
]


class BillingEventRow(Canonical):
    """Something that may be billed, once. `key` is `<project>/<line>/<occasion>/<revision>`."""

    key: str
    project: str
    line: int
    kind: EventKind
    occasion: str
    """The milestone's reference, or the period such as `2027-01`."""
    revision: int = Field(default=1, ge=1)
    amount: Money | None = None
    """None for time: what it is worth is known when it is priced."""
    due_on: date
    service_from: date
    service_to: date
    evidence: str = ""
    """The acceptance document of a milestone, the source event."""
    void: bool = False
    invoice: str = ""
    """Id of the one live invoice that bills it."""


class LineShare(Value):
    """How much of an invoice line one entry or event carries: the shares sum to the line."""

    key: str
    net: Money


class PricedLine(Value):
    line: DraftLine
    shares: tuple[LineShare, ...] = ()
    before_markup: Money | None = None
    """Of an expense: what of the line counts against the expense cap."""


class TaxLine(Value):
    """Tax of one code: rate, base and amount."""

    code: str
    rate_percent: Exact
    base: Money
    tax: Money
    words: str = ""
    """What must stand on the invoice, such as the words of the reverse charge."""


class InvoiceFinding(Value):
    """What is wrong with, or notable about, a priced invoice. A blocking one stops it until cured."""

    rule: str
    field: str
    problem: str
    amount: Money | None = None
    blocking: bool = True
    owner: str = "finance_systems"
    keys: tuple[str, ...] = ()
    """Entries it is about."""


class PricedInvoice(Canonical):
    """What is to be written into the ERP, and why."""

    lines: tuple[PricedLine, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    currency: str
    net: Money
    tax: Money
    gross: Money
    retention: Money
    advance_applied: Money
    adjusted: Money
    """Write-downs and write-ups in it."""
    parked: tuple[str, ...] = ()
    """Entries above a cap, left out and flagged."""
    above: tuple[LineShare, ...] = ()
    """What a cap keeps out of entries that are billed in part: billed when the cap is raised."""
    findings: tuple[InvoiceFinding, ...] = ()
    content_hash: str
    """Approval binds to it: any change of a line voids the approval."""

    @property
    def blocked(self) -> bool:
        return any(finding.blocking for finding in self.findings)


InvoiceStage = Literal[
    "collected", "priced", "approved", "drafted", "posted", "paid", "credited", "discarded", "empty"
]


class InvoiceRow(Canonical):
    """An invoice as Fairlead keeps it. `id` is `<process id of the invoice>`, unique for ever."""

    id: str
    project: str
    entity: str
    customer: str
    revision: int = Field(default=1, ge=1)
    """Raised when a draft is redone."""
    stage: InvoiceStage = "collected"
    events: tuple[str, ...] = ()
    service_from: date
    service_to: date
    dated: date | None = None
    priced: PricedInvoice | None = None
    approval_needed: bool = False
    """It is not written into the ERP before a second person has approved these very lines."""
    approval: str = ""
    """Id of the decision that approved it, bound to `approved_hash`."""
    approved_by: str = ""
    approved_hash: str = ""
    external_id: str = ""
    number: str = ""
    """The ERP's number is the number."""
    erp_net: Money | None = None
    erp_tax: Money | None = None
    due_on: date | None = None
    credits: str = ""
    """Id of the invoice that this credit note credits."""
    credit_reason: CreditReason | None = None
    rebills: str = ""
    """Id of the credited invoice whose released entries this one bills again."""
    credited: tuple[str, ...] = ()
    """Of a credit note: the entries and events it credits by name."""
    released: tuple[str, ...] = ()
    """Those of them that may be billed again."""
    psa_invoice: PsaInvoice | None = None
    """The PSA's own document, where it has the authority to price."""
    updated_at: AwareDatetime | None = None
