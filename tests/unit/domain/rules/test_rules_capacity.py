"""Capacity, worked by hand: two architects, a demand of 100 hours over two weeks."""

from datetime import date, timedelta
from decimal import Decimal

from domain.rules.candidates import Need
from domain.rules.capacity import bench, capacity, weeks_from
from tests.unit.domain.rules.staffed_people import FRIDAY, MONDAY, person


def test_weeks_begin_on_mondays() -> None:
    assert weeks_from(MONDAY + timedelta(days=3), 2) == [MONDAY, MONDAY + timedelta(days=7)]


def test_short_is_what_is_demanded_beyond_what_is_free() -> None:
    people = [person("W-0001", assigned=30), person("W-0002", off={MONDAY: 8}), person("W-0003", role="")]
    asked = Need(role="Architect", starts_on=MONDAY, ends_on=FRIDAY + timedelta(days=7), hours=Decimal(100))
    tester = Need(role="Tester", starts_on=MONDAY, ends_on=FRIDAY, hours=Decimal(8))
    found = {(one.role, one.week): one for one in capacity(people, [asked, tester], weeks_from(MONDAY, 2))}
    first, second = found["Architect", MONDAY], found["Architect", MONDAY + timedelta(days=7)]
    # 80 less a day; free are 10 and 32; 100 hours over ten weekdays are 50 a week.
    assert (first.available, first.assigned, first.demanded, first.short) == (72, 30, 50, 8)
    assert (second.available, second.assigned, second.demanded, second.short) == (80, 0, 50, 0)
    nobody = found["Tester", MONDAY]
    assert (nobody.available, nobody.demanded, nobody.short) == (0, 8, 8)


def test_the_bench_is_who_has_half_of_it_free() -> None:
    people = [
        person("W-0001", assigned=30),
        person("W-0002", assigned=10),
        person("W-0003"),
        person("W-0004", ends_on=date(2026, 1, 1)),
    ]
    found = [(one.worker.number, hours, percent) for one, hours, percent in bench(people, MONDAY, FRIDAY)]
    assert found == [("W-0003", Decimal(40), 100), ("W-0002", Decimal(30), 75)]
