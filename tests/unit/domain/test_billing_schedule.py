"""Subscriptions cut into periods: anchors kept, amounts exact, the last short period by its days."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.billing_schedule import billing_periods, schedule_lines
from domain.money import Money, total
from tests.unit.domain.sample_deal import eur, with_line

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def subscription(
    first: date, last: date, amount: Money, frequency: str = "monthly"
) -> list[tuple[date, Money]]:
    deal = with_line(3, starts_on=first, ends_on=last, amount=amount, frequency=frequency)
    return [(line.due_on, line.amount) for line in schedule_lines(deal) if line.kind == "recurring"]


def test_month_ends_keep_their_anchor() -> None:
    dues = [due for due, _ in subscription(date(2027, 1, 31), date(2027, 5, 30), eur(4000))]
    assert dues == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


def test_quarters() -> None:
    bills = subscription(date(2027, 1, 1), date(2027, 12, 31), eur("100.01"), "quarterly")
    assert [due.month for due, _ in bills] == [1, 4, 7, 10]
    assert [amount.amount for _, amount in bills] == [
        Decimal(x) for x in ("25.01", "25.00", "25.00", "25.00")
    ]


def test_a_short_last_period_takes_its_days() -> None:
    """Two full months and 10 of 31 days: 7,200 splits 31 : 31 : 10."""
    bills = subscription(date(2027, 1, 1), date(2027, 3, 10), eur(7200))
    assert [amount for _, amount in bills] == [eur(3100), eur(3100), eur(1000)]


def test_a_single_short_period_takes_it_all() -> None:
    assert subscription(date(2027, 1, 1), date(2027, 1, 10), eur(500)) == [(date(2027, 1, 1), eur(500))]


@given(DAYS, st.integers(0, 2000), st.sampled_from([1, 3]))
def test_periods_cover_every_day_once(first: date, days: int, months: int) -> None:
    last = first + timedelta(days=days)
    periods = billing_periods(first, last, months)
    assert periods[0][0] == first
    assert periods[-1][1] == last
    assert all(start <= end for start, end in periods)
    for (_, end), (start, _) in pairwise(periods):
        assert start == end + timedelta(days=1)


@given(DAYS, st.integers(0, 1500), st.integers(0, 10**9), st.sampled_from(["EUR", "JPY", "BHD"]))
def test_bills_sum_to_the_line(first: date, days: int, units: int, currency: str) -> None:
    deal = with_line(
        3,
        starts_on=first,
        ends_on=first + timedelta(days=days),
        amount=Money.of(Decimal(units), currency),
        frequency="monthly",
    )
    amounts = [line.amount for line in schedule_lines(deal) if line.kind == "recurring"]
    assert total(amounts, currency) == Money.of(units, currency)


def test_nothing_to_cut() -> None:
    assert billing_periods(date(2027, 1, 2), date(2027, 1, 1), 1) == []
