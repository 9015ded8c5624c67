"""Names of a statement bound to the org's objects, with Salesforce's errors for what does not exist."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.salesforce import ids
from sandbox.salesforce.objects import ORG
from sandbox.salesforce.representation import stored
from sandbox.salesforce.schema import NUMERIC, Field, SObject
from sandbox.salesforce.soql_lexer import SoqlError
from sandbox.salesforce.soql_parser import Comparison, Condition, Group, Literal_, Not, Path

Predicate = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Bound:
    """A path resolved: reference fields to follow, then the field."""

    hops: tuple[Field, ...]
    field: Field

    def value(self, store: RecordStore, record: Record) -> Any:
        """The stored value, None where a parent is missing."""
        at: Record | None = record
        for hop in self.hops:
            parent = stored(at, hop) if at is not None else None
            at = store.get(hop.reference_to, parent) if parent else None
        return None if at is None else stored(at, self.field)


def source(name: str, at: int) -> SObject:
    """The object of a FROM clause. Raises SoqlError INVALID_TYPE."""
    found = ORG.object(name)
    if found is None:
        message = f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be"
        message += " sure to append the '__c' after the entity name."
        raise SoqlError(message, at, "INVALID_TYPE")
    return found


def bind(kind: SObject, path: Path) -> Bound:
    """The field a path means on an object. Raises SoqlError INVALID_FIELD."""
    hops: list[Field] = []
    parts = list(path.parts)
    if (
        len(parts) > 1
        and parts[0].lower() == kind.name.lower()
        and parts[0].lower() not in kind.by_relationship
    ):
        parts.pop(0)
    for name in parts[:-1]:
        hop = kind.by_relationship.get(name.lower())
        if hop is None:
            message = f"Didn't understand relationship '{name}' in field path. If you are attempting to use a"
            message += " custom relationship, be sure to append the '__r' after the custom relationship name."
            raise SoqlError(message, path.at, "INVALID_FIELD")
        hops.append(hop)
        kind = ORG.objects[hop.reference_to]
    field = kind.field(parts[-1])
    if field is None:
        message = (
            f"No such column '{parts[-1]}' on entity '{kind.name}'. If you are attempting to use a custom"
        )
        message += " field, be sure to append the '__c' after the custom field name."
        raise SoqlError(message, path.at, "INVALID_FIELD")
    return Bound(tuple(hops), field)


def predicate(store: RecordStore, kind: SObject, condition: Condition) -> Predicate:
    """The condition as a function of a record. Raises SoqlError for wrong names, types and operators."""
    if isinstance(condition, Not):
        inner = predicate(store, kind, condition.condition)
        return lambda record: not inner(record)
    if isinstance(condition, Group):
        parts = [predicate(store, kind, part) for part in condition.conditions]
        if condition.joined_by == "AND":
            return lambda record: all(part(record) for part in parts)
        return lambda record: any(part(record) for part in parts)
    bound = bind(kind, condition.path)
    test = _test(bound.field, condition)
    return lambda record: test(bound.value(store, record))


def _test(field: Field, comparison: Comparison) -> Callable[[Any], bool]:
    operator = comparison.operator
    wanted = [_operand(field, literal, comparison.path.at) for literal in comparison.literals]
    _check_operator(field, comparison)
    if operator in ("=", "IN"):
        return lambda value: comparable(field, value) in wanted
    if operator in ("!=", "NOT IN"):
        return lambda value: comparable(field, value) not in wanted
    if operator == "LIKE":
        pattern = _like(str(comparison.literals[0].value))
        return lambda value: value is not None and pattern.fullmatch(str(value)) is not None
    limit = wanted[0]
    compare = _ORDERINGS[operator]
    return lambda value: value is not None and limit is not None and compare(comparable(field, value), limit)


_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
}


def comparable(field: Field, value: Any) -> Any:
    """A stored value in the form comparisons and sorting use: text folds case, ids do not."""
    if value is None or field.type in ("id", "reference", "boolean"):
        return value
    if field.type in NUMERIC:
        return Decimal(value)
    return value if field.type in ("date", "datetime") else str(value).lower()


def _operand(field: Field, literal: Literal_, at: int) -> Any:
    value = literal.value
    if literal.kind == "null":
        return None
    expected = _literal_kind(field)
    if literal.kind != expected:
        quoting = (
            "should be enclosed in quotes" if expected == "string" else "should not be enclosed in quotes"
        )
        message = (
            f"value of filter criterion for field '{field.name}' must be of type {field.type} and {quoting}"
        )
        raise SoqlError(message, at, "INVALID_FIELD")
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, date):
        return value.isoformat()
    if field.type in ("id", "reference"):
        full = ids.normal(str(value))
        if full is None:
            raise SoqlError(f"invalid ID field: {value}", at, "INVALID_QUERY_FILTER_OPERATOR")
        return full
    return str(value).lower() if isinstance(value, str) else value


def _literal_kind(field: Field) -> str:
    if field.type in NUMERIC:
        return "number"
    return field.type if field.type in ("boolean", "date", "datetime") else "string"


def _check_operator(field: Field, comparison: Comparison) -> None:
    ordering = comparison.operator in ("<", "<=", ">", ">=")
    wrong_like = comparison.operator == "LIKE" and _literal_kind(field) != "string"
    if wrong_like or (comparison.operator == "LIKE" and field.type in ("id", "reference")):
        raise SoqlError("invalid operator on field", comparison.path.at, "INVALID_QUERY_FILTER_OPERATOR")
    if ordering and field.type == "boolean":
        raise SoqlError(
            "invalid operator on boolean field", comparison.path.at, "INVALID_QUERY_FILTER_OPERATOR"
        )
    if field.type == "address":
        message = f"field '{field.name}' can not be filtered in a query call"
        raise SoqlError(message, comparison.path.at, "INVALID_FIELD")


def _like(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\" and pattern[at + 1 : at + 2] in ("%", "_"):
            parts.append(re.escape(pattern[at + 1]))
            at += 2
            continue
        parts.append({"%": ".*", "_": "."}.get(char, re.escape(char)))
        at += 1
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
