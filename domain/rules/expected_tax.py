"""The expected tax of any supply: the supplier's country says by which rules."""

from domain.rules.tax import ExpectedTax, lacking, uncharged
from domain.rules.tax_eu import eu_vat
from domain.rules.tax_in import in_gst
from domain.rules.tax_us import us_sales_tax
from domain.supply import Place, Supply
from domain.tax_regimes import EuVat, InGst, TaxRegimes, UsSalesTax


def expected_tax(supply: Supply, regimes: TaxRegimes) -> ExpectedTax:
    """What `supply` is taxed with. Never raises: what is unknown stands under `missing`."""
    country = supply.supplier.country
    regime = regimes.of(country)
    if supply.exemption:
        place = supply.land or Place(country=supply.customer.country, state=supply.customer.state)
        decision = uncharged(supply, place, "exempt", supply.exemption)
        return ExpectedTax(decision=decision, evidence=(supply.exemption,))
    if isinstance(regime, EuVat):
        return eu_vat(supply, regime, regimes)
    if isinstance(regime, UsSalesTax):
        return us_sales_tax(supply, regime)
    if isinstance(regime, InGst):
        return in_gst(supply, regime)
    what = f"the firm's files do not say how {country} taxes services: add [tax.{country}] under regions/"
    return ExpectedTax(missing=(lacking("tax.regime", "regime", what),))
