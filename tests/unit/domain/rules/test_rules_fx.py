"""Exchange rates: the worked examples of the rules, and what holds for any table and day."""

import time
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.books import FxRate
from domain.money import Money
from domain.rules.fx import FxPolicy, NoRate, RateTable, RateType

DAY = date(2026, 11, 20)
RATES = st.decimals("0.000001", "99999", places=6).filter(lambda rate: rate > 0)


def rate(
    pair: str,
    value: str | Decimal,
    on: date = DAY,
    type: RateType = "spot",
    unit: int = 1,
    source: str = "bank",
) -> FxRate:
    one, other = pair.split("/")
    return FxRate(
        from_currency=one, to_currency=other, rate=Decimal(value), on=on, type=type, unit=unit, source=source
    )


def usd(amount: object) -> Money:
    return Money.of(amount, "USD")


def eur(amount: object) -> Money:
    return Money.of(amount, "EUR")


def test_the_direction_of_a_quote_decides() -> None:
    """1.13545 quoted as USD per EUR makes 880.71 EUR of 1,000 USD; quoted as EUR per USD, 1,135.45 EUR."""
    inverted = RateTable([rate("EUR/USD", "1.13545")]).convert(usd(1000), "EUR", DAY)
    assert inverted.amount == eur("880.71")
    assert inverted.exchange.method == "inverse"
    assert "EUR = 1.13545 USD of 2026-11-20 (bank), inverted" in str(inverted.exchange)
    direct = RateTable([rate("USD/EUR", "1.13545")]).convert(usd(1000), "EUR", DAY)
    assert direct.amount == eur("1135.45")
    assert direct.exchange.method == "direct"


def test_a_cross_is_unrounded_and_names_both_quotes() -> None:
    table = RateTable([rate("EUR/USD", "1.1172"), rate("EUR/INR", "106.084")])
    converted = table.convert(usd("1000000.01"), "INR", DAY)
    assert converted.exchange.method == "cross"
    assert converted.exchange.factor == Fraction("106.084") / Fraction("1.1172")
    assert converted.amount == Money.of("94955246.21", "INR")
    assert "1.1172 USD" in str(converted.exchange)
    assert "106.084 INR" in str(converted.exchange)


def test_a_quote_per_hundred() -> None:
    table = RateTable([rate("JPY/EUR", "0.5692", unit=100)])
    assert table.convert(Money.of(10000, "JPY"), "EUR", DAY).amount == eur("56.92")
    assert table.convert(eur("56.92"), "JPY", DAY).amount == Money.of(10000, "JPY")


def test_the_same_currency_needs_no_rate() -> None:
    converted = RateTable([]).convert(eur("1.23"), "EUR", DAY)
    assert (converted.amount, converted.exchange.method) == (eur("1.23"), "same")


def test_a_weekend_takes_the_last_published_rate() -> None:
    table = RateTable([rate("EUR/USD", "1.1", DAY - timedelta(days=1)), rate("EUR/USD", "1.2")])
    sunday = table.exchange("EUR", "USD", DAY + timedelta(days=2))
    assert sunday.factor == Fraction("1.2")
    assert sunday.published_on == DAY


def test_a_later_rate_is_never_taken() -> None:
    table = RateTable([rate("EUR/USD", "1.1", DAY + timedelta(days=1))])
    with pytest.raises(NoRate, match="no spot rate EUR to USD is published on or before 2026-11-20"):
        table.exchange("EUR", "USD", DAY)


def test_an_old_rate_blocks_and_says_how_old() -> None:
    table = RateTable([rate("EUR/USD", "1.1")], FxPolicy(max_age_days=5))
    assert table.exchange("EUR", "USD", DAY + timedelta(days=5)).factor == Fraction("1.1")
    with pytest.raises(NoRate) as caught:
        table.exchange("USD", "EUR", DAY + timedelta(days=6))
    assert "USD to EUR is of 2026-11-20, 6 days before 2026-11-26" in str(caught.value)
    assert (caught.value.pair, caught.value.age_days) == (("USD", "EUR"), 6)


def test_a_fresh_cross_is_taken_before_an_old_direct_quote() -> None:
    table = RateTable(
        [rate("USD/INR", "80", date(2020, 1, 1)), rate("EUR/USD", "1.25"), rate("EUR/INR", "100")]
    )
    assert table.exchange("USD", "INR", DAY).factor == 80
    assert table.exchange("USD", "INR", DAY).method == "cross"


def test_a_cross_is_as_old_as_its_older_quote() -> None:
    table = RateTable([rate("EUR/USD", "1.25"), rate("EUR/INR", "100", DAY - timedelta(days=9))])
    with pytest.raises(NoRate, match="9 days before"):
        table.exchange("USD", "INR", DAY)


