"""Exchange differences: unrealised on open items at a closing, realised when an invoice is paid.

Source: rule 10 (currency), ASC 830-20, IAS 21.23-28. Amounts owed to us are positive, amounts we owe
negative, so that a difference above zero is a gain. Where the ERP revalues, this is the check of its figure.
"""

from datetime import date
from fractions import Fraction
from typing import Literal, Self

from pydantic import model_validator

from domain.base import Value
from domain.calendar import Period
from domain.money import Money
from domain.rules.fx import Exchange
from domain.rules.rounding import rounded

ItemKind = Literal["receivable", "payable", "contract_asset", "retention", "contract_liability"]
NON_MONETARY: frozenset[ItemKind] = frozenset({"contract_liability"})
"""An advance is owed in work, not in money: it keeps the rate of the day it came (IAS 21.16)."""


class OpenItem(Value):
    """What is open of one document, in its own currency and in the entity's at the document's rate."""

    kind: ItemKind
    amount: Money
    base: Money

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.amount.amount * self.base.amount < 0:
            raise ValueError(f"open item of {self.amount} has the base amount {self.base}: signs differ")
        if self.amount.currency == self.base.currency and self.amount != self.base:
            raise ValueError(f"open item of {self.amount} has the base amount {self.base} in one currency")
        return self


class Revaluation(Value):
    """The difference at a closing; it is reversed on the first day of the next period."""

    difference: Money
    closing_base: Money
    on: date
    reverses_on: date


class Settlement(Value):
    """A payment against the rate of its invoice, and what is open after it."""

    received: Money
    """In base currency, at the rate of the payment."""
    relieved: Money
    """In base currency, at the rate of the invoice: what leaves the receivable."""
    difference: Money
    """Realised: above zero a gain."""
    rest: OpenItem


def unrealised(item: OpenItem, closing: Exchange, period: Period) -> Revaluation:
    """What `item` is worth more at the closing rate of `period` than at its own; zero if it is not monetary.

    Raises `ValueError` for a rate that is no closing rate, or converts to another currency than the base.
    """
    if closing.legs and closing.type != "closing":
        raise ValueError(
            f"{item.amount} is revalued at the closing rate of {period}, not at a {closing.type} rate"
        )
    _same_base(item, closing)
    worth = item.base if item.kind in NON_MONETARY else closing.convert(item.amount)
    return Revaluation(
        difference=worth - item.base,
        closing_base=worth,
        on=period.last,
        reverses_on=period.next.first,
    )


def realised(item: OpenItem, paid: Money, at: Exchange) -> Settlement:
    """The payment `paid` of `item`, in the item's currency, at the rate of its day.

    The last of several payments relieves what is left, so that they sum to the base amount exactly.
    Raises `ValueError` for more than is open, or a payment of the other sign.
    """
    _same_base(item, at)
    if paid.currency != item.amount.currency:
        raise ValueError(f"{paid} cannot pay an item in {item.amount.currency}: convert it first")
    if paid.amount * item.amount.amount <= 0 or abs(paid.amount) > abs(item.amount.amount):
        raise ValueError(f"{paid} cannot be applied: {item.amount} are open, the rest stays unapplied")
    share = Fraction(paid.amount) / Fraction(item.amount.amount)
    relieved = rounded(Fraction(item.base.amount) * share, item.base.currency)
    received = at.convert(paid)
    return Settlement(
        received=received,
        relieved=relieved,
        difference=received - relieved,
        rest=OpenItem(kind=item.kind, amount=item.amount - paid, base=item.base - relieved),
    )


def _same_base(item: OpenItem, exchange: Exchange) -> None:
    pair = (exchange.from_currency, exchange.to_currency)
    if pair != (item.amount.currency, item.base.currency):
        raise ValueError(
            f"an item of {item.amount} with base {item.base} is not valued by a rate {pair[0]} to {pair[1]}"
        )
