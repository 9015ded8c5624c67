"""Money: worked examples of the rounding rules, and the laws every split keeps."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.money import Money, MoneyError, exact, minor_units, total

CURRENCIES = st.sampled_from(["EUR", "USD", "INR", "JPY", "BHD", "CLF"])
UNITS = st.integers(-(10**12), 10**12)
WEIGHTS = st.lists(st.decimals(0, 10**6, places=4), min_size=1, max_size=40).filter(lambda w: sum(w) > 0)


def money(units: int, currency: str) -> Money:
    return Money.of(Decimal(units).scaleb(-minor_units(currency)), currency)


@pytest.mark.parametrize(
    ("exactly", "rounded"),
    [
        (Decimal("9.625"), "9.63"),
        (Decimal("15.925"), "15.93"),
        (Decimal("-9.625"), "-9.63"),
        (Decimal(150) * 60 / 60, "150.00"),
        (Decimal(175) * 50 / 60, "145.83"),
        (Decimal("0.33") * 20 / 100, "0.07"),
    ],
)
def test_half_up_away_from_zero(exactly: Decimal, rounded: str) -> None:
    assert str(Money.rounded(exactly, "EUR").amount) == rounded


def test_minutes_are_multiplied_before_they_are_divided() -> None:
    """Three times 20 minutes at 150 an hour; as 0.33 h each it would be 148.50."""
    assert Money.of(150, "USD").times(Decimal(3 * 20) / 60) == Money.of(150, "USD")
    assert Money.of(150, "USD").times(3 * Decimal("0.33")) == Money.of("148.50", "USD")


def test_allocation_by_stand_alone_price() -> None:
    parts = Money.of(100000, "USD").allocate([Decimal(80000), Decimal(30000), Decimal(15000)])
    assert [part.amount for part in parts] == [64000, 24000, 12000]


def test_ties_go_in_order() -> None:
    parts = Money.of("0.05", "EUR").allocate([Decimal(1)] * 3)
    assert [str(part.amount) for part in parts] == ["0.02", "0.02", "0.01"]


@given(UNITS, CURRENCIES, WEIGHTS)
def test_parts_sum_to_the_whole_and_stay_within_a_unit(
    units: int, currency: str, weights: list[Decimal]
) -> None:
    whole, unit = money(units, currency), Decimal(1).scaleb(-minor_units(currency))
    parts = whole.allocate(weights)
    assert total(parts, currency) == whole
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.amount - whole.amount * weight / sum(weights)) < unit
        assert part.amount * units >= 0


@given(UNITS, CURRENCIES, WEIGHTS)
def test_negatives_mirror_positives(units: int, currency: str, weights: list[Decimal]) -> None:
    whole = money(units, currency)
    assert [-part for part in whole.allocate(weights)] == (-whole).allocate(weights)


@given(UNITS, UNITS, CURRENCIES)
def test_adding_and_json_are_exact(one: int, other: int, currency: str) -> None:
    a, b = money(one, currency), money(other, currency)
    assert (a + b) - b == a
    assert Money.model_validate_json(a.model_dump_json()) == a
    assert (a < b) == (one < other)


@given(st.decimals(-(10**9), 10**9, places=6), CURRENCIES)
def test_rounding_moves_at_most_half_a_unit_and_mirrors(amount: Decimal, currency: str) -> None:
    unit = Decimal(1).scaleb(-minor_units(currency))
    assert abs(Money.rounded(amount, currency).amount - amount) <= unit / 2
    assert Money.rounded(-amount, currency) == -Money.rounded(amount, currency)


@pytest.mark.parametrize("weights", [[], [Decimal(0)], [Decimal(-1), Decimal(2)]])
def test_weights_that_cannot_split(weights: list[Decimal]) -> None:
    with pytest.raises(MoneyError, match="weights"):
        Money.of(1, "EUR").allocate(weights)


@pytest.mark.parametrize("value", [1.5, True, "NaN", "Infinity", "1e99", "", "abc", None])
def test_what_is_not_an_amount(value: object) -> None:
    with pytest.raises(MoneyError):
        exact(value)


@pytest.mark.parametrize(
    ("amount", "currency"), [("1.005", "EUR"), ("0.5", "JPY"), ("1", "eur"), ("1", "XAU"), ("1", "ZZZ")]
)
def test_amounts_a_currency_refuses(amount: str, currency: str) -> None:
    with pytest.raises(ValidationError):
        Money(amount=Decimal(amount), currency=currency)


def test_currencies_do_not_mix() -> None:
    with pytest.raises(MoneyError, match="without a rate"):
        Money.of(1, "EUR") + Money.of(1, "USD")
    with pytest.raises(MoneyError, match="without a rate"):
        total([Money.of(1, "USD")], "EUR")


def test_spelling() -> None:
    assert str(Money.of("1234567.5", "EUR")) == "1,234,567.50 EUR"
    assert str(Money.of(1234, "JPY")) == "1,234 JPY"
    assert str(Money.of("1.5", "BHD")) == "1.500 BHD"
