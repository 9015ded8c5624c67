"""Rounding an exact fraction to money: what no Decimal holds, such as an amount at an inverted rate."""

from decimal import Decimal
from fractions import Fraction

from domain.money import Money, minor_units


def rounded(amount: Fraction, currency: str) -> Money:
    """`amount` rounded HALF_UP (away from zero) to the minor unit, once, whatever its digits."""
    scale = 10 ** minor_units(currency)
    units = int(abs(amount) * scale + Fraction(1, 2))
    return Money.of(Decimal(units if amount >= 0 else -units).scaleb(-minor_units(currency)), currency)
