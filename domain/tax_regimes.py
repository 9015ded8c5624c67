"""Tax regimes: a country's rates and lists as the firm states them, with the days on which they hold.

They come from `[tax.<country>]` in the firm's files and never cross Temporal: what does is the `TaxDecision`
made by them. They are for the expected value; where a tax engine or the ERP decides, its answer is posted.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, Self

import pycountry
from pydantic import Field, field_validator, model_validator

from domain.base import Edge
from domain.money import Exact

ANY = "*"
"""In a list of services: every service."""
US_STATES = frozenset(
    "AL AK AZ AR CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV "
    "NY OH OK OR PA PR RI SC SD TN TX UT VA VT WA WI WV WY".split()
)
"""With the District of Columbia and Puerto Rico, which have a sales tax of their own."""


class Dated(Edge):
    """What holds from one day to another, both included; without `valid_to` until further notice."""

    valid_from: date
    valid_to: date | None = None

    def holds(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ValueError(f"ends on {self.valid_to}, before it begins; correct the dates")
        return self


class Rate(Dated):
    """The standard rate."""

    percent: Exact = Field(ge=0, lt=100)


class ServiceRate(Rate):
    """A rate of certain services."""

    services: tuple[str, ...] = Field(min_length=1)

    def covers(self, service: str, on: date) -> bool:
        return self.holds(on) and (service in self.services or ANY in self.services)


class Withholding(ServiceRate):
    """Tax that a customer withholds from what it pays and owes a certificate for."""

    provision: str = Field(min_length=1)
    """Of the law, as it stands on the certificate."""


class Undertaking(Dated):
    """India's letter of undertaking (LUT), under which services are exported without tax."""

    reference: str = Field(min_length=1)


class TaxRegime(Edge):
    """One country's tax on services, from the side of a supplier that sits there."""

    country: str
    system: Literal["eu_vat", "us_sales", "in_gst"]
    withholding: tuple[Withholding, ...] = ()

    def withheld(self, service: str, on: date) -> Withholding | None:
        """What a customer in this country withholds, if anything."""
        return next((rule for rule in self.withholding if rule.covers(service, on)), None)

    @field_validator("country")
    @classmethod
    def _known(cls, country: str) -> str:
        if pycountry.countries.get(alpha_2=country) is None:
            raise ValueError(f"{country!r} is not a country; write an ISO 3166-1 code such as DE")
        return country


class StandardRates(TaxRegime):
    """A regime with one standard rate at a time."""

    rates: tuple[Rate, ...] = Field(min_length=1)

    def rate_on(self, on: date) -> Rate | None:
        return next((rate for rate in self.rates if rate.holds(on)), None)

    @field_validator("rates")
    @classmethod
    def _one_at_a_time(cls, rates: tuple[Rate, ...]) -> tuple[Rate, ...]:
        no_overlap(rates)
        return rates


class EuVat(StandardRates):
    """Value added tax of a member of the European Union (directive 2006/112/EC)."""

    system: Literal["eu_vat"]
    reverse_charge_words: str = "Reverse charge"
    """Art. 226(11a), in the words of the supplier's country."""
    outside_words: str = "Not subject to VAT in the European Union (Art. 44 and 59 directive 2006/112/EC)"
    foreign_supplier_reverse_charge: bool = False
    """Art. 194: for a supplier from elsewhere, work on land here is taxed at the customer."""
    outside_services: tuple[str, ...] = ()
    """Art. 59: services to consumers outside the Union that are taxed there instead of here."""


class UsSalesTax(TaxRegime):
    """Sales tax of the United States by the customer's state: untaxed, but for the services listed."""

    system: Literal["us_sales"]
    nexus: tuple[str, ...] = ()
    """States in which the firm is registered and must collect."""
    states: dict[str, tuple[ServiceRate, ...]] = {}

    @field_validator("nexus", "states")
    @classmethod
    def _states(cls, states: Sequence[str] | Mapping[str, object]) -> object:
        for state in states:
            if state not in US_STATES:
                raise ValueError(f"{state!r} is not a state; write two letters such as TX")
        return states

    @field_validator("states")
    @classmethod
    def _one_at_a_time(cls, states: dict[str, tuple[ServiceRate, ...]]) -> dict[str, tuple[ServiceRate, ...]]:
        for rates in states.values():
            for service in {service for rate in rates for service in rate.services}:
                no_overlap([rate for rate in rates if {service, ANY} & set(rate.services)])
        return states


class InGst(StandardRates):
    """India's goods and services tax: CGST and SGST within a state, IGST between states."""

    system: Literal["in_gst"]
    undertakings: tuple[Undertaking, ...] = ()
    export_words: str = (
        "Supply meant for export under letter of undertaking without payment of integrated tax"
    )
    """Rule 46 of the CGST Rules."""

    def undertaking_on(self, on: date) -> Undertaking | None:
        return next((letter for letter in self.undertakings if letter.holds(on)), None)


SYSTEMS: Mapping[str, type[TaxRegime]] = {"eu_vat": EuVat, "us_sales": UsSalesTax, "in_gst": InGst}
"""The model that a `[tax.<country>]` table is read by, by its `system`."""


def no_overlap(rates: Sequence[Rate]) -> None:
    """Raises `ValueError` when two rates hold on one day."""
    for one, other in pairwise(sorted(rates, key=lambda rate: rate.valid_from)):
        if one.valid_to is None or other.valid_from <= one.valid_to:
            raise ValueError(
                f"{one.percent}% and {other.percent}% both hold on {other.valid_from}; "
                "end the earlier with valid_to"
            )


class TaxRegimes:
    """The regimes of a firm by country."""

    def __init__(self, regimes: Sequence[TaxRegime]) -> None:
        self._by_country = {regime.country: regime for regime in regimes}

    @property
    def countries(self) -> frozenset[str]:
        return frozenset(self._by_country)

    def of(self, country: str) -> TaxRegime | None:
        return self._by_country.get(country)
