"""Capacity by role and week: hours that are there, planned and demanded, and what is short.

Short is what open demand needs beyond the free hours of the role in that week, never below zero. A demand
takes its hours evenly from the weekdays it spans.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from domain.base import Value
from domain.money import Exact
from domain.rules.availability import Availability, days, spread
from domain.rules.candidates import Need

_HUNDREDTH = Decimal("0.01")


class WeekOfRole(Value):
    """One role in one week, in hours."""

    role: str
    week: date
    """Its Monday."""
    available: Exact
    assigned: Exact
    demanded: Exact
    short: Exact


def weeks_from(today: date, count: int) -> list[date]:
    """Mondays of this week and those after it."""
    monday = today - timedelta(days=today.weekday())
    return [monday + timedelta(weeks=n) for n in range(count)]


def capacity(
    people: Iterable[Availability], needs: Iterable[Need], weeks: Sequence[date]
) -> tuple[WeekOfRole, ...]:
    """Every role that somebody has or needs, in order of role and week."""
    first, last = weeks[0], weeks[-1] + timedelta(days=6)
    there: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    taken: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    free: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    asked: defaultdict[tuple[str, date], Decimal] = defaultdict(Decimal)
    roles: set[str] = set()
    for person in people:
        role = person.worker.role
        if not role:
            continue
        roles.add(role)
        for sums, hours in (
            (there, person.present(first, last)),
            (taken, person.assigned(first, last)),
            (free, person.free(first, last)),
        ):
            for day, amount in hours.items():
                sums[role, _monday(day)] += amount
    for need in needs:
        roles.add(need.role)
        weekdays = [day for day in days(need.starts_on, need.ends_on) if day.weekday() < 5]
        for day, amount in spread(need.hours, weekdays).items():
            asked[need.role, _monday(day)] += amount
    return tuple(
        WeekOfRole(
            role=role,
            week=week,
            available=there[role, week].quantize(_HUNDREDTH),
            assigned=taken[role, week].quantize(_HUNDREDTH),
            demanded=asked[role, week].quantize(_HUNDREDTH),
            short=max(asked[role, week] - free[role, week], Decimal(0)).quantize(_HUNDREDTH),
        )
        for role in sorted(roles)
        for week in weeks
    )


def bench(
    people: Iterable[Availability], first: date, last: date, *, least_percent: int = 50
) -> list[tuple[Availability, Decimal, int]]:
    """Whoever is there in the range and has at least so much of it free: (person, free hours, percent)."""
    found = []
    for person in people:
        present, free = sum(person.present(first, last).values()), sum(person.free(first, last).values())
        percent = int(free * 100 / present) if present else 0
        if present and percent >= least_percent and person.worker.role:
            found.append((person, Decimal(free).quantize(_HUNDREDTH), percent))
    return sorted(found, key=lambda one: (-one[2], -one[1], one[0].worker.number))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
