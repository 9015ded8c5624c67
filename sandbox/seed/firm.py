"""The seeded firm, vendor-neutral: what each emulator's `seed(plan, store)` puts into its own shape.

    firm = build_firm(FirmSize(seed=1, deals=60, as_of=today))      # same seed, size and day: same firm
    firm.customer(deal.customer).tax_id                 # objects refer to each other by `key`

Amounts are Decimal in the named currency, hours are decimal hours, all dates are calendar dates, relative
to the day `as_of` on which the firm is made; nothing here reads a clock.
"""

from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

BillingMethod = Literal["Time and Materials", "Milestone", "Subscription", "Percent Complete"]
RevenueMethod = Literal["Right to Invoice", "Cost to Cost", "Milestone", "Straight Line"]


@dataclass(frozen=True, slots=True)
class FirmSize:
    """Seed and size of a firm, and the day on which it is made: its today, which all its dates follow."""

    seed: int = 1
    deals: int = 60
    customers: int = 40
    workers: int = 120
    as_of: date = field(kw_only=True)

    def shown(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"as_of": self.as_of.isoformat()}


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `state` is an ISO 3166-2 subdivision without the country (CA, BY, KA)."""

    street: str
    city: str
    state: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Entity:
    """A legal entity of the firm. `tax_regime`: sales_tax_destination, vat or gst."""

    code: str
    name: str
    country: str
    region: str
    currency: str
    tax_regime: str
    tax_id: str
    address: Address
    time_zone: str
    rate_card: str


@dataclass(frozen=True, slots=True)
class Practice:
    """A line of business with the phases and tasks its projects start from."""

    code: str
    name: str
    template: str
    phases: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold: a service item in the ERP, a product in the CRM."""

    code: str
    name: str
    practice: str
    billing_method: BillingMethod


@dataclass(frozen=True, slots=True)
class PaymentTerm:
    """Net days after the invoice date."""

    name: str
    days: int


@dataclass(frozen=True, slots=True)
class AccountingPeriod:
    """A calendar month of the books. Closed ones refuse postings."""

    name: str
    start: date
    end: date
    closed: bool


@dataclass(frozen=True, slots=True)
class Customer:
    """A client. `source_contract` is the public contract the name was taken from.

    `in_erp`: the ERP knows it already (matched by tax id). `erp_duplicate`: the ERP holds it twice under the
    same tax id, which only a person can decide. `tax_id` None: not on file, a defect where tax law asks it.
    """

    key: str
    name: str
    legal_name: str
    country: str
    region: str
    currency: str
    tax_id: str | None
    address: Address
    payment_terms: str
    email: str
    contact_first: str
    contact_last: str
    industry: str
    source_contract: str
    in_erp: bool = False
    erp_duplicate: bool = False
    credit_hold: bool = False


@dataclass(frozen=True, slots=True)
class Supplier:
    """A subcontracting firm that lends people for a role."""

    key: str
    name: str
    country: str
    region: str
    currency: str
    tax_id: str
    address: Address
    payment_terms: str
    email: str
    roles: tuple[str, ...]
    source_contract: str


@dataclass(frozen=True, slots=True)
class Worker:
    """A person who delivers. `cost_rate` is the standard loaded hourly cost in the entity's currency.

    `kind`: employee or contingent (then `supplier` is set). `calendar` names the working calendar.
    """

    key: str
    first_name: str
    last_name: str
    email: str
    entity: str
    practice: str
    role: str
    grade: str
    skills: tuple[str, ...]
    calendar: str
    weekly_hours: Decimal
    hired_on: date
    cost_rate: Decimal
    manager: str | None
    kind: str = "employee"
    supplier: str | None = None


@dataclass(frozen=True, slots=True)
class RateRole:
    """One line of a rate card: price and least allowed price per unit, and the standard cost."""

    card: str
    currency: str
    valid_from: date
    valid_to: date
    role: str
    grade: str
    unit: str
    price: Decimal
    floor_price: Decimal
    cost_rate: Decimal


