"""Exchange differences: the example of the rules, and sums that hold for any payments and rates."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Period
from domain.money import Money
from domain.rules.fx import Exchange, RateTable, RateType
from domain.rules.fx_differences import OpenItem, realised, unrealised
from tests.unit.domain.rules.test_rules_fx import eur, rate, usd

MONTH = Period(year=2026, month=11)
INVOICE = OpenItem(kind="receivable", amount=usd(1000), base=eur("1135.45"))
RATES = st.decimals("0.0001", "999", places=4).filter(lambda value: value > 0)


def at(value: str | Decimal, type: RateType = "spot", on: date = MONTH.last) -> Exchange:
    return RateTable([rate("USD/EUR", value, on, type)]).exchange("USD", "EUR", on, type)


def test_unrealised_at_month_end_is_reversed_on_the_first_day() -> None:
    found = unrealised(INVOICE, at("1.13225", "closing"), MONTH)
    assert found.difference == eur("-3.20")
    assert found.closing_base == eur("1132.25")
    assert (found.on, found.reverses_on) == (date(2026, 11, 30), date(2026, 12, 1))


def test_payment_realises_against_the_rate_of_the_invoice_not_of_the_closing() -> None:
    paid = realised(INVOICE, usd(1000), at("1.13000", on=date(2026, 12, 10)))
    assert (paid.received, paid.relieved, paid.difference) == (eur("1130"), eur("1135.45"), eur("-5.45"))
    assert (paid.rest.amount, paid.rest.base) == (usd(0), eur(0))


def test_what_we_owe_mirrors_what_we_are_owed() -> None:
    owed = OpenItem(kind="payable", amount=usd(-1000), base=eur("-1135.45"))
    assert unrealised(owed, at("1.13225", "closing"), MONTH).difference == eur("3.20")


@pytest.mark.parametrize(("kind", "difference"), [("retention", "-0.32"), ("contract_asset", "-0.32")])
def test_retention_and_contract_assets_are_monetary(kind: str, difference: str) -> None:
    item = OpenItem.model_validate({"kind": kind, "amount": usd(100), "base": eur("113.55")})
    assert unrealised(item, at("1.13230", "closing"), MONTH).difference == eur(difference)


def test_an_advance_is_not_revalued() -> None:
    advance = OpenItem(kind="contract_liability", amount=usd(-1000), base=eur("-1135.45"))
    found = unrealised(advance, at("1.5", "closing"), MONTH)
    assert (found.difference, found.closing_base) == (eur(0), advance.base)


@pytest.mark.parametrize("type", ["spot", "contract", "average"])
def test_only_a_closing_rate_revalues(type: RateType) -> None:
    with pytest.raises(ValueError, match=f"not at a {type} rate"):
        unrealised(INVOICE, at("1.1", type), MONTH)


@pytest.mark.parametrize("amount", ["1000.01", "-1", "0"])
def test_more_than_is_open_is_never_applied(amount: str) -> None:
    with pytest.raises(ValueError, match=r"1,000\.00 USD are open"):
        realised(INVOICE, usd(amount), at("1.1"))


def test_a_rate_of_another_pair_values_nothing() -> None:
    other = RateTable([rate("GBP/EUR", "1.2", type="closing")]).exchange(
        "GBP", "EUR", MONTH.last.replace(day=20), "closing"
    )
    with pytest.raises(ValueError, match="GBP to EUR"):
        unrealised(INVOICE, other, MONTH)


@pytest.mark.parametrize(("amount", "base"), [(usd(1), eur(-1)), (eur(1), eur(2))])
def test_an_item_that_cannot_be(amount: Money, base: Money) -> None:
    with pytest.raises(ValueError, match="open item"):
        OpenItem(kind="receivable", amount=amount, base=base)


@given(st.integers(1, 10**9), RATES, st.lists(st.tuples(st.integers(1, 10**9), RATES), max_size=6))
def test_payments_relieve_the_base_amount_exactly(
    cents: int, invoiced_at: Decimal, payments: list[tuple[int, Decimal]]
) -> None:
    whole = Money.of(Decimal(cents).scaleb(-2), "USD")
    item = OpenItem(kind="receivable", amount=whole, base=at(invoiced_at).convert(whole))
    base, received, relieved, gained = item.base, eur(0), eur(0), eur(0)
    for paid_cents, paid_at in [*payments, (10**12, invoiced_at)]:
        paid = min(Money.of(Decimal(paid_cents).scaleb(-2), "USD"), item.amount)
        if paid.amount == 0:
            break
        settled = realised(item, paid, at(paid_at))
        item = settled.rest
        received, relieved = received + settled.received, relieved + settled.relieved
        gained = gained + settled.difference
    assert relieved == base
    assert (item.amount, item.base) == (usd(0), eur(0))
    assert received - base == gained
