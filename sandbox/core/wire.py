"""JSON as the vendors' APIs carry it: numbers are exact (`Decimal`), never binary floats.

body = wire.encode({"amount": Decimal("10.50")})   # b'{"amount":10.50}'
data = wire.decode(body)                           # {"amount": Decimal("10.50")}
"""

from typing import Any

import simplejson


class BadJson(ValueError):
    """The text is not JSON; the message says where."""


def encode(value: Any) -> bytes:
    """`value` as compact UTF-8 JSON. Decimals become JSON numbers with all their digits."""
    text: str = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def decode(data: bytes | str) -> Any:
    """The value of a JSON text; numbers with a fraction become Decimal. Raises BadJson."""
    try:
        return simplejson.loads(data, use_decimal=True)
    except (ValueError, UnicodeDecodeError) as error:
        raise BadJson(str(error)) from None
