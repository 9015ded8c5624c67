"""Header tax: the example of the rules per line and per group, and sums that hold for any lines."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.books import TaxComponent, TaxDecision
from domain.money import Money, MoneyError, minor_units, total
from domain.rules.errors import RuleError
from domain.rules.header_tax import HeaderTax, Rounding, TaxableLine, header_tax


def decision(code: str, percent: object, *parts: tuple[str, str]) -> TaxDecision:
    return TaxDecision(
        place="DE",
        treatment="domestic",
        code=code,
        rate_percent=Decimal(str(percent)),
        components=tuple(TaxComponent(code=name, rate_percent=Decimal(rate)) for name, rate in parts),
        decided_by="test",
        on=date(2026, 11, 23),
    )


GST = decision("IN-CGST-SGST-18", 18, ("IN-CGST-9", "9"), ("IN-SGST-9", "9"))
DECISIONS = [decision("A", 20), decision("B", "25.5"), decision("C", 0), GST]


def line(net: object, taxed: TaxDecision, ref: str = "1", currency: str = "EUR") -> TaxableLine:
    return TaxableLine(ref=ref, net=Money.of(net, currency), decision=taxed)


def of(nets: list[str], rounding: Rounding, taxed: TaxDecision = DECISIONS[0]) -> HeaderTax:
    return header_tax([line(net, taxed, str(n)) for n, net in enumerate(nets)], "EUR", rounding)


@pytest.mark.parametrize(
    ("rounding", "tax", "shares"),
    [("line", "0.21", ["0.07", "0.07", "0.07"]), ("group", "0.20", ["0.07", "0.07", "0.06"])],
)
def test_three_lines_of_a_third(rounding: Rounding, tax: str, shares: list[str]) -> None:
    found = of(["0.33"] * 3, rounding)
    assert str(found.tax.amount) == tax
    assert [str(part.tax.amount) for part in found.lines] == shares
    assert found.gross.amount == Decimal("0.99") + Decimal(tax)


def test_each_rate_is_a_group_of_its_own() -> None:
    lines = [
        line("0.33", DECISIONS[0], "1"),
        line("0.33", DECISIONS[1], "2"),
        line("0.33", DECISIONS[0], "3"),
    ]
    found = header_tax(lines, "EUR", "group")
    assert [(tax.code, str(tax.base.amount), str(tax.tax.amount)) for tax in found.taxes] == [
        ("A", "0.66", "0.13"),
        ("B", "0.33", "0.08"),
    ]


def test_a_negative_line_lowers_the_tax_of_its_group() -> None:
    found = of(["100.00", "-10.00"], "group")
    assert [str(part.tax.amount) for part in found.lines] == ["20.00", "-2.00"]
    assert str(found.gross.amount) == "108.00"


@pytest.mark.parametrize("rounding", ["line", "group"])
def test_the_halves_of_gst_are_rounded_each_and_stay_equal(rounding: Rounding) -> None:
    """9% of 1.05 is 0.09 twice: 0.18, where 18% at once would be 0.19."""
    found = header_tax([line("1.05", GST, currency="INR")], "INR", rounding)
    assert [(part.code, str(part.tax.amount)) for part in found.components] == [
        ("IN-CGST-9", "0.09"),
        ("IN-SGST-9", "0.09"),
    ]
    assert str(found.taxes[0].tax.amount) == "0.18"


def test_a_code_with_two_rates_is_refused() -> None:
    with pytest.raises(RuleError, match="19% and 16%"):
        header_tax([line(1, decision("DE-VAT", 19)), line(1, decision("DE-VAT", 16))], "EUR", "line")


def test_a_line_in_another_currency_is_refused() -> None:
    with pytest.raises(MoneyError):
        header_tax([line(1, DECISIONS[0], currency="USD")], "EUR", "line")


def test_no_lines_no_tax() -> None:
    assert header_tax([], "EUR", "group").gross == Money.zero("EUR")


LINES = st.lists(st.tuples(st.integers(-(10**9), 10**9), st.sampled_from(DECISIONS)), max_size=30)


@given(LINES, st.sampled_from(["EUR", "JPY", "BHD"]), st.sampled_from(["line", "group"]))
def test_lines_codes_and_header_sum_to_the_same(
    drawn: list[tuple[int, TaxDecision]], currency: str, rounding: Rounding
) -> None:
    unit = Decimal(1).scaleb(-minor_units(currency))
    lines = [line(units * unit, taxed, str(n), currency) for n, (units, taxed) in enumerate(drawn)]
    found = header_tax(lines, currency, rounding)
    assert found.gross == found.net + found.tax
    assert found.tax == total([part.tax for part in found.lines], currency)
    assert found.tax == total([tax.tax for tax in found.taxes], currency)
    assert found.net == total([tax.base for tax in found.taxes], currency)
    for part, taxable in zip(found.lines, lines, strict=True):
        exactly = taxable.net.amount * taxable.decision.rate_percent / 100
        assert abs(part.tax.amount - exactly) < 2 * unit
    if rounding == "group":
        for tax in found.taxes:
            if tax.code != GST.code:
                assert tax.tax == tax.base.times(tax.rate_percent / 100)


@given(LINES, st.sampled_from(["line", "group"]))
def test_a_credit_of_the_same_lines_mirrors_the_invoice(
    drawn: list[tuple[int, TaxDecision]], rounding: Rounding
) -> None:
    lines = [line(Decimal(cents).scaleb(-2), taxed, str(n)) for n, (cents, taxed) in enumerate(drawn)]
    mirrored = [each.with_changes(net=-each.net) for each in lines]
    one, other = header_tax(lines, "EUR", rounding), header_tax(mirrored, "EUR", rounding)
    assert [part.tax for part in one.lines] == [-part.tax for part in other.lines]
    assert one.gross == -other.gross
