"""Sales tax on services of a supplier in the United States.

Source: rule 14 (tax). Destination sourcing by the customer's state. A service is untaxed unless the
state lists it, and is taxed only where the firm has nexus (South Dakota v. Wayfair); both lists are data of
the firm. Local taxes are not in it: with taxed services a tax engine decides.
"""

from domain.rules.tax import ExpectedTax, charged, lacking, place_text, uncharged
from domain.supply import Place, Supply
from domain.tax_regimes import UsSalesTax


def us_sales_tax(supply: Supply, regime: UsSalesTax) -> ExpectedTax:
    place = supply.land or Place(country=supply.customer.country, state=supply.customer.state)
    if place.country != "US":
        decision = uncharged(supply, Place(country=place.country), "export")
        return ExpectedTax(decision=decision, evidence=(f"delivered to {place.country}",))
    if not place.state:
        what = "the state decides sales tax, and it is unknown: enter it on the customer's account"
        return ExpectedTax(missing=(lacking("customer.state", "place", what),))
    rates = [rate for rate in regime.states.get(place.state, ()) if rate.covers(supply.service, supply.on)]
    if not rates:
        reason = f"{place_text(place)} does not tax {supply.service}"
        return ExpectedTax(decision=uncharged(supply, place, "untaxed"), evidence=(reason,))
    if place.state not in regime.nexus:
        reason = f"{place_text(place)} taxes {supply.service}, but the firm has no nexus there"
        return ExpectedTax(decision=uncharged(supply, place, "untaxed"), evidence=(reason,))
    return ExpectedTax(
        decision=charged(supply, place, f"US-{place.state}", rates[0].percent),
        evidence=(f"{place_text(place)} taxes {supply.service}",),
    )
