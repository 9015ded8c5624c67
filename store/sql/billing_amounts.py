"""Amounts as columns keep them: whole numbers of the currency's minor unit."""

from decimal import Decimal
from typing import Any

from domain.money import Money, minor_units
from store.ports import StoreError

_LARGEST = 2**63 - 1
"""What a column of 64 bits holds."""


def to_minor(amount: Money) -> int:
    """The amount in minor units, exactly. Raises `StoreError` for one no column can hold."""
    minor = int(amount.amount.scaleb(minor_units(amount.currency)))
    if abs(minor) > _LARGEST:
        raise StoreError(f"{amount} is too large to be kept; correct it where it comes from")
    return minor


def from_minor(minor: Any, currency: str) -> Money:
    """The amount of a column or of a sum (an `int`, a `Decimal`, or `None` over no rows)."""
    return Money.of(Decimal(int(minor or 0)).scaleb(-minor_units(currency)), currency)
