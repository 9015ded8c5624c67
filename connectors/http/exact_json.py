"""JSON whose numbers are exact: read as `Decimal` (integers as `int`), written digit for digit.

A float never enters or leaves: 0.1 from a vendor is `Decimal("0.1")`, and a float handed in is refused.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NoReturn

import simplejson


def decode(content: bytes | str) -> Any:
    """The value of a JSON text. Raises `ValueError` for anything that is not strict JSON, NaN included."""
    try:
        text = content.decode("utf-8") if isinstance(content, bytes) else content
        return simplejson.loads(text, use_decimal=True, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not exact JSON: {error}") from None


def encode(value: Any) -> bytes:
    """`value` as compact UTF-8 JSON; dates become ISO 8601.

    Raises `TypeError` naming the place of a float, `ValueError` for a number that is not finite.
    """
    plain = _plain(value, "$")
    return simplejson.dumps(plain, use_decimal=True, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any, place: str) -> Any:
    if isinstance(value, float):
        raise TypeError(f"{place} is the float {value!r}; send a Decimal, so that it is written exactly")
    if isinstance(value, Decimal):
        return _plain_decimal(value, place)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    return value


def _plain_decimal(value: Decimal, place: str) -> Decimal:
    if not value.is_finite():
        raise ValueError(f"{place} is {value}, which JSON cannot hold")
    # 1E+3 is valid JSON, but several vendors take it for text; the integer form is the same number.
    return value.quantize(Decimal(1)) if int(value.as_tuple().exponent) > 0 else value


def _not_a_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
