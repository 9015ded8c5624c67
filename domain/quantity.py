"""Quantities of work as their source gave them: minutes stay minutes until a price has been multiplied."""

from decimal import Decimal
from typing import Literal

from domain.base import Value
from domain.money import Exact, Money

Unit = Literal["minutes", "hours", "days"]
_PER_HOUR = {"minutes": Decimal(60), "hours": Decimal(1)}


class Quantity(Value):
    """An amount of work. Negative in a reversal only."""

    amount: Exact
    unit: Unit

    def __add__(self, other: "Quantity") -> "Quantity":
        if other.unit != self.unit:
            raise ValueError(f"{self.unit} and {other.unit} cannot be added: bring them to one unit first")
        return Quantity(amount=self.amount + other.amount, unit=self.unit)

    def __neg__(self) -> "Quantity":
        return Quantity(amount=-self.amount, unit=self.unit)

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}"

    def priced(self, rate: Decimal, currency: str, per: Literal["hour", "day"] = "hour") -> Money:
        """This x `rate`, rounded once. Raises `ValueError` for hours at a rate per day and the reverse."""
        if per == "day":
            if self.unit != "days":
                raise ValueError(f"{self} have no price at a rate per day")
            return Money.rounded(self.amount * rate, currency)
        if self.unit == "days":
            raise ValueError(f"{self} have no price at a rate per hour")
        return Money.rounded(self.amount * rate / _PER_HOUR[self.unit], currency)
