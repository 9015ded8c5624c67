"""Inbound JSON: exact, and each trick refused by its own name."""

from decimal import Decimal

import pytest

from gateway.strict_json import MAX_DEPTH, BadJson, read_object


def test_numbers_are_exact() -> None:
    read = read_object(b'{"a": 0.1, "b": 1234567890123456789.01, "c": 7, "d": 1E+2, "e": -0.0}')
    assert read["a"] == Decimal("0.1")
    assert str(read["b"]) == "1234567890123456789.01"
    assert isinstance(read["c"], int)
    assert read["d"] == Decimal(100)
    assert not any(isinstance(value, float) for value in read.values())


def test_nesting_up_to_the_limit_is_read() -> None:
    inner = MAX_DEPTH - 1
    assert read_object(b'{"a":' + b"[" * (inner - 1) + b"]" * (inner - 1) + b"}")
    with pytest.raises(BadJson, match="nested deeper"):
        read_object(b'{"a":' + b"[" * (inner + 1) + b"]" * (inner + 1) + b"}")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a":1,"a":2}', "same name twice"),
        (b'{"b":{"a":1,"a":1}}', "same name twice"),
        (b'{"a":"x\\u0000y"}', "NUL"),
        (b'{"x\\u0000y":1}', "NUL"),
        (b'{"a":["\\ud800"]}', "surrogate"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "NaN and Infinity"),
        (b'{"a":1e400}', "beyond 1e100"),
        (b'{"a":1e-400}', "beyond 1e100"),
        (b'{"a":1e99999999999999999999}', "beyond 1e100"),
        (b'{"a":' + b"1" * 61 + b"}", "more than 60 digits"),
        (b'{"a":0.' + b"1" * 61 + b"}", "more than 60 digits"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 100_000, "nested deeper"),
        (b"\xff{}", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[]", "one JSON object"),
        (b'{"canary": }', "not JSON at line 1, column 12"),
    ],
)
def test_each_trick_is_refused_by_name(body: bytes, said: str) -> None:
    with pytest.raises(BadJson, match=said) as refused:
        read_object(body)
    assert "canary" not in str(refused.value)
