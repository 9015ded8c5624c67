"""Periods of a subscription line: which days each bills, when it is due, and what it costs.

Source: rule 9. Periods run from the line's start, its day kept, or by the months of the calendar; then the
first is short too. A short period costs its days of the days of the period that contains it. The contract's
amount is split so that periods sum to it exactly; where only a price per period is agreed, each full
period costs exactly that. `domain.billing_schedule` plans the same amounts for periods from the start.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from math import lcm
from typing import Literal

from domain.base import Value
from domain.calendar import Period, months_later
from domain.money import Money
from domain.project_contract import ProjectContract
from domain.rules.errors import RuleError
from domain.rules.proration import Span, containing_period, prorate
from domain.selling import ContractLine

_MONTHS = {"monthly": 1, "quarterly": 3}
_DAY = timedelta(days=1)


class SubscriptionError(RuleError):
    """A line that lacks what periods are made of."""


class SubscriptionPeriod(Value):
    span: Span
    within: Span
    """The whole period that contains it; the same where it is full."""
    amount: Money
    due_on: date

    @property
    def full(self) -> bool:
        return self.span == self.within

    @property
    def occasion(self) -> str:
        """The month it begins in, such as `2027-01`: one period of a line begins in it."""
        return str(Period.of(self.span.first))


def subscription_periods(line: ContractLine, contract: ProjectContract) -> tuple[SubscriptionPeriod, ...]:
    """All periods of `line`; its own dates, else the contract's. Due on the first day in advance, on the day
    after the last in arrears. Raises `SubscriptionError` naming what is missing."""
    if line.frequency is None:
        raise _missing(line, "frequency", "is missing: enter monthly or quarterly")
    first, last = line.starts_on or contract.starts_on, line.ends_on or contract.ends_on
    if last < first:
        raise _missing(line, "ends_on", f"is {last}, before the start {first}: correct the dates")
    terms = contract.terms
    cut = cut_periods(first, last, _MONTHS[line.frequency], terms.periods_from)
    amounts = _amounts(line, contract.currency, cut)
    return tuple(
        SubscriptionPeriod(
            span=span,
            within=within,
            amount=amount,
            due_on=span.last + _DAY if terms.in_arrears else span.first,
        )
        for (span, within), amount in zip(cut, amounts, strict=True)
    )


def cut_periods(
    first: date, last: date, months: int, periods_from: Literal["start", "calendar"] = "start"
) -> list[tuple[Span, Span]]:
    """`first` to `last` cut into periods of `months`, each with the whole period that contains it.

    Calendar quarters begin in January, April, July and October.
    """
    anchor = (
        first if periods_from == "start" else containing_period(date(first.year, 1, 1), months, first).first
    )
    cut: list[tuple[Span, Span]] = []
    start = anchor
    while start <= last:
        following = months_later(anchor, months * (len(cut) + 1))
        within = Span(first=start, last=following - _DAY)
        cut.append((Span(first=max(start, first), last=min(within.last, last)), within))
        start = following
    return cut


def due_periods(periods: Sequence[SubscriptionPeriod], on: date) -> list[SubscriptionPeriod]:
    """Those due on or before `on`, a day of the billing entity (`proration.local_day`)."""
    return [period for period in periods if period.due_on <= on]


def _amounts(line: ContractLine, currency: str, cut: Sequence[tuple[Span, Span]]) -> list[Money]:
    if line.amount is not None:
        if line.amount.currency != currency:
            raise _missing(line, "amount", f"is not in the contract's {currency}", line.amount)
        return line.amount.allocate(_weights(cut))
    if line.unit_price is None:
        raise _missing(line, "unit_price", "is missing, and so is the amount: enter either")
    try:
        price = Money.of(line.unit_price, currency)
    except ValueError as error:
        raise _missing(line, "unit_price", f"is no price of a period: {error}", line.unit_price) from error
    return [prorate(price, span, within) for span, within in cut]


def _weights(cut: Sequence[tuple[Span, Span]]) -> list[Decimal]:
    """Whole numbers in the ratio of days used to days of the containing period."""
    scale = lcm(*(within.days for span, within in cut if span != within), 1)
    return [Decimal(scale * span.days // within.days if span != within else scale) for span, within in cut]


def _missing(
    line: ContractLine, field: str, problem: str, amount: Money | Decimal | None = None
) -> SubscriptionError:
    return SubscriptionError(line.path(field), "9 proration", f"{line.name}: {problem}", amount)
