"""The books: what an ERP knows about the parties of a contract, exchange rates and tax decisions."""

from datetime import date
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from domain.base import Canonical, Value
from domain.money import Exact, Money, minor_units, total


class ErpCustomer(Canonical):
    """A customer as the ERP holds it: a candidate for a match by tax or registration id."""

    external_id: str
    number: str = ""
    name: str
    tax_ids: tuple[str, ...] = ()
    active: bool = True
    on_credit_hold: bool = False
    credit_limit: Money | None = None
    balance: Money | None = None
    currency: str | None = None
    terms: str | None = None
    entity: str | None = None
    version: str = ""


class EntityFacts(Canonical):
    """A legal entity as the ERP holds it, with the periods that matter."""

    code: str
    external_id: str
    name: str
    active: bool
    currency: str
    country: str
    tax_registrations: tuple[str, ...] = ()
    """Countries of the entity's tax registrations."""
    open_periods: tuple[str, ...] = ()
    """`YYYY-MM` of the periods open for posting, oldest first."""
    version: str = ""


class PartyQuery(Canonical):
    """Who is asked about: the contracting entity and the customer, by every id we hold."""

    entity: str
    customer_external_id: str
    """Id of the customer in the CRM."""
    customer_key: str
    """Effect key under which we would have created the customer."""
    customer_name: str
    tax_id: str | None = None
    currency: str | None = None
    on: date


class PartyFacts(Canonical):
    """The ERP's answer. Several customers mean that a person decides."""

    entity: EntityFacts | None = None
    customers: tuple[ErpCustomer, ...] = ()
    """Matched by our key, by the CRM's id, or by tax id; never by name alone."""
    as_of: AwareDatetime


class BillingScheduleFacts(Canonical):
    """A billing schedule read back from the ERP."""

    external_id: str
    total: Money
    line_count: int
    active: bool = True
    version: str = ""


class InvoiceFactLine(Value):
    """One line of a document in the ERP. `ref` is empty where the ERP keeps none of ours."""

    ref: str = ""
    description: str = ""
    net: Money


InvoiceState = Literal["draft", "rejected", "open", "paid", "credited", "void"]


class InvoiceFacts(Canonical):
    """An invoice or credit note as the ERP holds it. A credit note's amounts are negative."""

    external_id: str
    number: str = ""
    """The legal number; empty while a draft has none."""
    state: InvoiceState
    entity: str = ""
    customer_external_id: str = ""
    project_external_id: str = ""
    currency: str
    net: Money
    tax: Money
    gross: Money
    open_amount: Money
    """What is still to be paid."""
    dated: date
    due_on: date | None = None
    period: str = ""
    """Posting period, `YYYY-MM`; empty until posted."""
    lines: tuple[InvoiceFactLine, ...] = ()
    credits: str = ""
    """External id of the invoice that a credit note credits."""
    schedule_external_id: str = ""
    """The billing schedule it came from, where the ERP bills by its own."""
    key: str = ""
    """Our effect key, where the ERP shows one: empty for what others billed."""
    version: str = ""


class AccountBalance(Value):
    """One account of a trial balance; the balance stands on one side."""

    account: str
    name: str = ""
    debit: Money
    credit: Money


class TrialBalance(Canonical):
    """The general ledger of one entity on one day, as the ERP adds it up."""

    entity: str
    currency: str
    as_of: date
    accounts: tuple[AccountBalance, ...] = ()

    @property
    def debit(self) -> Money:
        return total([line.debit for line in self.accounts], self.currency)

    @property
    def credit(self) -> Money:
        return total([line.credit for line in self.accounts], self.currency)

    @property
    def balanced(self) -> bool:
        return self.debit == self.credit


class LegalEntity(Canonical):
    """One of the firm's companies, with a set of books in its functional currency."""

    code: str
    name: str
    country: str
    currency: str
    region: str
    tax_registrations: tuple[str, ...] = ()
    """Countries in which it is registered for tax."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        minor_units(self.currency)
        return self


class FxRate(Canonical):
    """One published rate: `unit` of `from_currency` is `rate` of `to_currency`. There is no default rate.

    Source: the rate tables of ERP and central bank; a quote is kept in the direction it was published.
    """

    from_currency: str
    to_currency: str
    rate: Exact = Field(gt=0)
    unit: int = Field(default=1, ge=1)
    """Some banks quote per 100 or 1,000 of a small currency."""
    type: Literal["spot", "contract", "average", "closing"]
    on: date
    source: str

    @model_validator(mode="after")
    def _sound(self) -> Self:
        minor_units(self.from_currency)
        minor_units(self.to_currency)
        if self.from_currency == self.to_currency:
            raise ValueError(f"a rate from {self.from_currency} to itself is none: such amounts need no rate")
        return self

    def convert(self, amount: Money) -> Money:
        """`amount` in the other currency, rounded once; against the quote it is divided, not inverted first.

        Raises `ValueError` for an amount in neither currency.
        """
        if amount.currency == self.from_currency:
            return Money.rounded(amount.amount * self.rate / self.unit, self.to_currency)
        if amount.currency == self.to_currency:
            return Money.rounded(amount.amount * self.unit / self.rate, self.from_currency)
        raise ValueError(f"{amount} cannot be converted by a rate {self.from_currency} to {self.to_currency}")


class TaxComponent(Value):
    """One of the taxes that a rate is made of, shown apart on the invoice, such as CGST and SGST."""

    code: str
    rate_percent: Exact = Field(ge=0, lt=100)


class TaxDecision(Canonical):
    """How a supply is taxed, as an engine, the ERP or a person decided it; fixed at the tax point."""

    place: str
    """Country, or country and state, where the supply is taxed."""
    treatment: Literal["domestic", "reverse_charge", "export", "exempt", "untaxed"]
    """`untaxed`: no tax is laid on such a service there; `exempt`: it would be, but for a provision."""
    code: str
    rate_percent: Exact = Field(ge=0, lt=100)
    components: tuple[TaxComponent, ...] = ()
    """What the rate is made of, where the law wants it shown apart; else empty."""
    words: str = ""
    """What must stand on the invoice, such as "Reverse charge"."""
    decided_by: str
    reference: str = ""
    """The engine's id of its answer."""
    on: date
    """The tax point."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        rates = [component.rate_percent for component in self.components]
        if rates and sum(rates) != self.rate_percent:
            raise ValueError(f"the components of tax {self.code} do not sum to its {self.rate_percent}%")
        if self.treatment != "domestic" and self.rate_percent != 0:
            raise ValueError(f"tax {self.code} is {self.treatment} and cannot charge {self.rate_percent}%")
        return self
