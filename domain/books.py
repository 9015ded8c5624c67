"""The books: what an ERP knows about the parties of a contract, exchange rates and tax decisions."""

from datetime import date
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from domain.base import Canonical
from domain.money import Exact, Money, minor_units


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
    """One published rate: 1 unit of `from_currency` is `rate` of `to_currency`. There is no default rate.

    Source: the rate tables of ERP and central bank; a quote is kept in the direction it was published.
    """

    from_currency: str
    to_currency: str
    rate: Exact = Field(gt=0)
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
            return Money.rounded(amount.amount * self.rate, self.to_currency)
        if amount.currency == self.to_currency:
            return Money.rounded(amount.amount / self.rate, self.from_currency)
        raise ValueError(f"{amount} cannot be converted by a rate {self.from_currency} to {self.to_currency}")


class TaxDecision(Canonical):
    """How a supply is taxed, as an engine, the ERP or a person decided it; fixed at the tax point."""

    place: str
    """Country, or country and state, where the supply is taxed."""
    treatment: Literal["domestic", "reverse_charge", "export", "exempt"]
    code: str
    rate_percent: Exact = Field(ge=0, lt=100)
    decided_by: str
    reference: str = ""
    """The engine's id of its answer."""
    on: date

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.treatment != "domestic" and self.rate_percent != 0:
            raise ValueError(f"tax {self.code} is {self.treatment} and cannot charge {self.rate_percent}%")
        return self
