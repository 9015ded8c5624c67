"""Queries: filters with operators and through associations, order, pages, and the `fields` of an answer.

Source: Coupa Core API, querying options and API operators: `attr[op]=v`, `assoc[attr][op]=v`, collections
in the plural; dashes and underscores mean the same; at most 50 rows; `fields` as JSON.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.core import wire
from sandbox.core.call import Call
from sandbox.coupa.errors import invalid, unknown_attribute

MOST = 50
OWN = frozenset({"limit", "offset", "order-by", "dir", "fields", "return-object"})
ORDERED = ("gt", "lt", "gt_or_eq", "lt_or_eq")
OPERATORS = frozenset({*ORDERED, "contains", "starts_with", "ends_with", "not_eq", "in", "not_in", "blank"})


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition: the path to an attribute, how it is compared, and with what."""

    path: tuple[str, ...]
    operator: str
    value: str

    def holds(self, row: Mapping[str, Any], noun: str) -> bool:
        """Whether a shown record meets it. Raises Refused for an attribute the object does not have."""
        if self.path[0] not in row:
            raise unknown_attribute(noun, self.path[0])
        held = list(_values(row, self.path, noun))
        if self.operator == "blank":
            return (self.value == "true") == all(value in (None, "") for value in held)
        if self.operator in ("not_eq", "not_in"):
            return not any(self._equal(value) for value in held)
        if self.operator in ("", "in"):
            return any(self._equal(value) for value in held)
        return any(value is not None and self._compared(value) for value in held)

    def _equal(self, value: Any) -> bool:
        wanted = self.value.split(",") if self.operator in ("in", "not_in") else [self.value]
        return value is not None and any(_text(value) == _text(_as(value, one)) for one in wanted)

    def _compared(self, value: Any) -> bool:
        if self.operator in ORDERED:
            one, other = _rank(value), _rank(_as(value, self.value))
            holds = {"gt": one > other, "lt": one < other, "gt_or_eq": one >= other}
            return bool(holds.get(self.operator, one <= other))
        word, whole = self.value, _text(value)
        found = {"contains": word in whole, "starts_with": whole.startswith(word)}
        return found.get(self.operator, whole.endswith(word))


def filters(call: Call) -> list[Filter]:
    """The conditions of a query string."""
    found = []
    for name, value in call.query.multi_items():
        parts = name.replace("]", "").split("[")
        operator = parts.pop() if parts[-1] in OPERATORS and len(parts) > 1 else ""
        path = tuple(part.replace("_", "-") for part in parts)
        if path[0] not in OWN:
            found.append(Filter(path, operator, value))
    return found


def select(call: Call, rows: Iterable[dict[str, Any]], noun: str) -> list[dict[str, Any]]:
    """The page a query asks for, without `fields` applied."""
    conditions = filters(call)
    found = [row for row in rows if all(condition.holds(row, noun) for condition in conditions)]
    key = call.query.get("order_by", "id").replace("_", "-")
    if found and key not in found[0]:
        raise unknown_attribute(noun, key)
    direction = call.query.get("dir", "asc")
    if direction not in ("asc", "desc"):
        raise invalid("base", [f"dir must be asc or desc, not {direction}"])
    found.sort(key=lambda row: _rank(row[key]), reverse=direction == "desc")
    offset = call.page_offset(_number(call, "offset", 0))
    return found[offset : offset + min(MOST, _number(call, "limit", MOST))]


def narrowed(call: Call, row: Mapping[str, Any], noun: str) -> dict[str, Any]:
    """A record with the fields that were asked for; all of them where none were named."""
    given = call.query.get("fields")
    if given is None:
        return dict(row)
    try:
        wanted = wire.decode(given)
    except wire.BadJson as error:
        raise invalid("base", [f"fields is not JSON: {error}"]) from None
    if not isinstance(wanted, list):
        raise invalid("base", ["fields must be a list"])
    return _narrow(row, wanted, noun)


def _narrow(row: Mapping[str, Any], wanted: Sequence[Any], noun: str) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for item in wanted:
        named = item if isinstance(item, dict) else {item: None}
        for name, inner in named.items():
            key = str(name).replace("_", "-")
            if key not in row:
                raise unknown_attribute(noun, str(name))
            kept[key] = _inner(row[key], inner, key)
    return kept


def _inner(value: Any, wanted: Any, noun: str) -> Any:
    if not wanted or value is None:
        return value
    if isinstance(value, list):
        return [_narrow(item, wanted, noun) for item in value]
    return _narrow(value, wanted, noun)


def _values(value: Any, path: Sequence[str], noun: str) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path, noun)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        if path[0] not in value:
            raise unknown_attribute(noun, path[0])
        yield from _values(value[path[0]], path[1:], noun)


def _as(held: Any, given: str) -> Any:
    """What was given, as the kind of value it is compared with. Raises Refused."""
    if isinstance(held, bool):
        return given == "true"
    try:
        if isinstance(held, int):
            return int(given)
        if moment(held) is not None:
            found = moment(given)
            if found is None:
                raise ValueError
            return given
    except ValueError:
        raise invalid("base", [f"{given!r} cannot be compared with {held!r}"]) from None
    return given


def _rank(value: Any) -> Any:
    """What a value is ordered by."""
    if not isinstance(value, str):
        return value
    at = moment(value)
    if at is not None:
        return at
    try:
        return Decimal(value)
    except InvalidOperation:
        return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    at = moment(value)
    return str(value) if at is None else at.isoformat()


def moment(value: Any) -> datetime | None:
    """A date or date-time; a bare date is midnight UTC."""
    if not isinstance(value, str) or len(value) < 10 or value[4:5] != "-":
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _number(call: Call, name: str, default: int) -> int:
    given = call.query.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit()):
        raise invalid("base", [f"{name} must be a whole number, not {given}"])
    return int(given)
