"""Tryton's JSON values and comments, there and back."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.http import exact_json
from connectors.tryton import notes
from connectors.tryton.values import Number, decoded, encoded


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (Decimal("0.30"), {"__class__": "Decimal", "decimal": "0.30"}),
        (Decimal("1E+3"), {"__class__": "Decimal", "decimal": "1000"}),
        (date(2026, 2, 28), {"__class__": "date", "year": 2026, "month": 2, "day": 28}),
        ([{"a": (Decimal(1), None, True)}], [{"a": [{"__class__": "Decimal", "decimal": "1"}, None, True]}]),
    ],
)
def test_money_and_days_are_objects(value: object, wire: object) -> None:
    assert encoded(value) == wire


def test_a_quantity_is_a_bare_number_digit_for_digit() -> None:
    assert exact_json.encode(encoded({"quantity": Number("7.25"), "price": Decimal("7.25")})) == (
        b'{"quantity":7.25,"price":{"__class__":"Decimal","decimal":"7.25"}}'
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**14), max_value=10**14))
def test_each_amount_comes_back_as_it_went(amount: Decimal) -> None:
    assert decoded(encoded(amount)) == amount


def test_moments_are_utc_and_unknown_classes_stay() -> None:
    moment = {
        "__class__": "datetime",
        "year": 2026,
        "month": 1,
        "day": 2,
        "hour": 3,
        "minute": 4,
        "second": 5,
    }
    assert decoded([moment | {"microsecond": 6}]) == [datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)]
    assert decoded({"a": {"__class__": "timedelta", "seconds": 1}}) == {
        "a": {"__class__": "timedelta", "seconds": 1}
    }


def test_facts_are_set_beside_what_people_wrote() -> None:
    text = "Call Anna first\nKey: old\nNote: keep me\nReason: gone"
    noted = notes.noted({"Key": "a/b/1", "Starts on": date(2026, 12, 1), "Reason": "", "Ends on": None}, text)
    assert noted == "Call Anna first\nKey: a/b/1\nNote: keep me\nStarts on: 2026-12-01"
    assert notes.facts_in(noted)["Key"] == "a/b/1"
    assert notes.facts_in(None) == {}


def test_a_value_never_makes_a_line_of_its_own() -> None:
    noted = notes.noted({"Reason": "lost\nKey: forged"})
    assert notes.facts_in(noted) == {"Reason": "lost Key: forged"}


def test_signs_with_a_meaning_in_a_search_are_escaped() -> None:
    assert notes.pattern("a_b%c\\d") == "%a\\_b\\%c\\\\d%"
