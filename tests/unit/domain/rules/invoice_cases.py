"""A posted invoice of 10,000 with two lines, retention and tax, to be bent by each test."""

from datetime import date

from domain.billing_commands import DraftLine, LineKind
from domain.calendar import Period
from domain.invoice_state import LineShare, PricedLine, TaxLine
from domain.money import Money
from domain.rules.credited import PostedInvoice

NOVEMBER = Period(year=2026, month=11)
OPEN = (NOVEMBER,)
DATED = date(2026, 11, 20)


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


def line(
    ref: str, net: object, kind: LineKind = "time", code: str = "DE-VAT-19", **shares: object
) -> PricedLine:
    """A line; `shares` are its entries with their amounts."""
    return PricedLine(
        line=DraftLine(ref=ref, kind=kind, description=kind, net=eur(net), tax_code=code, contract_line=1),
        shares=tuple(LineShare(key=key, net=eur(amount)) for key, amount in shares.items()),
    )


def tax(base: object, amount: object, code: str = "DE-VAT-19", percent: str = "19") -> TaxLine:
    return TaxLine.model_validate(
        {"code": code, "rate_percent": percent, "base": eur(base), "tax": eur(amount)}
    )


LINES = (line("1", 6000, a=4000, b=2000), line("2", 4000, kind="milestone", m=4000))
INVOICE = PostedInvoice(
    id="invoice/acme/P-1/1",
    number="INV-1",
    currency="EUR",
    dated=date(2026, 11, 10),
    lines=LINES,
    taxes=(tax(10000, 1900),),
)
HELD = INVOICE.with_changes(lines=(*LINES, line("3", -1000, kind="retention")), taxes=(tax(9000, 1710),))
