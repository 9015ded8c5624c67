"""Free hours, worked by hand: a week of 40 hours less holidays, absences and assignments."""

from datetime import date, timedelta
from decimal import Decimal

from domain.rules.availability import spread, total
from tests.unit.domain.rules.staffed_people import CALENDAR, FRIDAY, MONDAY, WEEK, person

TUESDAY, WEDNESDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=2)


def test_a_week_has_five_fifths() -> None:
    assert total(person().present(MONDAY, FRIDAY + timedelta(days=2))) == Decimal(40)
    assert total(person(weekly_hours=Decimal("38.5")).present(*WEEK)) == Decimal("38.5")


def test_a_holiday_of_the_calendar_has_no_hours() -> None:
    assert total(person(calendar_of=CALENDAR).present(*WEEK)) == Decimal(32)


def test_the_calendar_says_the_hours_of_who_has_none() -> None:
    short = CALENDAR.with_changes(weekly_hours=Decimal(30), holidays=())
    assert total(person(weekly_hours=None, calendar_of=short).present(*WEEK)) == Decimal(30)
    assert total(person(weekly_hours=None).present(*WEEK)) == Decimal(40)


def test_unavailable_and_assigned_hours_are_taken_off_day_by_day() -> None:
    # 40 less a day off and half a day; 25 planned hours over five days are 5 a day.
    one = person(off={MONDAY: 8, TUESDAY: 4}, assigned=25)
    assert total(one.present(*WEEK)) == Decimal(28)
    assert total(one.assigned(*WEEK)) == Decimal(25)
    # Monday none, Tuesday 4 - 5 none, then three days of 3.
    assert one.free(*WEEK) == {WEDNESDAY + timedelta(days=n): Decimal(3) for n in range(3)}


def test_nobody_is_there_before_the_first_and_after_the_last_day() -> None:
    assert total(person(hired_on=FRIDAY).present(*WEEK)) == Decimal(8)
    assert total(person(ends_on=TUESDAY).present(*WEEK)) == Decimal(16)
    assert person(ends_on=date(2026, 1, 1)).present(*WEEK) == {}


def test_hours_are_spread_over_the_days_there_are() -> None:
    assert spread(Decimal(10), [MONDAY, TUESDAY]) == {MONDAY: Decimal(5), TUESDAY: Decimal(5)}
    assert spread(Decimal(10), []) == {}
    # A holiday takes nothing: 32 hours of an assignment over four working days.
    one = person(calendar_of=CALENDAR, assigned=32)
    assert one.free(*WEEK) == {}
