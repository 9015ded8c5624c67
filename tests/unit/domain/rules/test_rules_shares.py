"""Shares of a rounded line: they sum to it, whatever their signs."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.rules.shares import SharesError, share_out
from tests.unit.domain.rules.priced_work import eur

PARTS = st.lists(st.fractions(-1000, 1000, max_denominator=60), min_size=1, max_size=30).map(
    lambda parts: [Decimal(part.numerator) / part.denominator for part in parts]
)


def test_the_cent_goes_to_the_largest_remainder_and_then_in_order() -> None:
    third = Decimal(100) / 3
    assert share_out(eur(100), [third] * 3) == [eur("33.34"), eur("33.33"), eur("33.33")]
    assert share_out(eur("0.05"), [Decimal("0.014"), Decimal("0.018"), Decimal("0.018")]) == [
        eur("0.01"),
        eur("0.02"),
        eur("0.02"),
    ]


def test_an_entry_and_its_reversal_share_nothing() -> None:
    half = Decimal("145.8333")
    assert share_out(eur(0), [half, -half]) == [eur("145.83"), eur("-145.83")]


@given(PARTS)
def test_shares_sum_to_the_line_and_stay_within_a_unit(parts: list[Decimal]) -> None:
    whole = Money.rounded(sum(parts, Decimal(0)), "EUR")
    shares = share_out(whole, parts)
    assert sum(share.amount for share in shares) == whole.amount
    assert all(abs(share.amount - part) <= Decimal("0.01") for share, part in zip(shares, parts, strict=True))


@given(PARTS)
def test_negatives_mirror_positives(parts: list[Decimal]) -> None:
    whole = Money.rounded(sum(parts, Decimal(0)), "EUR")
    assert [-share for share in share_out(whole, parts)] == share_out(-whole, [-part for part in parts])


def test_parts_of_another_line_are_refused() -> None:
    with pytest.raises(SharesError, match=r"sum to 3, the line is 5\.00 EUR"):
        share_out(eur(5), [Decimal(1), Decimal(2)])