def test_types_do_not_stand_in_for_each_other() -> None:
    table = RateTable([rate("EUR/USD", "1.1"), rate("EUR/USD", "1.2", type="closing")])
    assert table.exchange("EUR", "USD", DAY, "closing").factor == Fraction("1.2")
    with pytest.raises(NoRate, match="no contract rate EUR to USD"):
        table.exchange("EUR", "USD", DAY, "contract")


def test_a_contract_rate_stands_until_it_is_replaced() -> None:
    table = RateTable([rate("EUR/USD", "1.1", date(2020, 1, 1), "contract")])
    assert table.exchange("EUR", "USD", DAY, "contract").factor == Fraction("1.1")


def test_an_average_is_that_of_its_own_month() -> None:
    table = RateTable([rate("EUR/USD", "1.1", date(2026, 10, 31), "average")])
    assert table.exchange("EUR", "USD", date(2026, 10, 2), "average").factor == Fraction("1.1")
    with pytest.raises(NoRate, match="no average rate EUR to USD is published for 2026-11"):
        table.exchange("EUR", "USD", date(2026, 11, 1), "average")


def test_two_rates_for_one_day_are_refused_and_the_same_rate_twice_is_not() -> None:
    assert RateTable([rate("EUR/USD", "1.10"), rate("EUR/USD", "1.1", source="erp")])
    with pytest.raises(ValueError, match=r"1\.1 of bank and 1\.2 of erp"):
        RateTable([rate("EUR/USD", "1.1"), rate("EUR/USD", "1.2", source="erp")])


def test_base_amounts_are_summed_in_base_currency() -> None:
    table = RateTable([rate("USD/EUR", "0.333333", type="closing"), rate("GBP/EUR", "1.2", type="closing")])
    summed, parts = table.base_total([usd(1), usd(1), Money.of(10, "GBP"), eur(5)], "EUR", DAY)
    assert summed == eur("17.66")
    assert [part.exchange.method for part in parts] == ["direct", "direct", "direct", "same"]


def test_an_amount_of_another_currency_is_refused() -> None:
    exchange = RateTable([rate("EUR/USD", "1.1")]).exchange("EUR", "USD", DAY)
    with pytest.raises(ValueError, match="not in EUR"):
        exchange.convert(usd(1))


@given(RATES, RATES)
def test_there_and_back_again_is_one(one: Decimal, other: Decimal) -> None:
    table = RateTable([rate("EUR/USD", one), rate("INR/EUR", other)])
    there, back = table.exchange("USD", "INR", DAY), table.exchange("INR", "USD", DAY)
    assert there.factor * back.factor == 1


@given(st.integers(-(10**14), 10**14), RATES)
def test_rounding_is_within_half_a_cent_and_mirrors(cents: int, value: Decimal) -> None:
    amount = Money.of(Decimal(cents).scaleb(-4).quantize(Decimal("0.01")), "USD")
    exchange = RateTable([rate("EUR/USD", max(value, Decimal("0.01")))]).exchange("USD", "EUR", DAY)
    exactly = Fraction(amount.amount) * exchange.factor
    assert abs(Fraction(exchange.convert(amount).amount) - exactly) <= Fraction(1, 200)
    assert exchange.convert(-amount) == -exchange.convert(amount)


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(0, 70), st.integers(0, 9))
def test_the_rate_is_the_last_published_or_none(days: set[int], asked: int, max_age: int) -> None:
    start = date(2026, 1, 1)
    table = RateTable(
        [rate("EUR/USD", Decimal(day + 1), start + timedelta(days=day)) for day in days],
        FxPolicy(max_age_days=max_age),
    )
    expected = [day for day in days if day <= asked <= day + max_age]
    if expected:
        found = table.exchange("EUR", "USD", start + timedelta(days=asked))
        assert found.factor == max(expected) + 1
    else:
        with pytest.raises(NoRate):
            table.exchange("EUR", "USD", start + timedelta(days=asked))


def test_twenty_five_years_are_quick() -> None:
    """A look-up is a binary search: ten thousand of them take far less than going through the rates would."""
    first = date(2000, 1, 1)
    days = [first + timedelta(days=n) for n in range(25 * 365)]
    table = RateTable(
        rate(f"EUR/{code}", Decimal(n + 1), day) for code in ("USD", "INR") for n, day in enumerate(days)
    )
    started = time.process_time()
    factors = [table.exchange("USD", "EUR", day).factor for day in days]
    assert all(a > b for a, b in pairwise(factors))
    assert time.process_time() - started < 5
