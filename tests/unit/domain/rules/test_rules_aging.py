"""Age of receivables, DSO and lock-up: the examples of the rules, and sums that hold for any items."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, MoneyError, total
from domain.rules.aging import (
    Measured,
    OpenInvoice,
    UnappliedCash,
    aging,
    days_sales_outstanding,
    lock_up,
)
from domain.rules.errors import RuleError

AS_OF = date(2026, 3, 31)
QUARTER = (date(2026, 1, 1), AS_OF)
"""Of 90 days."""


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


def item(days_past_due: int, amount: object, disputed: bool = False) -> OpenInvoice:
    return OpenInvoice(
        invoice=f"INV{days_past_due}",
        customer="C1",
        open_amount=eur(amount),
        due_on=AS_OF - timedelta(days=days_past_due),
        disputed=disputed,
    )


def net(amount: object) -> Measured:
    return Measured(amount=eur(amount), basis="net")


def gross(amount: object) -> Measured:
    return Measured(amount=eur(amount), basis="gross")


@pytest.mark.parametrize(
    ("days", "label"),
    [
        (-30, "not due"),
        (0, "not due"),
        (1, "1 to 30"),
        (30, "1 to 30"),
        (31, "31 to 60"),
        (60, "31 to 60"),
        (90, "61 to 90"),
        (91, "over 90"),
    ],
)
def test_the_bucket_is_by_days_past_due(days: int, label: str) -> None:
    found = aging([item(days, 100)], [], AS_OF, "EUR")
    assert [bucket.label for bucket in found.buckets if bucket.amount.amount] == [label]
    assert found.basis == "days past due date"


def test_credits_and_unapplied_cash_stand_apart() -> None:
    items = [item(10, 1000), item(100, 500, disputed=True), item(40, -200)]
    found = aging(items, [UnappliedCash(customer="C1", amount=eur(300))], AS_OF, "EUR")
    assert [str(bucket.amount.amount) for bucket in found.buckets] == [
        "0.00",
        "1000.00",
        "0.00",
        "0.00",
        "500.00",
    ]
    assert (found.credits, found.unapplied, found.disputed) == (eur(200), eur(300), eur(500))
    assert found.open == eur(1000)
    assert found.buckets[-1].invoices == ("INV100",)


@pytest.mark.parametrize("edges", [(), (0, 30), (30, 30), (60, 30)])
def test_edges_that_are_none(edges: tuple[int, ...]) -> None:
    with pytest.raises(RuleError, match="rising"):
        aging([], [], AS_OF, "EUR", edges)


def test_one_currency_at_a_time() -> None:
    with pytest.raises(MoneyError):
        aging([item(1, 1)], [], AS_OF, "USD")


def test_dso_on_one_tax_basis() -> None:
    figure = days_sales_outstanding(net(450000), net(1350000), *QUARTER)
    assert figure.days == Decimal("30.0")
    assert figure.formula == (
        "DSO = receivables / credit sales x days, net of tax: 450,000.00 EUR / 1,350,000.00 EUR x 90"
    )
    assert (figure.first, figure.last) == QUARTER


def test_receivables_with_tax_are_not_measured_by_net_sales() -> None:
    with pytest.raises(RuleError, match="gross and net amounts do not compare"):
        days_sales_outstanding(gross(450000), net(1350000), *QUARTER)
    without_tax = gross(450000).net_of(Decimal(19))
    assert days_sales_outstanding(without_tax, net(1350000), *QUARTER).days == Decimal("25.2")


def test_lock_up_is_net_of_tax() -> None:
    figure = lock_up(eur(150000), net(450000), net(1350000), *QUARTER)
    assert figure.days == Decimal("40.0")
    with pytest.raises(RuleError, match="take the tax out"):
        lock_up(eur(150000), gross(450000), net(1350000), *QUARTER)


@pytest.mark.parametrize("period", [QUARTER, (date(2026, 4, 1), AS_OF)])
def test_no_sales_no_figure(period: tuple[date, date]) -> None:
    sales = net(0) if period == QUARTER else net(1)
    with pytest.raises(RuleError, match="no sales"):
        days_sales_outstanding(net(1), sales, *period)


def test_currencies_of_a_figure_are_the_same() -> None:
    with pytest.raises(ValueError, match="is in EUR, but holds"):
        days_sales_outstanding(Measured(amount=Money.of(1, "USD"), basis="net"), net(1), *QUARTER)


ITEMS = st.lists(st.tuples(st.integers(-400, 400), st.integers(-(10**8), 10**8)), max_size=30)
EDGES = st.sets(st.integers(1, 300), min_size=1, max_size=6).map(sorted)


@given(ITEMS, EDGES)
def test_every_invoice_is_in_one_bucket_and_all_sum_to_what_is_open(
    drawn: list[tuple[int, int]], edges: list[int]
) -> None:
    items = [item(days, Decimal(cents).scaleb(-2)) for days, cents in drawn]
    found = aging(items, [], AS_OF, "EUR", edges)
    assert found.open == total([each.open_amount for each in items], "EUR")
    placed = [name for bucket in found.buckets for name in bucket.invoices]
    assert sorted(placed) == sorted(each.invoice for each in items if each.open_amount.amount > 0)
    assert len(found.buckets) == len(edges) + 2
