"""Money: an exact decimal amount in an ISO 4217 currency, and the few operations rules need.

Source of the rules: `docs/rules.md` (money), ISO 4217 for currencies and minor units. Amounts are
`Decimal`, strings in JSON. NaN, Infinity, floats and excess decimals are refused where they enter.
"""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Self

import pycountry
from pydantic import BeforeValidator, model_validator

from domain.base import Value

_ZERO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
_THREE_DECIMALS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
_FOUR_DECIMALS = frozenset("CLF UYW".split())
# Codes of ISO 4217 that have no minor unit: metals, bond units, drawing rights, "no currency", tests.
_NOT_INVOICEABLE = frozenset("XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split())
_CODES = frozenset(currency.alpha_3 for currency in pycountry.currencies)

MAX_ABSOLUTE = Decimal("1e15")
"""Largest magnitude accepted for one amount; beyond it the input is a mistake, not a contract."""


class MoneyError(ValueError):
    """An amount or a currency that cannot be used; the text says what is wrong and what is expected."""


def minor_units(currency: str) -> int:
    """Decimals of `currency` per ISO 4217. Raises `MoneyError` for unknown or non-invoiceable codes."""
    if currency not in _CODES:
        raise MoneyError(
            f"currency {currency!r} is not an ISO 4217 code (three capital letters, such as EUR)"
        )
    if currency in _NOT_INVOICEABLE:
        raise MoneyError(f"currency {currency!r} has no minor unit and may not be invoiced")
    if currency in _ZERO_DECIMALS:
        return 0
    if currency in _THREE_DECIMALS:
        return 3
    return 4 if currency in _FOUR_DECIMALS else 2


def exact(value: object) -> Decimal:
    """`value` as a finite Decimal. Raises `MoneyError` for floats, NaN, Infinity and other text."""
    if isinstance(value, bool | float):
        raise MoneyError(
            f'{value!r} is a {type(value).__name__}; give a decimal number as text, such as "12.50"'
        )
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        raise MoneyError(f"{value!r} is not a decimal number") from None
    if not number.is_finite():
        raise MoneyError(f"{value!r} is not a finite number")
    if abs(number) > MAX_ABSOLUTE:
        raise MoneyError(f"{value!r} is out of range (magnitude above {MAX_ABSOLUTE:f})")
    return number


Exact = Annotated[Decimal, BeforeValidator(exact)]
"""A finite Decimal field: quantities, rates, percentages."""


class Money(Value):
    """An amount in transaction currency, with at most the currency's minor units."""

    amount: Exact
    currency: str

    @model_validator(mode="after")
    def _within_minor_units(self) -> Self:
        _check_decimals(self.amount, self.currency)
        return self

    @classmethod
    def of(cls, amount: object, currency: str) -> "Money":
        """`amount` (text, int or Decimal) in `currency`, padded to its minor units; never rounded.

        Raises `MoneyError`, where a model built from unread data raises `pydantic.ValidationError`.
        """
        number = exact(amount)
        _check_decimals(number, currency)
        return cls(amount=number.quantize(_unit(currency)), currency=currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> "Money":
        """`amount` rounded HALF_UP (away from zero) to the minor unit: once per line, at its end."""
        return cls(amount=exact(amount).quantize(_unit(currency), ROUND_HALF_UP), currency=currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls.of(0, currency)

    def __add__(self, other: "Money") -> "Money":
        return Money.of(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money.of(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money.of(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __str__(self) -> str:
        return f"{self.amount:,.{minor_units(self.currency)}f} {self.currency}"

    def times(self, factor: Decimal) -> "Money":
        """This amount x `factor`, rounded HALF_UP once."""
        return Money.rounded(self.amount * exact(factor), self.currency)

    def allocate(self, weights: Sequence[Decimal]) -> list["Money"]:
        """Split by `weights` with largest remainder, ties in order; the parts always sum to the whole.

        Negatives mirror positives. Raises `MoneyError` without weights, for a negative weight, or when
        all weights are zero.
        """
        total = sum(weights, Decimal(0))
        if not weights or total <= 0 or min(weights) < 0:
            raise MoneyError("an allocation needs weights of zero or more that do not sum to zero")
        unit, sign = _unit(self.currency), -1 if self.amount < 0 else 1
        shares = [abs(self.amount) * weight / total for weight in weights]
        parts = [share.quantize(unit, ROUND_DOWN) for share in shares]
        missing = int((abs(self.amount) - sum(parts)) / unit)
        order = sorted(range(len(parts)), key=lambda i: (parts[i] - shares[i], i))
        for i in order[:missing]:
            parts[i] += unit
        return [Money.of(sign * part, self.currency) for part in parts]

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise MoneyError(f"{self.currency} and {other.currency} cannot be combined without a rate")
        return other.amount


def total(amounts: Sequence[Money], currency: str) -> Money:
    """The sum of `amounts`, all of which must be in `currency`; zero when there are none."""
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result


def _check_decimals(amount: Decimal, currency: str) -> None:
    decimals = -int(amount.normalize().as_tuple().exponent)
    allowed = minor_units(currency)
    if decimals > allowed:
        raise MoneyError(f"{amount} {currency} has {decimals} decimals; {currency} allows {allowed}")


def _unit(currency: str) -> Decimal:
    return Decimal(1).scaleb(-minor_units(currency))