@dataclass(frozen=True, slots=True)
class DealLine:
    """One sold line.

    Time and Materials: quantity = hours, unit_price = hourly rate, total = estimate, `cap` optional.
    Milestone: quantity 1, total = amount, `service_date` = due date.
    Subscription: quantity = periods, unit_price = price per period, `frequency` Monthly or Quarterly.
    """

    key: str
    product: str
    name: str
    billing_method: BillingMethod
    revenue_method: RevenueMethod
    quantity: Decimal
    unit_price: Decimal
    total: Decimal
    start: date
    end: date
    service_date: date | None = None
    role: str | None = None
    grade: str | None = None
    skills: tuple[str, ...] = ()
    hours: Decimal | None = None
    cap: Decimal | None = None
    frequency: str | None = None
    subcontracted: bool = False
    supplier: str | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity with its contract, where there is one.

    `stage` is the CRM's stage name; `signed_on` the customer's signature date (None: not signed). `defect`
    names a planted flaw: no_billing_entity, customer_without_tax_id, milestones_do_not_sum,
    role_not_on_rate_card, customer_twice_in_erp; None: clean. `entity` None only with no_billing_entity.
    """

    key: str
    name: str
    customer: str
    entity: str | None
    region: str
    practice: str
    currency: str
    stage: str
    close_date: date
    start: date
    end: date
    contract_value: Decimal
    rate_card: str
    owner_email: str
    project_manager_email: str
    lines: tuple[DealLine, ...]
    signed_on: date | None = None
    contract_activated: bool = False
    retention_percent: Decimal = Decimal(0)
    customer_po: str | None = None
    customer_po_amount: Decimal | None = None
    customer_po_expiry: date | None = None
    is_change_request: bool = False
    defect: str | None = None
    flagship: bool = False

    @property
    def clean_and_signed(self) -> bool:
        """Whether a project can be opened from this deal as it stands."""
        return self.stage == "Closed Won" and self.signed_on is not None and self.defect is None


@dataclass(frozen=True)
class Firm:
    """Everything the seed holds."""

    size: FirmSize
    name: str
    today: date
    entities: tuple[Entity, ...]
    practices: tuple[Practice, ...]
    products: tuple[Product, ...]
    payment_terms: tuple[PaymentTerm, ...]
    periods: tuple[AccountingPeriod, ...]
    customers: tuple[Customer, ...]
    suppliers: tuple[Supplier, ...]
    workers: tuple[Worker, ...]
    rate_roles: tuple[RateRole, ...]
    deals: tuple[Deal, ...]
    currencies: tuple[str, ...] = field(default=("USD", "EUR", "INR"))

    @cached_property
    def _customers(self) -> dict[str, Customer]:
        return {customer.key: customer for customer in self.customers}

    @cached_property
    def _entities(self) -> dict[str, Entity]:
        return {entity.code: entity for entity in self.entities}

    @cached_property
    def _suppliers(self) -> dict[str, Supplier]:
        return {supplier.key: supplier for supplier in self.suppliers}

    def customer(self, key: str) -> Customer:
        """The customer of a key. Raises KeyError."""
        return self._customers[key]

    def entity(self, code: str) -> Entity:
        """The legal entity of a code. Raises KeyError."""
        return self._entities[code]

    def supplier(self, key: str) -> Supplier:
        """The supplier of a key. Raises KeyError."""
        return self._suppliers[key]

    @property
    def flagship(self) -> Deal:
        """The managed-services deal of the demo. Raises StopIteration in a firm without deals."""
        return next(deal for deal in self.deals if deal.flagship)


def build_firm(size: FirmSize) -> Firm:
    """The firm of a seed, size and day; the same arguments give the same firm."""
    from sandbox.seed.build import build

    return build(size)
