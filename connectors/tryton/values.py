"""Tryton's JSON values (JSON-RPC of series 8.0): decimals, dates and times are objects with a `__class__`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_PARTS = ("year", "month", "day", "hour", "minute", "second")


class Number(Decimal):
    """A quantity: Tryton keeps it as a float and wants a bare JSON number. Money is never one."""


def encoded(value: Any) -> Any:
    """`value` as Tryton reads it: `Decimal` is money, `Number` a bare number."""
    if isinstance(value, Number):
        return Decimal(value)
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": f"{value:f}"}
    if isinstance(value, date) and not isinstance(value, datetime):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    if isinstance(value, Mapping):
        return {name: encoded(each) for name, each in value.items()}
    return [encoded(each) for each in value] if isinstance(value, list | tuple) else value


def decoded(value: Any) -> Any:
    """The other way. An object of a class we do not know stays as it is."""
    if isinstance(value, list):
        return [decoded(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    match value.get("__class__"):
        case "Decimal":
            return Decimal(str(value["decimal"]))
        case "date":
            return date(value["year"], value["month"], value["day"])
        case "datetime":
            year, month, day, hour, minute, second = (int(value[name]) for name in _PARTS)
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            return moment.replace(microsecond=value.get("microsecond", 0))
        case _:
            return {name: decoded(each) for name, each in value.items()}
