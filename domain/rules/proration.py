"""Proration by days: what part of a period's price its used days cost, and what unused days give back.

Source: rule 9. Ends are inclusive; the count is days used of the days of the containing period; the month
anchor is kept (31 Jan, 28 Feb, 31 Mar); the time zone of the billing entity decides the day of an instant.
Unused time is credited at the price and tax it was billed with, and the credit that completes the period
takes the cent (14,537 + 843 = 15,380), as subscription billers publish for changes within a period.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.base import Value
from domain.calendar import days_in, months_later, overlap
from domain.invariants import in_currency
from domain.money import Money
from domain.rules.errors import RuleError

_DAY = timedelta(days=1)


class ProrationError(RuleError):
    """Days, or a credit, that do not belong to the period."""


class Span(Value):
    """Days from `first` to `last`, both counted."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return days_in(self.first, self.last)

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class BilledPeriod(Value):
    """A period as it was billed: a credit takes its price and its tax, not those of today."""

    span: Span
    net: Money
    tax: Money
    tax_code: str = ""


class UnusedCredit(Value):
    """A credit for unused days; amounts above zero, to be taken off."""

    span: Span
    net: Money
    tax: Money
    tax_code: str = ""


class PlanChange(Value):
    """An upgrade or downgrade on one day: the old price back for the days left, the new one charged."""

    credit: Money
    """Above zero, to be taken off."""
    charge: Money

    @property
    def due(self) -> Money:
        """Below zero after a downgrade."""
        return self.charge - self.credit


def local_day(instant: datetime, time_zone: str) -> date:
    """The day of `instant` where the billing entity is. Raises `ProrationError` for a naive instant or an
    unknown zone."""
    if instant.tzinfo is None:
        raise ProrationError("instant", "9 time zone", f"{instant} has no offset: it could be two days")
    try:
        return instant.astimezone(ZoneInfo(time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ProrationError(
            "entity.time_zone", "9 time zone", f"{time_zone!r} is unknown: enter one such as Europe/Berlin"
        ) from error


def containing_period(anchor: date, months: int, day: date) -> Span:
    """The period of `months` that contains `day`, counted from `anchor` in both directions."""
    n = ((day.year - anchor.year) * 12 + day.month - anchor.month) // months
    if months_later(anchor, n * months) > day:
        n -= 1
    first = months_later(anchor, n * months)
    return Span(first=first, last=months_later(anchor, (n + 1) * months) - _DAY)


def prorate(price: Money, used: Span, period: Span) -> Money:
    """`price` of the whole `period` for the days `used` of it, rounded once.

    Raises `ProrationError` where `used` is empty or not within the period.
    """
    _within("used", used, period, price)
    return Money.rounded(price.amount * used.days / period.days, price.currency)


def change_plan(old: Money, new: Money, on: date, period: Span) -> PlanChange:
    """From `on` to the end of `period` the price is `new` instead of `old` (both of a whole period)."""
    rest = Span(first=on, last=period.last)
    return PlanChange(credit=prorate(old, rest, period), charge=prorate(new, rest, period))


def credit_unused(billed: BilledPeriod, unused: Span, credited: Sequence[UnusedCredit] = ()) -> UnusedCredit:
    """The credit for `unused` days of `billed`, after those `credited` before.

    Never more than remains; the one that completes the period takes what remains, to the cent. Raises
    `ProrationError` for days outside the period or credited already, and for mixed currencies.
    """
    _within("unused", unused, billed.span, billed.net)
    for before in credited:
        _within("credited", before.span, billed.span, before.net)
        if overlap(unused.first, unused.last, before.span.first, before.span.last):
            raise ProrationError(
                "unused",
                "9 proration",
                f"{unused} meets {before.span}, which is credited already",
                before.net,
            )
    days_left = billed.span.days - sum(before.span.days for before in credited)
    net = _part(billed.net, [before.net for before in credited], unused, billed.span, days_left)
    tax = _part(billed.tax, [before.tax for before in credited], unused, billed.span, days_left)
    return UnusedCredit(span=unused, net=net, tax=tax, tax_code=billed.tax_code)


def _part(whole: Money, before: Sequence[Money], unused: Span, period: Span, days_left: int) -> Money:
    try:
        in_currency(whole.currency, before, "credited")
    except ValueError as error:
        raise ProrationError("credited", "10 currency", str(error), whole) from error
    remaining = whole.amount - sum((amount.amount for amount in before), Decimal(0))
    if remaining and (remaining < 0) != (whole.amount < 0):
        raise ProrationError("credited", "9 proration", f"is more than the {whole} billed", remaining)
    if unused.days == days_left:
        return Money.of(remaining, whole.currency)
    part = Money.rounded(whole.amount * unused.days / period.days, whole.currency)
    return min(part, Money.of(remaining, whole.currency), key=lambda amount: abs(amount.amount))


def _within(field: str, part: Span, period: Span, price: Money) -> None:
    if not part.days or part.first < period.first or part.last > period.last:
        raise ProrationError(field, "9 proration", f"{part} is not within the period {period}", price)
