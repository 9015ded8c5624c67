"""What is drilled is the same on every day of the year: the calendar bills nothing of it by itself."""

from datetime import date, timedelta

import pytest

from domain.billing_calendar import due_events
from drill.billing_cast import HOURS, cast, refused_project
from drill.billing_stage import ToBill
from tests.support.project_billing_firm import a_contract

DEALS = {"EUR": ["deal-1"], "USD": ["deal-2"], "INR": ["deal-3"]}
YEAR = [date(2027, 1, 1) + timedelta(days=n) for n in range(365)]


def due(wanted: ToBill, until: date, *, first_cycle: date | None = None) -> list[str]:
    """Occasions of what the calendar bills of `wanted` until that day, late work included."""
    lines = tuple(sold.line("EUR", first_cycle or wanted.ends_on) for sold in wanted.sold)
    contract = a_contract(lines=lines, starts_on=wanted.starts_on, ends_on=wanted.ends_on)
    return [event.occasion for event in due_events(contract, None, until, late_work=True)]


@pytest.mark.parametrize("month", range(1, 13))
def test_nothing_falls_due_by_the_calendar_on_whatever_day_it_is_played(month: int) -> None:
    for today in [day for day in YEAR if day.month == month]:
        cases = [role.to_bill for role in cast(today, DEALS)] + [refused_project(today, "deal-1")]
        # Where an entity is, it may be tomorrow already.
        assert [due(wanted, today + timedelta(days=1)) for wanted in cases] == [[], [], [], []], today


def test_with_cycles_from_the_start_it_would_depend_on_the_day() -> None:
    (hours,) = [role.to_bill for role in cast(date(2026, 12, 2), DEALS) if role.number == HOURS]
    assert due(hours, date(2026, 12, 2), first_cycle=hours.starts_on) == ["2026-11"]
