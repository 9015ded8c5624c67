"""Tax that a customer withholds from a payment and owes a certificate for, as India's TDS.

Source: rule 14 (tax). It is taken of the value without GST (CBDT circular 23/2017), only where both
sides sit in one country. It pays the receivable in full: what is withheld stays open as a claim of its own
until the certificate is there.
"""

from domain.base import Value
from domain.money import Exact, Money
from domain.supply import Supply
from domain.tax_regimes import TaxRegimes


class ExpectedWithholding(Value):
    provision: str
    percent: Exact
    base: Money
    withheld: Money
    """To the withholding receivable, open until the certificate is there."""
    to_bank: Money
    receivable: Money
    """Gross: what both together pay."""


def expected_withholding(supply: Supply, tax: Money, regimes: TaxRegimes) -> ExpectedWithholding | None:
    """What the customer withholds of `supply` with its `tax`; None where nothing is withheld.

    100,000 with GST of 18,000 at 10%: 10,000 withheld, 108,000 to the bank.
    """
    regime = regimes.of(supply.customer.country)
    if regime is None or supply.supplier.country != supply.customer.country or not supply.customer.business:
        return None
    rule = regime.withheld(supply.service, supply.on)
    if rule is None:
        return None
    withheld, gross = supply.net.times(rule.percent / 100), supply.net + tax
    return ExpectedWithholding(
        provision=rule.provision,
        percent=rule.percent,
        base=supply.net,
        withheld=withheld,
        to_bank=gross - withheld,
        receivable=gross,
    )
