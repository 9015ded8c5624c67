"""The days of the seeded firm, all relative to the day on which it is made. Nothing here reads a clock."""

from calendar import monthrange
from datetime import date, timedelta

NOTICE = timedelta(days=7)
"""A project is activated so long before it begins at the latest: nothing of it is due by then."""


def opening(as_of: date) -> date:
    """The first day of the month in which the next projects begin, at least `NOTICE` away."""
    first = in_month(as_of, 1)
    return first if first - as_of >= NOTICE else in_month(as_of, 2)


def in_month(day: date, months: int, on: int = 1) -> date:
    """The day `on` of the month that is `months` after that of `day`."""
    year, month = divmod(day.month - 1 + months, 12)
    return date(day.year + year, month + 1, on)


def month_end(start: date, months: int) -> date:
    """The last day of the term of `months` that begins in the month of `start`."""
    last = in_month(start, months - 1)
    return last.replace(day=monthrange(last.year, last.month)[1])
