"""What a project is billed by: its contract as signed, with the terms the firm adds where it is silent."""

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from domain.base import Canonical, Value
from domain.money import Exact, Money
from domain.selling import Address, ContractLine, CustomerPO


class RetentionTier(Value):
    """`percent` is held of what is billed up to `up_to` in all; the last tier has no end."""

    up_to: Money | None = None
    percent: Exact = Field(ge=0, le=100)


class RetentionTerms(Value):
    """What the customer may hold back of each invoice, and when it falls due."""

    tiers: tuple[RetentionTier, ...] = ()
    """One tier without end is a flat percentage; none means nothing is held."""
    most_held: Money | None = None
    release: Literal["final_account", "date", "event"] = "final_account"
    release_on: date | None = None


class RateOverride(Value):
    """The price agreed for one role, before the line's own price and before any rate card."""

    role: str
    grade: str = ""
    """Empty for every grade of the role."""
    price: Exact = Field(ge=0)
    per: Literal["hour", "day"] = "hour"
    valid_from: date | None = None
    valid_to: date | None = None
    """Work dates, ends inclusive; none is without end."""


class CapTerm(Value):
    """A limit beside that of the contract and those of its lines, on what is billed net."""

    ref: str = Field(min_length=1)
    """Stable within the contract."""
    scope: Literal["contract", "line", "task", "resource"] = "contract"
    of: str = ""
    """Number of the line, reference of the task or id of the resource; empty for the contract."""
    limit: Money
    kind: Literal["hard", "soft"] = "hard"
    first: date | None = None
    last: date | None = None
    """Work dates it covers, ends inclusive: a cap per period. None is without end."""


class PerDiem(Value):
    """What one person may have rebilled for one category on one day, net and before markup."""

    category: str
    per_day: Money
    kind: Literal["limit", "flat"] = "limit"
    """`limit`: the lower of actual and per diem. `flat`: the per diem itself, whatever was spent."""


class BillingTerms(Value):
    """How a project is billed, beside the lines of its contract."""

    grouping: Literal["entry", "person", "role", "task"] = "role"
    """What becomes one invoice line."""
    cap: Money | None = None
    """Of the whole contract; a line's own cap stands on the line."""
    cap_kind: Literal["hard", "soft"] = "hard"
    """Of the contract's cap and of those of its lines."""
    caps: tuple[CapTerm, ...] = ()
    """Further limits: per task, resource or period."""
    rate_overrides: tuple[RateOverride, ...] = ()
    hours_per_day: Exact | None = Field(default=None, gt=0)
    """Turns hours into days where a rate is per day, and back; without it they are never mixed."""
    retention: RetentionTerms = RetentionTerms()
    advance: Money | None = None
    """Billed first, drawn down by the invoices after it."""
    expense_markup_percent: Exact = Decimal(0)
    expense_cap: Money | None = None
    """Of what is rebilled in all, net and before markup."""
    per_diems: tuple[PerDiem, ...] = ()
    in_arrears: bool = True
    """Subscription periods are billed when they have ended, not when they begin."""
    periods_from: Literal["start", "calendar"] = "start"
    """Subscription periods run from the line's start, its day kept, or by months of the calendar."""
    cycle_day: int = Field(default=1, ge=1, le=28)
    """Day of the month on which time is billed: all that was worked before it."""
    tax_rounding: Literal["line", "group"] = "line"
    payment_terms: str = "Net 30"
    po_required: bool = False
    prebill: bool = True
    """The project manager reviews what is collected before it is priced."""
    prebill_hours: int = Field(default=48, ge=0)
    """How long the review may take; silence escalates."""
    write_down_limit: Money | None = None
    """Above it a write-down or write-up needs a second person."""
    approval_limit: Money | None = None
    """Above it an invoice is approved by a second person before it is posted."""
    project_manager: str = ""
    """Address of who reviews the pre-bill."""


class ProjectContract(Canonical):
    """One revision of a project's contract: what was signed, and where it lives in each system."""

    project: str
    """Number of the project."""
    revision: int = Field(default=1, ge=1)
    deal: str
    """External id of the deal in the CRM."""
    number: str
    title: str
    entity: str
    region: str
    currency: str
    value: Money | None = None
    signed_on: date
    starts_on: date
    ends_on: date
    customer: str
    """External id of the customer in the CRM."""
    customer_name: str
    customer_tax_id: str | None = None
    customer_address: Address = Address()
    customer_po: CustomerPO | None = None
    rate_card: str | None = None
    lines: tuple[ContractLine, ...] = ()
    terms: BillingTerms = BillingTerms()
    psa_project: str = ""
    erp_customer: str = ""
    erp_project: str = ""
    erp_project_key: str = ""
    """Effect key of the ERP project."""
    erp_schedule: str = ""

    def line(self, number: int) -> ContractLine:
        """Raises `KeyError` naming the contract."""
        found = next((line for line in self.lines if line.number == number), None)
        if found is None:
            raise KeyError(f"contract {self.number} of project {self.project} has no line {number}")
        return found
