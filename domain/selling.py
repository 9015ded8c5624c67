"""What was sold: customer, contract, deal, rate card. Canonical, whatever CRM it came from.

A deal is read as the CRM holds it, mistakes included: what cannot be understood (a missing billing
entity, a currency nobody knows, an amount that is not a number) becomes `None` here plus a `Finding`
that names the field, so that a gate can turn red on it instead of the reading failing.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from domain.base import Canonical, Value
from domain.money import Exact, Money
from domain.readiness import Finding


class Address(Value):
    street: str = ""
    city: str = ""
    postal_code: str = ""
    state: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2."""


class Customer(Canonical):
    """A customer as the CRM knows it. `id` is canonical: `customer:<system>:<external id>`."""

    id: str
    external_id: str
    name: str
    legal_name: str | None = None
    tax_id: str | None = None
    """Tax registration number in the country of `address` (USt-IdNr., GSTIN, EIN ...)."""
    address: Address = Address()
    currency: str | None = None
    payment_terms: str | None = None
    """Such as "Net 30"."""
    credit_hold: bool = False
    erp_id: str | None = None
    """External id of the ERP customer a person chose where the ERP holds several candidates."""


class BillingMethod(StrEnum):
    TIME_AND_MATERIALS = "time_and_materials"
    MILESTONE = "milestone"
    SUBSCRIPTION = "subscription"
    PERCENT_COMPLETE = "percent_complete"


class RevenueMethod(StrEnum):
    RIGHT_TO_INVOICE = "right_to_invoice"
    COST_TO_COST = "cost_to_cost"
    MILESTONE = "milestone"
    STRAIGHT_LINE = "straight_line"


Authority = Literal["psa", "erp", "fairlead"]
"""Who prices and bills (or recognises) a contract line; exactly one, never two."""


class ContractLine(Value):
    """One thing the customer buys, with how it is billed and how revenue is earned.

    Time and materials: `quantity` hours at `unit_price`. Milestone: one line per milestone, due on
    `due_on`. Subscription: `quantity` periods at `unit_price`.
    """

    id: str
    number: int
    name: str
    billing_method: BillingMethod | None = None
    revenue_method: RevenueMethod | None = None
    quantity: Exact | None = None
    unit_price: Exact | None = None
    amount: Money | None = None
    stand_alone_price: Money | None = None
    allocated_price: Money | None = None
    cap: Money | None = None
    due_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    frequency: Literal["monthly", "quarterly"] | None = None
    role: str | None = None
    grade: str | None = None
    skills: tuple[str, ...] = ()
    subcontracted: bool = False
    supplier: str | None = None
    cost_rate: Exact | None = None
    """What an hour of the supplier costs, where a person has stated it; else the rate card's standard."""
    billing_authority: Authority = "fairlead"
    revenue_authority: Authority = "erp"

    def path(self, field: str) -> str:
        """Canonical path of a field of this line, by the line's number: `lines[2].amount`."""
        return f"lines[{self.number}].{field}"


class CustomerPO(Value):
    """The customer's purchase order, without which some customers pay nothing."""

    number: str
    amount: Money | None = None
    expires_on: date | None = None


class Contract(Canonical):
    id: str
    external_id: str
    number: str
    status: str = ""
    value: Money | None = None
    signed_on: date | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    billing_entity: str | None = None
    """Code of the legal entity that signed and bills."""
    rate_card: str | None = None
    retention_percent: Exact = Decimal(0)
    customer_po: CustomerPO | None = None
    lines: tuple[ContractLine, ...] = ()


class Deal(Canonical):
    """A deal with its customer and contract. `id` is canonical: `deal:<system>:<external id>`."""

    id: str
    external_id: str
    name: str
    kind: Literal["new", "change_order", "renewal"] = "new"
    stage: str = ""
    won: bool = False
    currency: str | None = None
    region: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    owner_email: str | None = None
    project_manager_email: str | None = None
    customer: Customer
    contract: Contract | None = None
    version: AwareDatetime
    """The source's own change stamp: an older version after a newer one is dropped."""
    findings: tuple[Finding, ...] = ()
    """What could not be understood while reading."""

    @property
    def signed(self) -> bool:
        """Won stage and signature date: the default meaning of "signed"."""
        return self.won and self.contract is not None and self.contract.signed_on is not None

    @property
    def lines(self) -> tuple[ContractLine, ...]:
        return self.contract.lines if self.contract else ()

    def lines_billed_by(self, method: BillingMethod) -> list[ContractLine]:
        return [line for line in self.lines if line.billing_method is method]


class DealSummary(Canonical):
    """One row of `fairlead deals`: enough to choose, nothing more."""

    external_id: str
    name: str
    customer: str
    amount: str = ""
    currency: str = ""
    billing_entity: str | None = None
    signed_on: date | None = None
    status: str = ""
    version: AwareDatetime


class RateCardRole(Value):
    role: str
    grade: str = ""
    unit: str = "hour"
    price: Exact
    floor_price: Exact | None = None
    cost_rate: Exact | None = None


class RateCard(Canonical):
    """Prices per role in one currency, valid on work dates from `valid_from` to `valid_to` inclusive."""

    code: str
    version: str
    currency: str
    valid_from: date
    valid_to: date
    roles: tuple[RateCardRole, ...] = ()

    def covers(self, first: date, last: date) -> bool:
        return self.valid_from <= first and last <= self.valid_to
