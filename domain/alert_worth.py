"""What open work is worth for an alert: at the contract's prices where it has one, else in time.

Before caps, retention, markup and tax: what may be billed is decided when it is priced for an invoice.
"""

from collections import defaultdict
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from domain.alert_state import Worth
from domain.billable import Billable, IntakeProblem
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.quantity import Quantity
from domain.rules.errors import RuleError
from domain.rules.pricing import Rate, price, rate_of
from domain.selling import RateCard

_MINUTES = {"minutes": Decimal(1), "hours": Decimal(60)}
_CENT = Decimal("0.01")


def worth_of(
    entries: Sequence[Billable], contract: ProjectContract | None, cards: Sequence[RateCard]
) -> Worth:
    """Time and expenses together, with what the review wrote down or up."""
    sums = _Sums()
    for entry in entries:
        net = _net(entry, contract, cards)
        if net is not None:
            sums.add(net)
        elif entry.quantity is not None:
            sums.add_time(entry.quantity)
            continue
        if entry.adjustment is not None:
            sums.add(entry.adjustment.amount)
    return sums.worth()


def worth_of_amounts(amounts: Sequence[Money | None]) -> Worth:
    """Of what has a price already; None has none yet."""
    sums = _Sums()
    for amount in amounts:
        if amount is not None:
            sums.add(amount)
    return sums.worth()


def worth_of_problems(problems: Sequence[IntakeProblem]) -> Worth:
    """As their amounts say: `8.00 h`, `1 d` or `119.00 EUR`. Those of unreadable records are unknown."""
    sums = _Sums()
    for problem in problems:
        number, _, unit = problem.amount.replace(",", "").partition(" ")
        if unit == "h":
            sums.minutes += Decimal(number) * 60
        elif unit == "d":
            sums.days += Decimal(number)
        elif unit:
            sums.add(Money.of(number, unit))
    return sums.worth()


def joined(parts: Sequence[Worth]) -> Worth:
    """The sum of `parts`, currency by currency."""
    sums = _Sums()
    for part in parts:
        for value in part.values:
            sums.add(value)
        sums.minutes += part.hours * 60
        sums.days += part.days
    return sums.worth()


class _Sums:
    def __init__(self) -> None:
        self._amounts: dict[str, Decimal] = defaultdict(Decimal)
        self.minutes = Decimal(0)
        self.days = Decimal(0)

    def add(self, amount: Money) -> None:
        self._amounts[amount.currency] += amount.amount

    def add_time(self, quantity: Quantity) -> None:
        if quantity.unit == "days":
            self.days += quantity.amount
        else:
            self.minutes += quantity.amount * _MINUTES[quantity.unit]

    def worth(self) -> Worth:
        values = tuple(Money.of(amount, code) for code, amount in sorted(self._amounts.items()) if amount)
        hours = (self.minutes / 60).quantize(_CENT, ROUND_HALF_UP)
        return Worth(values=values, hours=hours, days=self.days)


def _net(entry: Billable, contract: ProjectContract | None, cards: Sequence[RateCard]) -> Money | None:
    """The price of one entry, or None where no one rate holds."""
    if entry.amount is not None:
        return entry.amount
    if contract is None or entry.quantity is None:
        return None
    try:
        rate = rate_of(entry, contract, cards)
        return price(entry.quantity, rate, contract.terms.hours_per_day) if isinstance(rate, Rate) else None
    except RuleError:
        return None
