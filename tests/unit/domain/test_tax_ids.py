"""Tax registration numbers against published examples, and every single-digit mistake found."""

import pytest

from domain.tax_ids import gst_state, normalised, problem_with

VALID = [
    ("DE136695976", "DE"),
    ("de 136 695 976", "DE"),
    ("DE111111125", "DE"),
    ("27AAPFU0939F1ZV", "IN"),
    ("12-3456789", "US"),
    ("FR40303265045", "FR"),
    ("EL094259216", "GR"),
    ("CHE-116.281.710", "CH"),
]
INVALID = [
    ("DE136695977", "DE", "check digit"),
    ("136695976", "DE", "DE and nine digits"),
    ("27AAPFU0939F1ZW", "IN", "check character"),
    ("27AAPFU0939F1", "IN", "15 characters"),
    ("12-345678", "US", "nine digits"),
    ("DE136695976", "FR", "FR"),
    ("none", "CH", "digits"),
]


@pytest.mark.parametrize(("number", "country"), VALID)
def test_valid(number: str, country: str) -> None:
    assert problem_with(number, country) is None


@pytest.mark.parametrize(("number", "country", "says"), INVALID)
def test_invalid(number: str, country: str, says: str) -> None:
    assert says in (problem_with(number, country) or "")


def test_check_digits_find_every_mistyped_character() -> None:
    for position in range(2, 11):
        for digit in set("0123456789") - {"DE136695976"[position]}:
            wrong = "DE136695976"[:position] + digit + "DE136695976"[position + 1 :]
            assert problem_with(wrong, "DE") is not None
    for digit in set("0123456789") - {"9"}:
        assert problem_with(f"27AAPFU0{digit}39F1ZV", "IN") is not None


def test_gst_state() -> None:
    assert gst_state("27aapfu0939f1zv") == "27"
    assert gst_state("27AAPFU0939F1ZW") is None
    assert gst_state(None) is None
    assert normalised("de 136.695-976") == "DE136695976"
