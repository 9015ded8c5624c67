"""Records as the API shows them: references with links, enumerations with labels, sublists inline."""

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.core import clock
from sandbox.core.records import Record, RecordStore
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.schema import Field, RecordType, Sublist

RECORDS = "/services/rest/record/v1"


class Representation:
    """Shows records of one store under one base address."""

    def __init__(self, store: RecordStore, base_url: str) -> None:
        self._store = store
        self._root = base_url + RECORDS

    def href(self, record_type: str, record_id: str) -> str:
        """Address of a record."""
        return f"{self._root}/{record_type}/{record_id}"

    def record(
        self, record: Record, *, expand: bool = False, only: Collection[str] = (), bare_enums: bool = False
    ) -> dict[str, Any]:
        """The whole record; sublists inline with `expand`; just the fields `only`, unless expanded."""
        record_type = RECORD_TYPES[record.object]
        address = self.href(record.object, record.id)
        shown: dict[str, Any] = {"links": [{"rel": "self", "href": address}], "id": record.id}
        for known in record_type.fields.values():
            value = stored(record, known.name)
            if value is not None and known.name not in shown:
                shown[known.name] = self._value(known, value, bare_enums)
        shown["refName"] = display(record_type, record.data)
        for sublist in record_type.sublists.values():
            shown[sublist.name] = self._sublist(sublist, record, address, expand, bare_enums)
        if only and not expand:
            return {name: value for name, value in shown.items() if name in only or name in ("links", "id")}
        return shown

    def options(self, known: Field) -> dict[str, Any]:
        """What may be chosen for a field."""
        if known.kind == "enum":
            items = [{"links": [], "id": each, "refName": label} for each, label in known.values.items()]
            return {"_selectOptions": items}
        rows = [row for row in self._store.rows(known.target) if not row.get("isInactive")]
        return {"_selectOptions": [self._reference(known, row.id) for row in rows]}

    def _value(self, known: Field, value: Any, bare_enums: bool) -> Any:
        if known.kind == "ref":
            return self._reference(known, value)
        if known.kind == "enum":
            return value if bare_enums else {"id": value, "refName": known.values.get(value, value)}
        return value

    def _reference(self, known: Field, record_id: str) -> dict[str, Any]:
        if not known.target:
            return {"links": [], "id": record_id}
        shown: dict[str, Any] = {
            "links": [{"rel": "self", "href": self.href(known.target, record_id)}],
            "id": record_id,
        }
        target = self._store.get(known.target, record_id)
        if target is not None:
            shown["refName"] = display(RECORD_TYPES[known.target], target.data)
            if target.get("externalId"):
                shown["externalId"] = target["externalId"]
        return shown

    def _sublist(
        self, sublist: Sublist, record: Record, address: str, expand: bool, bare_enums: bool
    ) -> dict[str, Any]:
        links = [{"rel": "self", "href": f"{address}/{sublist.name}"}]
        if not expand:
            return {"links": links}
        items = [
            {"links": [], **self._line(sublist.fields, line, bare_enums)}
            for line in record.get(sublist.name) or []
        ]
        return {"links": links, "items": items, **counts(len(items), len(items))}

    def _line(self, fields: Mapping[str, Field], line: Mapping[str, Any], bare_enums: bool) -> dict[str, Any]:
        return {
            name: self._value(fields[name], value, bare_enums)
            for name, value in line.items()
            if value is not None and name in fields
        }


def stored(record: Record, name: str) -> Any:
    """A field's stored value, with those that the system itself keeps."""
    if name == "id":
        return record.id
    if name == "lastModifiedDate":
        return second(record.modified)
    if name in ("dateCreated", "createdDate"):
        return second(record.created)
    return record.get(name)


def second(stamp: float) -> str:
    """A stamp as the API writes date-times: whole seconds, UTC."""
    return clock.utc(stamp).isoformat(timespec="seconds").replace("+00:00", "Z")


def display(record_type: RecordType, data: Mapping[str, Any]) -> str:
    """The name under which a record shows up in references."""
    if record_type.number_prefix is not None:
        return " ".join(str(data[name]) for name in record_type.display if data.get(name))
    return next((str(data[name]) for name in record_type.display if data.get(name)), "")


def counts(count: int, total: int, offset: int = 0) -> dict[str, Any]:
    """The paging facts of a collection."""
    return {"count": count, "hasMore": offset + count < total, "offset": offset, "totalResults": total}
