"""What of a contract is billed by plan, and when: milestones once each, subscriptions period by period.

Time and materials are billed as worked, percent-complete lines as progress is agreed: neither is planned.
"""

from datetime import date, timedelta
from decimal import Decimal

from domain.calendar import days_in, months_later
from domain.commands import ScheduleLine
from domain.deal_dates import line_dates
from domain.selling import BillingMethod, ContractLine, Deal

_MONTHS = {"monthly": 1, "quarterly": 3}


def scheduled_lines(deal: Deal) -> list[ContractLine]:
    """The contract lines a billing schedule plans: their amounts are what it must sum to."""
    planned = (BillingMethod.MILESTONE, BillingMethod.SUBSCRIPTION)
    return [line for line in deal.lines if line.billing_method in planned]


def schedule_lines(deal: Deal) -> tuple[ScheduleLine, ...]:
    """Every planned bill in order of its due date.

    Raises `ValueError` naming the line that lacks an amount, a date or a frequency.
    """
    lines: list[ScheduleLine] = []
    for line in scheduled_lines(deal):
        is_milestone = line.billing_method is BillingMethod.MILESTONE
        lines += [_milestone(line)] if is_milestone else _subscription(line, deal)
    return tuple(sorted(lines, key=lambda line: line.due_on))


def billing_periods(first: date, last: date, months: int) -> list[tuple[date, date]]:
    """`first` to `last` cut into periods of `months`, the day of `first` kept: 31 Jan, 28 Feb, 31 Mar.

    Only the last period may be short. Empty when `last` is before `first`.
    """
    starts = [first]
    while (following := months_later(first, months * len(starts))) <= last:
        starts.append(following)
    ends = [start - timedelta(days=1) for start in starts[1:]] + [last]
    return list(zip(starts, ends, strict=True)) if first <= last else []


def _milestone(line: ContractLine) -> ScheduleLine:
    if line.amount is None or line.due_on is None:
        raise ValueError(
            f"line {line.number} {line.name} cannot be scheduled: it needs an amount and a due date"
        )
    return ScheduleLine(ref=str(line.number), description=line.name, amount=line.amount, due_on=line.due_on)


def _subscription(line: ContractLine, deal: Deal) -> list[ScheduleLine]:
    """The line's amount over its periods, each due on its first day; a short last period by its days."""
    dates = line_dates(line, deal)
    if line.amount is None or line.frequency is None or dates is None:
        raise ValueError(
            f"line {line.number} {line.name} cannot be scheduled: it needs an amount, dates and a frequency"
        )
    periods = billing_periods(*dates, _MONTHS[line.frequency])
    if not periods:
        raise ValueError(f"line {line.number} {line.name} cannot be scheduled: it ends before it starts")
    amounts = line.amount.allocate(_weights(periods, _MONTHS[line.frequency]))
    return [
        ScheduleLine(
            ref=f"{line.number}.{n}",
            description=f"{line.name}, {start.isoformat()} to {end.isoformat()}",
            amount=amount,
            due_on=start,
            kind="recurring",
        )
        for n, ((start, end), amount) in enumerate(zip(periods, amounts, strict=True), start=1)
    ]


def _weights(periods: list[tuple[date, date]], months: int) -> list[Decimal]:
    """Equal weights; the last period by days used of the days it would have in full."""
    anchor, (start, end) = periods[0][0], periods[-1]
    full = days_in(start, months_later(anchor, months * len(periods)) - timedelta(days=1))
    return [Decimal(full)] * (len(periods) - 1) + [Decimal(days_in(start, end))]
