"""What a Kantata field may hold when it is written: one check per type, in the vendor's words.

Ids are integers in request bodies and strings in answers; both are kept as strings here. Money fields named
`..._in_cents` are integers in the currency's base unit; `price` is an integer in the main unit.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pycountry

CURRENCIES = frozenset(currency.alpha_3 for currency in pycountry.currencies)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Wrong(ValueError):
    """The value does not fit; the message completes "<field> ..."."""


@dataclass(frozen=True, slots=True)
class Field:
    """A writable field. `only` limits it to `create` or `update`."""

    type: str
    only: str = ""
    choices: tuple[str, ...] = ()
    longest: int | None = None
    target: str = ""
    """The collection an id points to."""

    def stored(self, value: Any) -> Any:
        """The value as kept. Raises Wrong."""
        if value is None:
            return None
        return _CHECKS[self.type](self, value)


def text(longest: int | None = None) -> Field:
    """Free text of at most `longest` characters."""
    return Field("text", longest=longest)


def choice(*choices: str, only: str = "") -> Field:
    """One of fixed texts."""
    return Field("choice", choices=choices, only=only)


def reference(target: str, only: str = "") -> Field:
    """The id of another record."""
    return Field("id", target=target, only=only)


def references(target: str, only: str = "") -> Field:
    """A list of ids."""
    return Field("ids", target=target, only=only)


BOOLEAN = Field("boolean")
INTEGER = Field("integer")
NUMBER = Field("number")
DATE = Field("date")
CURRENCY = Field("currency")
OBJECT = Field("object")
CUSTOM_FIELDS = Field("custom_fields")


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("must be a string")
    if field.longest is not None and len(value) > field.longest:
        raise Wrong(f"is too long (maximum is {field.longest} characters)")
    return value


def _choice(field: Field, value: Any) -> str:
    if value not in field.choices:
        raise Wrong(f"is not included in the list ({', '.join(field.choices)})")
    return str(value)


def _boolean(field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("must be true or false")
    return value


def _integer(field: Field, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Wrong("must be an integer")
    return value


def _number(field: Field, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong("must be a number")
    return Decimal(value)


def _id(field: Field, value: Any) -> str:
    return str(_integer(field, value))


def _ids(field: Field, value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Wrong("must be a list of integers")
    return [_id(field, item) for item in value]


def _date(field: Field, value: Any) -> str:
    try:
        if not isinstance(value, str) or not _ISO_DATE.fullmatch(value):
            raise ValueError
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise Wrong("must be a date in ISO 8601 format (YYYY-MM-DD)") from None


def _currency(field: Field, value: Any) -> str:
    if value not in CURRENCIES:
        raise Wrong("is not an ISO 4217 currency code")
    return str(value)


def _object(field: Field, value: Any) -> Any:
    if not isinstance(value, dict | list):
        raise Wrong("must be an object or a list of objects")
    return value


def _custom_fields(field: Field, value: Any) -> dict[str, Any]:
    rows: list[Any] = value if isinstance(value, list) else [None]
    if not all(isinstance(row, dict) and set(row) == {"custom_field_id", "value"} for row in rows):
        raise Wrong('must be a list of {"custom_field_id": integer, "value": value}')
    return {_id(field, row["custom_field_id"]): row["value"] for row in rows}


_CHECKS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "choice": _choice,
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "id": _id,
    "ids": _ids,
    "date": _date,
    "currency": _currency,
    "object": _object,
    "custom_fields": _custom_fields,
}
