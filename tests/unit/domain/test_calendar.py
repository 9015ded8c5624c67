"""Periods, month anchors, working days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Period, days_in, months_later, overlap, working_days

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@given(DAYS)
def test_a_period_contains_its_days_and_neighbours_touch(day: date) -> None:
    period = Period.of(day)
    assert period.contains(day)
    assert Period.parse(str(period)) == period
    assert period.next.previous == period
    assert period.next.first == period.last + timedelta(days=1)
    assert period < period.next
    assert period.previous <= period
    assert not period.contains(period.next.first)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "26-11", "2026/11", "2026-1", "", "1899-12", "2026-11-01"]
)
def test_what_is_not_a_period_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM") as caught:
        Period.parse(text)
    assert repr(text) in str(caught.value)


def test_months_later_keeps_the_day_where_it_exists() -> None:
    anchor = date(2027, 1, 31)
    assert [months_later(anchor, n) for n in range(4)] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]
    assert months_later(date(2028, 1, 30), 1) == date(2028, 2, 29)
    assert months_later(date(2027, 1, 15), -1) == date(2026, 12, 15)


@given(DAYS, st.integers(-240, 240))
def test_months_later_lands_in_the_month_on_the_day_or_its_end(day: date, months: int) -> None:
    landed = months_later(day, months)
    assert (landed.year * 12 + landed.month) - (day.year * 12 + day.month) == months
    assert landed.day == day.day or landed == Period.of(landed).last


def test_overlap() -> None:
    year = date(2026, 1, 1), date(2026, 12, 31)
    assert overlap(*year, date(2026, 12, 31), date(2027, 5, 1)) == (date(2026, 12, 31), date(2026, 12, 31))
    assert overlap(*year, date(2027, 1, 1), date(2027, 5, 1)) is None
    assert days_in(*year) == 365
    assert days_in(date(2026, 1, 2), date(2026, 1, 1)) == 0


def test_working_days_leave_out_public_holidays() -> None:
    assert working_days("DE", date(2026, 12, 21), date(2026, 12, 27)) == 4
    assert working_days("US", date(2026, 11, 23), date(2026, 11, 29)) == 4
    assert working_days("IN", date(2026, 8, 10), date(2026, 8, 16)) == 5
    assert working_days("IN", date(2026, 1, 26), date(2026, 1, 26)) == 0
    assert working_days("DE", date(2026, 11, 1), date(2026, 10, 31)) == 0


@pytest.mark.parametrize(("country", "subdivision"), [("XX", None), ("DE", "ZZ")])
def test_unknown_places_are_named(country: str, subdivision: str | None) -> None:
    with pytest.raises(ValueError, match=country):
        working_days(country, date(2026, 1, 1), date(2026, 1, 2), subdivision)
