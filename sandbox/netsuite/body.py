"""Reading a request body against a record type: names, types, references.

Source: SuiteTalk REST, header `X-NetSuite-PropertyNameValidation` (error, warning, ignore; default warning:
a field that does not exist is dropped in silence). Values that make no sense always fail.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.core.call import Refused
from sandbox.core.records import RecordStore
from sandbox.netsuite.errors import error, invalid_request, invalid_value
from sandbox.netsuite.schema import Field, RecordType, Sublist

LEVELS = ("error", "warning", "ignore")
_META = {"links", "refName", "id", "lastModifiedDate"}


@dataclass(slots=True)
class Body:
    """A body understood: field values as stored, lines per sublist as sent."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def name_level(header: str | None) -> str:
    """The level of `X-NetSuite-PropertyNameValidation`. Raises Refused for another word."""
    level = (header or "warning").strip().lower()
    if level not in LEVELS:
        raise invalid_request(
            f"The value '{header}' is not valid.", header="X-NetSuite-PropertyNameValidation"
        )
    return level


class BodyReader:
    """Reads bodies for one store. `privileged` lets a person set what the API keeps read-only."""

    def __init__(self, store: RecordStore, level: str, *, privileged: bool = False) -> None:
        self._store = store
        self._level = level
        self._privileged = privileged

    def read(self, record_type: RecordType, raw: Mapping[str, Any]) -> Body:
        """The body as stored values. Raises Refused (INVALID_CONTENT) naming the path at fault."""
        body = Body()
        for name, given in raw.items():
            if name in record_type.sublists:
                body.lines[name] = self._lines(record_type.sublists[name], given)
            else:
                self._set(body.values, record_type.fields, name, given, name)
        return body

    def _set(
        self, values: dict[str, Any], fields: Mapping[str, Field], name: str, given: Any, path: str
    ) -> None:
        known = fields.get(name)
        if known is None:
            if self._level == "error":
                raise _unknown_name(name, path)
            return
        if (name in _META and known.kind != "integer") or (known.read_only and not self._privileged):
            return
        values[name] = self._value(known, given, path)

    def _lines(self, sublist: Sublist, given: Any) -> list[dict[str, Any]]:
        items = given.get("items") if isinstance(given, Mapping) else None
        if not isinstance(items, list):
            raise invalid_value(sublist.name)
        lines = []
        for number, item in enumerate(items):
            path = f"{sublist.name}.items[{number}]"
            if not isinstance(item, Mapping):
                raise invalid_value(path)
            line: dict[str, Any] = {}
            for name, value in item.items():
                if name in ("links", "refName"):
                    continue
                self._set(line, sublist.fields, name, value, f"{path}.{name}")
            lines.append(line)
        return lines

    def _value(self, known: Field, given: Any, path: str) -> Any:
        if given is None:
            return None
        if known.kind == "ref":
            return self._reference(known, given, path)
        if known.kind == "enum":
            return _enumerated(known, given, path)
        if known.kind == "record":
            return self._subrecord(known, given, path)
        return _plain(known, given, path)

    def _subrecord(self, known: Field, given: Any, path: str) -> dict[str, Any]:
        if not isinstance(given, Mapping):
            raise invalid_value(path)
        values: dict[str, Any] = {}
        for name, value in given.items():
            plain = value.get("id") if name == "country" and isinstance(value, Mapping) else value
            self._set(values, known.fields, name, plain, f"{path}.{name}")
        return values

    def _reference(self, known: Field, given: Any, path: str) -> str:
        if isinstance(given, Mapping) and "externalId" in given and "id" not in given:
            found = self._store.find(known.target, "externalId", given["externalId"]) if known.target else []
            if not found:
                raise invalid_value(path)
            return found[0].id
        wanted = given.get("id") if isinstance(given, Mapping) else given
        if isinstance(wanted, bool) or not isinstance(wanted, str | int) or wanted == "":
            raise invalid_value(path)
        if known.target and self._store.get(known.target, str(wanted)) is None:
            raise invalid_value(path)
        return str(wanted)


def _unknown_name(name: str, path: str) -> Refused:
    text = f"Invalid content in the request body. Unknown property '{name}'. Provide a valid property."
    return Refused(error(400, "INVALID_CONTENT", text, path=path))


def _enumerated(known: Field, given: Any, path: str) -> str:
    wanted = given.get("id") if isinstance(given, Mapping) else given
    if isinstance(wanted, bool) or str(wanted) not in known.values:
        raise invalid_value(path)
    return str(wanted)


def _plain(known: Field, given: Any, path: str) -> Any:
    if known.kind == "boolean" and isinstance(given, bool):
        return given
    if known.kind == "string" and isinstance(given, str) and len(given) <= known.max_length:
        return given
    if known.kind == "integer" and isinstance(given, int) and not isinstance(given, bool):
        return given
    if known.kind == "number" and isinstance(given, int | Decimal) and not isinstance(given, bool):
        return given
    if known.kind in ("date", "datetime") and isinstance(given, str) and _is_date(given, known.kind):
        return given
    raise invalid_value(path)


def _is_date(text: str, kind: str) -> bool:
    try:
        if kind == "date":
            return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and bool(date.fromisoformat(text))
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False
