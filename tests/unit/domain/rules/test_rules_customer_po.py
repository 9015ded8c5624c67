"""An invoice against the customer's order: number, expiry, and what is left, to the cent."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.rules.customer_po import PoPosition, po_position
from domain.selling import CustomerPO

ORDER = CustomerPO(number="PO-77", amount=Money.of(50000, "EUR"), expires_on=date(2026, 12, 31))


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


def position(
    order: CustomerPO | None = ORDER,
    net: object = 5000,
    billed: object = 40000,
    dated: date = date(2026, 11, 30),
    required: bool = True,
) -> PoPosition:
    return po_position(order, required=required, net=eur(net), billed_before=eur(billed), dated=dated)


def test_an_order_with_enough_left() -> None:
    found = position()
    assert (found.findings, found.left_before, found.left_after) == ((), eur(10000), eur(5000))


@pytest.mark.parametrize("order", [None, ORDER.with_changes(number="  ")])
def test_a_number_is_needed_only_where_the_customer_requires_it(order: CustomerPO | None) -> None:
    assert [finding.rule for finding in position(order).findings] == ["customer_po.number"]
    assert position(order, required=False).findings == ()


def test_an_exhausted_order_names_all_amounts() -> None:
    (finding,) = position(net="10000.01").findings
    assert finding.rule == "customer_po.exhausted"
    assert finding.amount == eur("0.01")
    for amount in ("50,000.00 EUR", "10,000.00 EUR left", "10,000.01 EUR", "0.01 EUR too much"):
        assert amount in finding.problem


def test_the_last_day_is_still_good() -> None:
    assert position(dated=date(2026, 12, 31)).findings == ()
    (finding,) = position(dated=date(2027, 1, 1)).findings
    assert finding.rule == "customer_po.expired"
    assert "2026-12-31" in finding.problem


def test_several_things_may_be_wrong_at_once() -> None:
    found = position(net=99999, dated=date(2027, 1, 1)).findings
    assert [finding.rule for finding in found] == ["customer_po.expired", "customer_po.exhausted"]


def test_an_order_in_another_currency() -> None:
    (finding,) = position(ORDER.with_changes(amount=Money.of(1, "USD"))).findings
    assert finding.rule == "customer_po.currency"


def test_an_order_without_an_amount_or_end_is_never_exhausted() -> None:
    found = position(CustomerPO(number="PO-1"), net=10**9)
    assert (found.findings, found.left_after) == ((), None)


def test_a_credit_is_never_too_much() -> None:
    assert position(net=-1, billed=60000).findings == ()


@given(st.lists(st.integers(1, 10**7), max_size=20))
def test_invoices_that_pass_never_sum_to_more_than_the_order(cents: list[int]) -> None:
    billed = eur(0)
    for amount in cents:
        net = eur(Decimal(amount).scaleb(-2))
        found = po_position(ORDER, required=True, net=net, billed_before=billed, dated=date(2026, 1, 1))
        assert bool(found.findings) == (billed + net > eur(50000))
        if not found.findings:
            billed = billed + net
            assert found.left_after == eur(50000) - billed
    assert billed <= eur(50000)
