"""Regimes of the example firm and supplies between parties with valid numbers, to be bent by each test."""

from datetime import date
from pathlib import Path

from domain.money import Money
from domain.supply import Supply, TaxParty
from domain.tax_regimes import TaxRegimes
from firm.load import load

REGIMES: TaxRegimes = load(Path(__file__).parents[4] / "examples" / "firm").taxes
TODAY = date(2026, 11, 23)

GERMAN = TaxParty(name="Fairlead Beratung GmbH", country="DE", tax_id="DE136695976")
INDIAN = TaxParty(name="Fairlead Services", country="IN", state="MH", tax_id="27AAPFU0939F1ZV")
AMERICAN = TaxParty(name="Fairlead Consulting Inc.", country="US", state="CA", tax_id="12-3456789")
FRENCH_CUSTOMER = TaxParty(name="Lumière SA", country="FR", tax_id="FR40303265045")
GERMAN_CUSTOMER = TaxParty(name="Alpenglow GmbH", country="DE", tax_id="DE136695976")


def supply(supplier: TaxParty, customer: TaxParty, **changes: object) -> Supply:
    net = Money.of(1000, "EUR")
    bare = Supply(id="invoice-1", supplier=supplier, customer=customer, net=net, on=TODAY)
    return bare.with_changes(**changes)
