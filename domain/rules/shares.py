"""Shares of a rounded line: exact parts brought to the currency's unit so that they sum to the line.

Rule 1 (splits): largest remainder, ties in order, parts always sum to the whole, negatives mirror
positives. Unlike `Money.allocate` the parts may have both signs, as an entry and its reversal do.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from domain.money import Money, minor_units
from domain.rules.errors import RuleError


class SharesError(RuleError):
    """Parts that are not the parts of the line."""


def share_out(whole: Money, parts: Sequence[Decimal]) -> list[Money]:
    """`parts`, unrounded, as amounts that sum to `whole`, their rounded sum.

    No share is further from its part than one unit. Raises `SharesError` where the parts sum to more
    than a unit beside the whole: they belong to another line.
    """
    unit = Decimal(1).scaleb(-minor_units(whole.currency))
    shares = [part.quantize(unit, ROUND_DOWN) for part in parts]
    missing = int((whole.amount - sum(shares, Decimal(0))) / unit)
    if abs(whole.amount - sum(parts, Decimal(0))) >= unit or abs(missing) > len(parts):
        raise SharesError(
            "shares", "1 splits", f"the parts sum to {sum(parts, Decimal(0))}, the line is {whole}", whole
        )
    sign = -1 if missing < 0 else 1
    order = sorted(range(len(parts)), key=lambda i: (sign * (shares[i] - parts[i]), i))
    for i in order[: abs(missing)]:
        shares[i] += sign * unit
    return [Money.of(share, whole.currency) for share in shares]
