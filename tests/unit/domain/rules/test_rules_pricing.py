"""Rates on the work date, and quantity times rate rounded once."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given

from domain.invoice_state import InvoiceFinding
from domain.money import Money
from domain.project_contract import RateOverride
from domain.quantity import Quantity, Unit
from domain.rules.pricing import PricingError, Rate, price, rate_entries, rate_of
from domain.selling import RateCardRole
from tests.unit.domain.rules.priced_work import (
    DAY,
    MINUTES,
    PRICES,
    card,
    contract,
    entry,
    eur,
    expense,
    time_line,
)

SENIOR = RateCardRole(role="Architect", grade="Senior", price="175")
ANY = RateCardRole(role="Architect", price="150")
YEAR = date(2027, 1, 1), date(2027, 12, 31)


def rate(amount: object, per: str = "hour", currency: str = "EUR") -> Rate:
    return Rate(price=Decimal(str(amount)), per=per, currency=currency, source="line 1")  # type: ignore[arg-type]


def of(amount: object, unit: Unit) -> Quantity:
    return Quantity(amount=Decimal(str(amount)), unit=unit)


@pytest.mark.parametrize(
    ("quantity", "at", "expected"),
    [
        (of(60, "minutes"), rate(150), "150.00"),
        (of(50, "minutes"), rate(175), "145.83"),
        (of(20, "minutes"), rate("150.015"), "50.01"),
        (of("0.33", "hours"), rate(150), "49.50"),
        (of("0.5", "days"), rate(1200, "day"), "600.00"),
        (of("-50", "minutes"), rate(175), "-145.83"),
        (of("5.5", "hours"), rate("1.75"), "9.63"),
    ],
)
def test_worked_prices(quantity: Quantity, at: Rate, expected: str) -> None:
    assert price(quantity, at) == eur(expected)


def test_currencies_round_to_their_own_unit() -> None:
    assert price(of(50, "minutes"), rate(175, currency="JPY")) == Money.of(146, "JPY")
    assert price(of(50, "minutes"), rate(175, currency="BHD")) == Money.of("145.833", "BHD")


def test_a_day_has_hours_only_where_the_contract_says_how_many() -> None:
    assert price(of(240, "minutes"), rate(1200, "day"), Decimal(8)) == eur(600)
    assert price(of("1.5", "days"), rate(150), Decimal("7.5")) == eur("1687.50")
    with pytest.raises(PricingError, match=r"terms\.hours_per_day: 8 hours .* \[1200\] \(rule 1") as caught:
        price(of(8, "hours"), rate(1200, "day"))
    assert (caught.value.field, caught.value.amount) == ("terms.hours_per_day", Decimal(1200))


@given(MINUTES, PRICES)
def test_reversals_mirror_and_minutes_equal_hours(minutes: int, at: Decimal) -> None:
    forward = price(of(minutes, "minutes"), rate(at))
    assert price(of(-minutes, "minutes"), rate(at)) == -forward
    assert price(of(minutes * 60, "minutes"), rate(at)) == price(of(minutes, "hours"), rate(at))
    assert abs(forward.amount - Decimal(minutes) * at / 60) <= Decimal("0.005")


def found(*cards: object, **changes: object) -> Rate | InvoiceFinding:
    return rate_of(entry("e1", **changes), contract(), cards)  # type: ignore[arg-type]


def test_the_version_valid_on_the_work_date_rules() -> None:
    old = card("1", date(2026, 1, 1), date(2027, 1, 3), SENIOR.with_changes(price="160"))
    new = card("2", date(2027, 1, 4), date(2027, 12, 31), SENIOR)
    assert found(old, new) == Rate(price=Decimal(175), currency="EUR", source="rate card RC 2")
    before = found(new, old, work_date=date(2027, 1, 3))
    assert isinstance(before, Rate)
    assert before.price == 160


def test_grade_before_role_and_line_before_nothing() -> None:
    both = card("1", *YEAR, ANY, SENIOR)
    assert found(both) == Rate(price=Decimal(175), currency="EUR", source="rate card RC 1")
    assert found(both, grade="Junior") == Rate(price=Decimal(150), currency="EUR", source="rate card RC 1")
    assert found(both, role="", grade="") == found(both)


def test_a_line_price_holds_before_the_card_and_an_override_before_both() -> None:
    overrides = (
        RateOverride(role="Architect", price="140"),
        RateOverride(role="Architect", grade="Lead", price="1600", per="day", valid_from=DAY),
    )
    agreed = contract(time_line(unit_price="155"), rate_overrides=overrides)
    cards = [card("1", *YEAR, ANY, SENIOR)]
    by = {grade: rate_of(entry("e", grade=grade), agreed, cards) for grade in ("Senior", "Lead")}
    assert by["Senior"] == Rate(price=Decimal(140), currency="EUR", source="override of Architect")
    assert by["Lead"] == Rate(
        price=Decimal(1600), per="day", currency="EUR", source="override of Architect Lead"
    )
    other = rate_of(entry("e", role="Tester"), agreed, cards)
    assert other == Rate(price=Decimal(155), currency="EUR", source="line 1")
    early = rate_of(entry("e", grade="Lead", work_date=date(2027, 1, 3)), agreed, cards)
    assert isinstance(early, Rate)
    assert early.price == 140


@pytest.mark.parametrize(
    ("cards", "changes", "rule", "words"),
    [
        ([], {}, "rate.date", "no version of rate card RC is valid on 2027-01-04"),
        (
            [card("1", *YEAR, ANY)],
            {"role": "Tester"},
            "rate.role",
            "no price for Tester Senior on 2027-01-04",
        ),
        ([card("1", *YEAR, ANY, currency="USD")], {}, "rate.currency", "is in USD"),
        ([card("1", *YEAR, ANY), card("2", *YEAR, SENIOR)], {}, "rate.ambiguous", "several prices"),
        ([card("1", *YEAR, ANY.with_changes(unit="sprint"))], {}, "rate.unit", "'sprint'"),
        ([card("1", *YEAR, ANY.with_changes(unit="day"))], {}, "rate.unit", "hours of a day"),
        ([], {"line": 7}, "rate.line", "line 7: contract C-1 has no such line"),
        ([card("1", *YEAR, ANY)], {"quantity": None}, "rate.quantity", "it has no time"),
    ],
)
def test_what_has_no_rate_is_found_and_never_defaulted(
    cards: list[object], changes: dict[str, object], rule: str, words: str
) -> None:
    outcome = rate_entries([entry("e1", **changes)], contract(), cards)  # type: ignore[arg-type]
    assert not outcome.entries
    (finding,) = outcome.findings
    assert finding.rule == rule
    assert finding.blocking
    assert finding.keys == ("e1",)
    assert words in finding.problem
    assert "e1" in finding.problem
    assert "2027-01-04" in finding.problem


def test_only_billable_time_is_rated() -> None:
    outcome = rate_entries([expense("x1", 5), entry("e1", billable=False)], contract(), [])
    assert (outcome.entries, outcome.findings) == ((), ())


def test_a_contract_without_a_card_is_named() -> None:
    missing = rate_of(entry("e1"), contract().with_changes(rate_card=None), [])
    assert isinstance(missing, InvoiceFinding)
    assert "contract C-1 names no rate card for Architect Senior on 2027-01-04" in missing.problem


def test_two_overrides_of_one_day_are_refused() -> None:
    twice = contract(rate_overrides=(RateOverride(role="Architect", price="1"),) * 2)
    with pytest.raises(PricingError, match="2 overrides of Architect"):
        rate_of(entry("e1"), twice, [])


def test_work_of_another_role_at_the_lines_price_is_said() -> None:
    agreed = contract(time_line(unit_price="155"))
    outcome = rate_entries([entry("e2", role="Tester"), entry("e1")], agreed, [])
    assert [r.entry.key for r in outcome.entries] == ["e1", "e2"]
    (finding,) = outcome.findings
    assert (finding.rule, finding.keys, finding.blocking) == ("rate.role_differs", ("e2",), False)
