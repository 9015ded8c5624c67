"""Buying: subcontracted work from the need to the supplier's bill."""

from datetime import date
from decimal import Decimal
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from domain.base import Canonical, Value
from domain.invariants import distinct, in_currency, in_order, sums_to
from domain.money import Exact, Money, total
from domain.quantity import Quantity


class Supplier(Canonical):
    """A firm that lends people or sells services to us."""

    id: str
    name: str
    country: str
    currency: str
    tax_id: str | None = None
    active: bool = True


class SupplierQuery(Value):
    """Which suppliers are asked for; what is empty is not asked."""

    number: str = ""
    name: str = ""
    """The whole name, as a deal's line names its supplier."""
    tax_id: str = ""
    active_only: bool = True


class PurchaseLine(Value):
    """Work to be bought. `ref` is stable within its document, such as the contract line's number."""

    ref: str
    description: str
    role: str | None = None
    quantity: Exact = Field(gt=0)
    rate: Exact = Field(ge=0)
    """Per hour."""
    amount: Money

    @model_validator(mode="after")
    def _sound(self) -> Self:
        expected = Money.rounded(self.quantity * self.rate, self.amount.currency)
        if self.amount != expected:
            raise ValueError(
                f"line {self.ref}: {self.quantity} at {self.rate} is {expected}, not {self.amount}"
            )
        return self


RequisitionState = Literal["draft", "pending", "approved", "ordered", "rejected", "withdrawn"]


class PurchaseRequisition(Canonical):
    """What a project asks procurement for. `rejected`: an approver said no, `note` tells why."""

    id: str
    project: str
    entity: str
    supplier: str | None = None
    currency: str
    needed_on: date
    lines: tuple[PurchaseLine, ...] = Field(min_length=1)
    state: RequisitionState = "draft"
    note: str = ""
    """What procurement says about its state, in its own words."""
    orders: tuple[str, ...] = ()
    """External ids of the orders it became."""
    version: AwareDatetime | None = None

    @property
    def total(self) -> Money:
        return total([line.amount for line in self.lines], self.currency)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"requisition {self.id}"
        in_currency(self.currency, [line.amount for line in self.lines], what)
        distinct([line.ref for line in self.lines], f"{what}: line")
        return self


OrderState = Literal["draft", "held", "failed", "issued", "accepted", "cancelled", "closed"]
"""`held`: somebody must release it; `failed`: it could not be sent to the supplier."""


class PurchaseOrder(Canonical):
    """What we ordered. Once the supplier has accepted it, a person cancels it, never a machine."""

    number: str
    supplier: str
    project: str
    entity: str
    currency: str
    state: OrderState
    lines: tuple[PurchaseLine, ...] = Field(min_length=1)
    external_id: str = ""
    requisition: str = ""
    """External id of the requisition it came from."""
    note: str = ""
    """What procurement says about its state, in its own words."""
    version: AwareDatetime | None = None

    @property
    def total(self) -> Money:
        return total([line.amount for line in self.lines], self.currency)

    @property
    def may_be_cancelled_by_machine(self) -> bool:
        return self.state in ("draft", "held", "failed", "issued")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"purchase order {self.number}"
        in_currency(self.currency, [line.amount for line in self.lines], what)
        distinct([line.ref for line in self.lines], f"{what}: line")
        return self


class UnreadableOrder(Value):
    """An order procurement holds and we cannot take: what is wrong with it, for the one who can cure it."""

    external_id: str
    number: str = ""
    field: str
    problem: str
    version: AwareDatetime | None = None


class OrderPage(Canonical):
    """One page of purchase orders. The same order may come again; never fewer."""

    orders: tuple[PurchaseOrder, ...] = ()
    unreadable: tuple[UnreadableOrder, ...] = ()
    next_page: str = ""
    """Token of the page after this; empty at the end."""
    mark: AwareDatetime | None = None
    """From here on the next drain asks for changes, less an overlap."""


class ServiceConfirmation(Canonical):
    """Approved work of a supplier at the order's rate: received, not yet invoiced."""

    order: str
    line: str
    worked_from: date
    worked_to: date
    quantity: Quantity
    rate: Exact = Field(ge=0)
    amount: Money

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"confirmation of {self.order}/{self.line}"
        in_order(self.worked_from, self.worked_to, what)
        expected = self.quantity.priced(self.rate, self.amount.currency)
        if self.amount != expected:
            raise ValueError(f"{what}: {self.quantity} at {self.rate} are {expected}, not {self.amount}")
        return self


class SupplierInvoiceLine(Value):
    order: str
    line: str
    """Line of the purchase order it bills."""
    net: Money


class SupplierInvoice(Canonical):
    """A supplier's bill. Key: supplier, number and document kind."""

    supplier: str
    number: str
    kind: Literal["invoice", "credit_note"] = "invoice"
    received_on: date
    due_on: date
    lines: tuple[SupplierInvoiceLine, ...] = Field(min_length=1)
    tax: Money
    total: Money

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"supplier invoice {self.number}"
        sums_to(self.total, [*(line.net for line in self.lines), self.tax], f"lines and tax of {what}")
        sign = Decimal(-1) if self.kind == "credit_note" else Decimal(1)
        if self.total.amount * sign < 0:
            raise ValueError(
                f"{what} is {self.total}: an invoice is not negative, a credit note not positive"
            )
        return self
