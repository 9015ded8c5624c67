"""Billing: what may be billed, the ERP's legal invoice, and the money that comes for it."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, model_validator

from domain.base import Canonical, Value
from domain.commands import ScheduleLine
from domain.invariants import distinct, in_currency, in_order, sums_to
from domain.money import Exact, Money, total


class BillingSchedule(Canonical):
    """The plan of a project's fixed bills."""

    project: str
    currency: str
    lines: tuple[ScheduleLine, ...] = Field(min_length=1)

    @property
    def total(self) -> Money:
        return total([line.amount for line in self.lines], self.currency)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"billing schedule of {self.project}"
        in_currency(self.currency, [line.amount for line in self.lines], what)
        distinct([line.ref for line in self.lines], f"{what}: line")
        return self


class BillingEvent(Canonical):
    """Something that may be billed, once: a milestone, a period of a subscription, a cycle of time."""

    project: str
    line: int
    """Number of the contract line."""
    occasion: str = Field(min_length=1)
    """The milestone's reference or the period, such as `2027-01`."""
    revision: int = Field(default=1, ge=1)
    amount: Money
    due_on: date

    @property
    def key(self) -> str:
        """Identity: the same event under the same key is on one live invoice."""
        return f"{self.project}/{self.line}/{self.occasion}/{self.revision}"


class InvoiceLine(Value):
    description: str
    net: Money
    tax_code: str
    covers: tuple[str, ...] = ()
    """Keys of the billing events, and ids of the time entries and expenses, that this line bills."""


class InvoiceTax(Value):
    """Tax of one rate over the lines that carry its code."""

    code: str
    rate_percent: Exact = Field(ge=0, lt=100)
    base: Money
    tax: Money


class Invoice(Canonical):
    """The ERP's legal document, or a credit note to one. Its lines sum to its header to the cent."""

    id: str
    number: str
    entity: str
    customer: str
    project: str
    currency: str
    posted_on: date
    due_on: date
    supplied_on: date
    service_from: date
    service_to: date
    lines: tuple[InvoiceLine, ...] = Field(min_length=1)
    taxes: tuple[InvoiceTax, ...] = ()
    net: Money
    tax: Money
    gross: Money
    credits: str | None = None
    """Id of the invoice that this one credits."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"invoice {self.number}"
        in_currency(self.currency, [self.net], what)
        sums_to(self.net, [line.net for line in self.lines], f"the lines of {what}")
        sums_to(self.tax, [tax.tax for tax in self.taxes], f"the taxes of {what}")
        sums_to(self.gross, [self.net, self.tax], f"net and tax of {what}")
        in_order(self.posted_on, self.due_on, f"{what}: time to pay")
        in_order(self.service_from, self.service_to, f"{what}: service period")
        distinct([key for line in self.lines for key in line.covers], f"{what}: covered entry")
        distinct([tax.code for tax in self.taxes], f"{what}: tax code")
        for tax in self.taxes:
            bases = [line.net for line in self.lines if line.tax_code == tax.code]
            sums_to(tax.base, bases, f"the lines of {what} with tax {tax.code}")
        if (self.gross.amount < 0) != (self.credits is not None):
            raise ValueError(f"{what}: what is negative credits an invoice, and nothing else does")
        return self


class AppliedAmount(Value):
    invoice: str
    amount: Money


class Payment(Canonical):
    """Money received, and the invoices it pays; the rest waits unapplied."""

    id: str
    customer: str
    amount: Money
    received_on: date
    method: Literal["transfer", "direct_debit", "card", "cheque", "other"] = "transfer"
    applied: tuple[AppliedAmount, ...] = ()

    @property
    def unapplied(self) -> Money:
        return self.amount - total([part.amount for part in self.applied], self.amount.currency)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        what = f"payment {self.id}"
        in_currency(self.amount.currency, [part.amount for part in self.applied], what)
        distinct([part.invoice for part in self.applied], f"{what}: invoice")
        if self.amount.amount <= 0 or any(part.amount.amount <= 0 for part in self.applied):
            raise ValueError(f"{what}: amounts received and applied are above zero")
        if self.unapplied.amount < 0:
            raise ValueError(f"{what} of {self.amount} is applied with {-self.unapplied} too much")
        return self
