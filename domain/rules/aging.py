"""Receivables by age, and what they are in days of sales. Each figure says its formula and period.

Source: rules 16 (cash and dunning) and 11 (performance figures). Age counts from the due date; credits and
cash that is not applied stand apart, so that they do not make old invoices look young.
"""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Literal

from domain.base import Value
from domain.calendar import days_in
from domain.invariants import in_currency
from domain.money import Exact, Money, total
from domain.rules.errors import RuleError

DEFAULT_EDGES = (30, 60, 90)
ONE_DECIMAL = Decimal("0.1")
TaxBasis = Literal["net", "gross"]


class OpenInvoice(Value):
    """What is open of one invoice; below zero it is a credit note."""

    invoice: str
    customer: str
    open_amount: Money
    due_on: date
    disputed: bool = False


class UnappliedCash(Value):
    customer: str
    amount: Money


class AgeBucket(Value):
    """Invoices from `first` to `last` days past due; the first has no beginning, the last no end."""

    label: str
    first: int | None
    last: int | None
    amount: Money
    invoices: tuple[str, ...] = ()


class Aging(Value):
    """Receivables of one currency on one day: open = buckets - credits - unapplied."""

    basis: str = "days past due date"
    as_of: date
    buckets: tuple[AgeBucket, ...]
    disputed: Money
    """Part of the buckets."""
    credits: Money
    unapplied: Money
    open: Money


class Measured(Value):
    """An amount with the tax basis it is on: two of them are compared on the same one only."""

    amount: Money
    basis: TaxBasis

    def net_of(self, rate_percent: Decimal) -> "Measured":
        """Without tax of `rate_percent`; what is net already stays."""
        if self.basis == "net":
            return self
        net = Money.rounded(self.amount.amount / (1 + rate_percent / 100), self.amount.currency)
        return Measured(amount=net, basis="net")


class DayFigure(Value):
    """A figure in days, with the formula and the period it was made of."""

    days: Exact
    """To one decimal."""
    formula: str
    first: date
    last: date


def aging(
    items: Sequence[OpenInvoice],
    unapplied: Sequence[UnappliedCash],
    as_of: date,
    currency: str,
    edges: Sequence[int] = DEFAULT_EDGES,
) -> Aging:
    """Items of one `currency` by days past due: not due, 1 to 30, 31 to 60, 61 to 90, over 90.

    Raises `RuleError` for edges that do not rise from above zero, `MoneyError` for another currency.
    """
    if not edges or edges[0] < 1 or any(one >= other for one, other in pairwise(edges)):
        raise RuleError("edges", "16 cash", f"buckets end after rising numbers of days, not {list(edges)}")
    owed = [item for item in items if item.open_amount.amount > 0]
    buckets = tuple(_bucket(owed, span, as_of, currency) for span in _spans(edges))
    credits = -total([item.open_amount for item in items if item.open_amount.amount < 0], currency)
    cash = total([each.amount for each in unapplied], currency)
    return Aging(
        as_of=as_of,
        buckets=buckets,
        disputed=total([item.open_amount for item in owed if item.disputed], currency),
        credits=credits,
        unapplied=cash,
        open=total([bucket.amount for bucket in buckets], currency) - credits - cash,
    )


def days_sales_outstanding(
    receivables: Measured, credit_sales: Measured, first: date, last: date
) -> DayFigure:
    """Receivables / credit sales of the period x its days: 450,000 / 1,350,000 x 90 = 30.0.

    Raises `RuleError` for two tax bases, or no sales.
    """
    return _in_days(receivables, credit_sales, first, last, "DSO = receivables / credit sales x days")


def lock_up(unbilled: Money, receivables: Measured, revenue: Measured, first: date, last: date) -> DayFigure:
    """Unbilled work and receivables, net of tax, in days of revenue. Raises `RuleError` as above."""
    if receivables.basis != "net":
        raise RuleError("receivables", "11 performance", "lock-up is net of tax: take the tax out first")
    both = Measured(amount=unbilled + receivables.amount, basis="net")
    return _in_days(both, revenue, first, last, "lock-up = (unbilled + receivables, net) / revenue x days")


def _in_days(part: Measured, whole: Measured, first: date, last: date, formula: str) -> DayFigure:
    days = days_in(first, last)
    if part.basis != whole.basis:
        raise RuleError(
            "basis",
            "11 performance",
            f"{part.basis} and {whole.basis} amounts do not compare: bring both to one",
        )
    if whole.amount.amount <= 0 or not days:
        raise RuleError(
            "sales", "11 performance", f"no sales from {first} to {last} to measure by", whole.amount
        )
    in_currency(whole.amount.currency, [part.amount], "the figure")
    ratio = part.amount.amount * days / whole.amount.amount
    spelled = f"{formula}, {whole.basis} of tax: {part.amount} / {whole.amount} x {days}"
    return DayFigure(days=ratio.quantize(ONE_DECIMAL, ROUND_HALF_UP), formula=spelled, first=first, last=last)


def _spans(edges: Sequence[int]) -> list[tuple[int | None, int | None]]:
    starts: list[int | None] = [None, 1, *(edge + 1 for edge in edges)]
    return list(zip(starts, [0, *edges, None], strict=True))


def _bucket(
    owed: Sequence[OpenInvoice], span: tuple[int | None, int | None], as_of: date, currency: str
) -> AgeBucket:
    first, last = span
    within = [
        item
        for item in owed
        if (first is None or (as_of - item.due_on).days >= first)
        and (last is None or (as_of - item.due_on).days <= last)
    ]
    label = "not due" if first is None else f"over {first - 1}" if last is None else f"{first} to {last}"
    return AgeBucket(
        label=label,
        first=first,
        last=last,
        amount=total([item.open_amount for item in within], currency),
        invoices=tuple(item.invoice for item in within),
    )
