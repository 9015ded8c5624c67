"""Records as the API shows them."""

from collections.abc import Iterable
from typing import Any

from sandbox.core.records import Record
from sandbox.salesforce.objects import ORG
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.values import stamp


def stored(record: Record, field: Field) -> Any:
    """The value of a field as compared: datetimes as stamps in whole seconds, dates as ISO text."""
    if field.name == "Id":
        return record.id
    if field.name == "IsDeleted":
        return record.deleted
    if field.name == "CreatedDate":
        return float(int(record.created))
    if field.name in ("LastModifiedDate", "SystemModstamp"):
        return float(int(record.modified))
    return record.get(field.name)


def shown(record: Record, field: Field) -> Any:
    """The value of a field as JSON."""
    if field.type == "address":
        return _address(record, field.name.removesuffix("Address"))
    value = stored(record, field)
    return stamp(value) if field.type == "datetime" and value is not None else value


def attributes(kind: SObject, record_id: str, version: str) -> dict[str, str]:
    """The `attributes` object every record begins with."""
    return {"type": kind.name, "url": f"/services/data/{version}/sobjects/{kind.name}/{record_id}"}


def whole(record: Record, version: str, fields: Iterable[Field] | None = None) -> dict[str, Any]:
    """A record with the given fields, or all."""
    kind = ORG.objects[record.object]
    chosen = kind.fields if fields is None else fields
    return {"attributes": attributes(kind, record.id, version), **{f.name: shown(record, f) for f in chosen}}


def _address(record: Record, kind: str) -> dict[str, Any] | None:
    parts = ("Street", "City", "State", "StateCode", "PostalCode", "Country", "CountryCode")
    values = {part[0].lower() + part[1:]: record.get(kind + part) for part in parts}
    if not any(values.values()):
        return None
    return {**values, "geocodeAccuracy": None, "latitude": None, "longitude": None}
