"""Inbound JSON, read strictly: exact numbers, no doubtful text, no room for tricks of nesting or size."""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

MAX_DEPTH = 32
MAX_DIGITS = 60
MAX_EXPONENT = 100
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")


class BadJson(ValueError):
    """Not acceptable as JSON. The text says why, and repeats nothing of what was sent."""


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; fractions become `Decimal`. Raises `BadJson`."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_not_a_number,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise BadJson("the body is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"the body is not JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise BadJson(f"the body is nested deeper than {MAX_DEPTH} levels") from None
    if not isinstance(value, dict):
        raise BadJson("the body must be one JSON object")
    _check(value)
    return value


def _check(root: Any) -> None:
    """Depth and text of the whole value, without recursion of our own."""
    open_values = [(root, 1)]
    while open_values:
        value, depth = open_values.pop()
        if depth > MAX_DEPTH:
            raise BadJson(f"the body is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, dict):
            for name, item in value.items():
                _check_text(name)
                open_values.append((item, depth + 1))
        elif isinstance(value, list):
            open_values.extend((item, depth + 1) for item in value)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise BadJson("a text holds a NUL character")
    if _HALF_A_PAIR.search(text):
        raise BadJson("a text holds half of a surrogate pair")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadJson("an object holds the same name twice")
    return value


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise BadJson(f"a number has more than {MAX_DIGITS} digits")
    return int(text)


def _fraction(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise BadJson(f"a number has more than {MAX_DIGITS} digits")
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("Infinity")
    if not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        raise BadJson(f"a number is beyond 1e{MAX_EXPONENT}")
    return number


def _not_a_number(name: str) -> NoReturn:
    raise BadJson("NaN and Infinity are not JSON numbers")
