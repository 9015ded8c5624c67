"""Hours a person can still be planned for: working days less what is unavailable and what is assigned.

A day has a fifth of the week's hours on weekdays that are no holiday of the person's calendar, none on any
other day or outside the employment. An assignment takes its hours evenly from the working days it spans.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from domain.base import Value
from domain.calendar import days_in
from domain.people import UnavailableDay, WorkCalendar, Worker
from domain.psa_people import PsaAssignment

FULL_WEEK = Decimal(40)
"""Of who has neither hours nor a calendar that says them."""
DAYS_A_WEEK = 5
_NONE = Decimal(0)


class Availability(Value):
    """A person with all that takes hours away."""

    worker: Worker
    calendar: WorkCalendar | None = None
    unavailable: tuple[UnavailableDay, ...] = ()
    assignments: tuple[PsaAssignment, ...] = ()

    def present(self, first: date, last: date) -> dict[date, Decimal]:
        """Hours of each working day on which the person is there; days without any are left out."""
        away: defaultdict[date, Decimal] = defaultdict(Decimal)
        for day in self.unavailable:
            away[day.day] += day.hours
        hours = {day: self._day(day) - away[day] for day in days(first, last)}
        return {day: left for day, left in hours.items() if left > 0}

    def assigned(self, first: date, last: date) -> dict[date, Decimal]:
        """Planned hours of each day."""
        taken: defaultdict[date, Decimal] = defaultdict(Decimal)
        for one in self.assignments:
            for day, hours in spread(one.hours, self.working(one.starts_on, one.ends_on)).items():
                if first <= day <= last:
                    taken[day] += hours
        return dict(taken)

    def free(self, first: date, last: date) -> dict[date, Decimal]:
        """What is left of each day; a day that is planned beyond its hours has none."""
        taken = self.assigned(first, last)
        left = {day: hours - taken.get(day, _NONE) for day, hours in self.present(first, last).items()}
        return {day: hours for day, hours in left.items() if hours > 0}

    def working(self, first: date, last: date) -> list[date]:
        """Working days of the person's calendar within the employment."""
        return [day for day in days(first, last) if self._day(day) > 0]

    def _day(self, day: date) -> Decimal:
        closed = self.calendar is not None and day in self.calendar.holidays
        if day.weekday() >= DAYS_A_WEEK or closed or not self.worker.employed_on(day):
            return _NONE
        week = self.worker.weekly_hours or (self.calendar.weekly_hours if self.calendar else None)
        return (week or FULL_WEEK) / DAYS_A_WEEK


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range(days_in(first, last)))


def spread(hours: Decimal, over: Sequence[date]) -> Mapping[date, Decimal]:
    """`hours` evenly over days; nowhere where there is no day."""
    return {day: hours / len(over) for day in over} if over and hours else {}


def total(hours: Mapping[date, Decimal]) -> Decimal:
    """The sum, to a hundredth of an hour."""
    return sum(hours.values(), _NONE).quantize(Decimal("0.01"))
