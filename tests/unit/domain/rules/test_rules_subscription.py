"""Subscription periods: every day once, full periods at the price, the sum exact."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing_schedule import schedule_lines
from domain.money import Money, total
from domain.rules.subscription import (
    SubscriptionError,
    SubscriptionPeriod,
    cut_periods,
    due_periods,
    subscription_periods,
)
from domain.selling import BillingMethod
from tests.unit.domain.rules.priced_work import contract, eur, time_line
from tests.unit.domain.sample_deal import with_line

DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))


def periods(
    first: date, last: date, *, terms: dict[str, Any] | None = None, **line: Any
) -> tuple[SubscriptionPeriod, ...]:
    run = time_line(
        name="Run",
        billing_method=BillingMethod.SUBSCRIPTION,
        starts_on=first,
        ends_on=last,
        **{"frequency": "monthly", **line},
    )
    return subscription_periods(run, contract(run, **(terms or {})))


CALENDAR = {"periods_from": "calendar"}


def test_calendar_months_with_a_short_first_and_last() -> None:
    found = periods(date(2027, 1, 22), date(2027, 3, 10), terms=CALENDAR, unit_price="3100")
    assert [(p.amount, p.full, p.occasion) for p in found] == [
        (eur(1000), False, "2027-01"),
        (eur(3100), True, "2027-02"),
        (eur(1000), False, "2027-03"),
    ]


def test_calendar_quarters() -> None:
    found = periods(
        date(2027, 2, 1), date(2027, 9, 30), terms=CALENDAR, unit_price="900", frequency="quarterly"
    )
    assert [(p.span.first, p.span.last) for p in found] == [
        (date(2027, 2, 1), date(2027, 3, 31)),
        (date(2027, 4, 1), date(2027, 6, 30)),
        (date(2027, 7, 1), date(2027, 9, 30)),
    ]
    assert [p.amount for p in found] == [eur(590), eur(900), eur(900)]


def test_periods_from_the_start_keep_its_day() -> None:
    found = periods(date(2027, 1, 31), date(2027, 5, 30), unit_price="1000")
    assert [p.span.first.isoformat() for p in found] == [
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
    ]
    assert all(p.full and p.amount == eur(1000) for p in found)


def test_in_advance_and_in_arrears() -> None:
    year = date(2027, 1, 1), date(2027, 2, 28)
    advance = periods(*year, terms={"in_arrears": False}, unit_price="10")
    arrears = periods(*year, terms={"in_arrears": True}, unit_price="10")
    assert [p.due_on for p in advance] == [date(2027, 1, 1), date(2027, 2, 1)]
    assert [p.due_on for p in arrears] == [date(2027, 2, 1), date(2027, 3, 1)]
    assert due_periods(arrears, date(2027, 1, 31)) == []
    assert due_periods(arrears, date(2027, 2, 1)) == [arrears[0]]


def test_a_line_without_dates_runs_as_its_contract() -> None:
    run = time_line(frequency="monthly", unit_price="10")
    found = subscription_periods(run, contract(run))
    assert (found[0].span.first, found[-1].span.last) == (date(2027, 1, 1), date(2027, 12, 31))


@given(
    DAYS,
    st.integers(0, 1200),
    st.sampled_from(["monthly", "quarterly"]),
    st.sampled_from(["start", "calendar"]),
)
def test_every_day_is_billed_once(first: date, days: int, frequency: str, periods_from: str) -> None:
    last = first + timedelta(days=days)
    found = periods(
        first, last, terms={"periods_from": periods_from}, unit_price="99.99", frequency=frequency
    )
    assert (found[0].span.first, found[-1].span.last) == (first, last)
    assert all(b.span.first - a.span.last == timedelta(days=1) for a, b in pairwise(found))
    assert len({p.occasion for p in found}) == len(found)
    full = [p.amount for p in found if p.full]
    assert total(full, "EUR") == eur(Decimal("99.99") * len(full))
    assert len(found) - len(full) <= (1 if periods_from == "start" else 2)
    assert all(eur(0) <= p.amount and p.amount <= eur("99.99") for p in found)


@given(
    DAYS,
    st.integers(0, 900),
    st.integers(0, 10**8),
    st.sampled_from(["monthly", "quarterly"]),
    st.sampled_from(["start", "calendar"]),
)
def test_an_agreed_amount_is_split_exactly(
    first: date, days: int, units: int, frequency: str, periods_from: str
) -> None:
    amount = eur(Decimal(units).scaleb(-2))
    found = periods(
        first,
        first + timedelta(days=days),
        terms={"periods_from": periods_from},
        amount=amount,
        frequency=frequency,
    )
    assert total([p.amount for p in found], "EUR") == amount
    full = [p.amount.amount for p in found if p.full]
    assert not full or max(full) - min(full) <= Decimal("0.01")


@given(DAYS, st.integers(0, 900), st.integers(0, 10**8), st.sampled_from(["monthly", "quarterly"]))
def test_bills_are_those_of_the_schedule_in_the_erp(
    first: date, days: int, units: int, frequency: str
) -> None:
    last, amount = first + timedelta(days=days), eur(Decimal(units).scaleb(-2))
    deal = with_line(3, starts_on=first, ends_on=last, amount=amount, frequency=frequency)
    planned = [line.amount for line in schedule_lines(deal) if line.kind == "recurring"]
    assert [p.amount for p in periods(first, last, amount=amount, frequency=frequency)] == planned


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"frequency": None}, r"lines\[1\]\.frequency: Run: is missing"),
        ({}, r"lines\[1\]\.unit_price: Run: is missing, and so is the amount"),
        ({"amount": Money.of(5, "USD")}, r"lines\[1\]\.amount: .*not in the contract's EUR \[5\.00 USD\]"),
        ({"unit_price": "1.005"}, r"lines\[1\]\.unit_price: .*3 decimals.* \[1\.005\]"),
    ],
)
def test_what_a_line_lacks_is_named(line: dict[str, Any], words: str) -> None:
    with pytest.raises(SubscriptionError, match=words):
        periods(date(2027, 1, 1), date(2027, 12, 31), **line)


def test_an_end_before_the_start() -> None:
    with pytest.raises(SubscriptionError, match=r"lines\[1\]\.ends_on: Run: is 2026-12-31, before the start"):
        periods(date(2027, 1, 1), date(2026, 12, 31), unit_price="1")
    assert cut_periods(date(2027, 1, 2), date(2027, 1, 1), 1) == []
