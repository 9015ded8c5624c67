"""Percent complete: to date less billed before, and never a bill below zero."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, total
from domain.rules.percent import PercentError, percent_bill
from tests.unit.domain.rules.priced_work import CENTS, cents, eur

PERCENTS = st.decimals(0, 100, places=2)


def test_progress_to_date_less_what_was_billed() -> None:
    assert percent_bill(eur(120000), Decimal(25), eur(0)).due == eur(30000)
    assert percent_bill(eur(120000), Decimal(70), eur(75000)).due == eur(9000)
    assert percent_bill(eur(100), Decimal("33.333"), eur(0)).due == eur("33.33")


def test_progress_that_fell_back_needs_a_credit() -> None:
    bill = percent_bill(eur(120000), Decimal(50), eur(75000))
    assert (bill.to_date, bill.due, bill.to_credit) == (eur(60000), eur(0), eur(15000))
    finding = bill.finding(3)
    assert finding is not None
    assert (finding.rule, finding.field, finding.amount) == (
        "percent.fell_back",
        "lines[3].percent",
        eur(15000),
    )
    assert percent_bill(eur(120000), Decimal(50), eur(60000)).finding(3) is None


@given(CENTS.map(cents), st.lists(PERCENTS, max_size=10))
def test_bills_sum_to_progress_and_at_the_end_to_the_price(price: Money, steps: list[Decimal]) -> None:
    billed: list[Money] = []
    for percent in [*sorted(steps), Decimal(100)]:
        bill = percent_bill(price, percent, total(billed, "EUR"))
        billed.append(bill.due)
        assert total(billed, "EUR") == bill.to_date
        assert not bill.to_credit.amount
    assert total(billed, "EUR") == price


@given(CENTS.map(cents), PERCENTS, CENTS.map(cents))
def test_either_a_bill_or_a_credit_and_neither_below_zero(
    price: Money, percent: Decimal, before: Money
) -> None:
    bill = percent_bill(price, percent, before)
    assert before + bill.due - bill.to_credit == bill.to_date
    assert eur(0) in (bill.due, bill.to_credit)
    assert min(bill.due.amount, bill.to_credit.amount) >= 0


@pytest.mark.parametrize(
    ("price", "percent", "before", "words"),
    [
        (eur(1), "100.01", eur(0), r"percent: is not from 0 to 100.* \[100\.01\] \(rule 3 progress\)"),
        (eur(1), "-1", eur(0), r"percent: .*\[-1\]"),
        (eur(-1), "1", eur(0), r"price: is below zero.*\[-1\.00 EUR\]"),
        (eur(1), "1", Money.of(1, "USD"), r"billed_before: is not in EUR \[1\.00 USD\]"),
    ],
)
def test_what_is_no_progress(price: Money, percent: str, before: Money, words: str) -> None:
    with pytest.raises(PercentError, match=words):
        percent_bill(price, Decimal(percent), before)
