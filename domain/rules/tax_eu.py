"""Value added tax on services of a supplier in the European Union.

Source: directive 2006/112/EC. Art. 44: to a business, the customer's country; Art. 196: there the customer
owes the tax. Art. 45: to a consumer, the supplier's country; Art. 59: certain services to consumers outside
the Union, the customer's. Art. 47: about land, where the land lies; Art. 194: a member may shift that tax to
the customer.
"""

from domain.rules.tax import (
    ExpectedTax,
    charged,
    lacking,
    no_rate,
    registration,
    uncharged,
    with_registrations,
)
from domain.supply import Place, Supply
from domain.tax_ids import EU_MEMBERS
from domain.tax_regimes import EuVat, TaxRegimes


def eu_vat(supply: Supply, regime: EuVat, regimes: TaxRegimes) -> ExpectedTax:
    home, theirs = supply.supplier.country, supply.customer.country
    if supply.land is not None:
        return _land(supply, supply.land, regime, regimes)
    if theirs == home:
        return _charged_in(supply, Place(country=home), regime)
    if theirs not in EU_MEMBERS:
        outside = supply.customer.business or supply.service in regime.outside_services
        return _outside(supply, regime) if outside else _charged_in(supply, Place(country=home), regime)
    if not supply.customer.business:
        return _charged_in(supply, Place(country=home), regime)
    return _reverse_charge(supply, Place(country=theirs), regime)


def _reverse_charge(supply: Supply, place: Place, regime: EuVat) -> ExpectedTax:
    """Both numbers are needed: without the customer's it is no proven business (Reg. 282/2011 Art. 18)."""
    why = f"reverse charge from {supply.supplier.country} to {supply.customer.country}"
    return with_registrations(
        uncharged(supply, place, "reverse_charge", regime.reverse_charge_words),
        registration(supply.supplier, "supplier.tax_id", supply.supplier.country, why),
        registration(supply.customer, "customer.tax_id", supply.customer.country, why),
    )


def _charged_in(supply: Supply, place: Place, regime: EuVat) -> ExpectedTax:
    rate = regime.rate_on(supply.on)
    if rate is None:
        return no_rate(regime, supply)
    decision = charged(supply, place, f"{regime.country}-VAT", rate.percent)
    if regime.country != supply.supplier.country:  # registered there, with a number we need not print
        return ExpectedTax(decision=decision, evidence=(f"registered in {regime.country}",))
    why = f"VAT of {regime.country}"
    return with_registrations(decision, registration(supply.supplier, "supplier.tax_id", regime.country, why))


def _outside(supply: Supply, regime: EuVat) -> ExpectedTax:
    place = Place(country=supply.customer.country)
    return ExpectedTax(
        decision=uncharged(supply, place, "export", regime.outside_words),
        evidence=(f"{supply.customer.name or 'the customer'} is established in {place.country}",),
    )


def _land(supply: Supply, land: Place, regime: EuVat, regimes: TaxRegimes) -> ExpectedTax:
    place, home = Place(country=land.country), supply.supplier.country
    if land.country == home:
        return _charged_in(supply, place, regime)
    if land.country not in EU_MEMBERS:
        decision = uncharged(supply, place, "export", regime.outside_words)
        return ExpectedTax(decision=decision, evidence=(f"the land lies in {land.country}",))
    there = regimes.of(land.country)
    if not isinstance(there, EuVat):
        what = f"the land lies in {land.country}, whose VAT is not known: add [tax.{land.country}]"
        return ExpectedTax(missing=(lacking("tax.regime", "regime", what),))
    shifted = there.foreign_supplier_reverse_charge and supply.customer.business
    if shifted and supply.customer.country == land.country:
        return _reverse_charge(supply, place, regime)
    if land.country not in supply.supplier.registrations:
        what = (
            f"work on land in {land.country} is taxed there: {supply.supplier.name or 'the supplier'} "
            f"needs a registration in {land.country} first"
        )
        found = _charged_in(supply, place, there)
        return found.with_changes(evidence=(), missing=(lacking("supplier.registrations", "land", what),))
    return _charged_in(supply, place, there)
