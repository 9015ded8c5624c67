"""`/services/rest/record/v1/metadata-catalog`: which record types and fields there are, custom ones included.

Source: SuiteTalk REST, metadata catalogue; answered here as JSON schema (`Accept: application/schema+json`).
"""

from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.netsuite.errors import not_found
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.representation import RECORDS
from sandbox.netsuite.schema import Field, RecordType

_TYPES = {"boolean": "boolean", "number": "number", "integer": "integer", "ref": "object", "enum": "object"}
_FORMATS = {"number": "double", "integer": "int64", "date": "date", "datetime": "date-time"}


def catalog(call: Call) -> Answer:
    """GET the list of record types."""
    root = f"{call.base_url}{RECORDS}/metadata-catalog"
    items = [
        {"name": name, "links": [{"rel": "canonical", "href": f"{root}/{name}"}]} for name in RECORD_TYPES
    ]
    return Answer(200, {"links": [{"rel": "self", "href": root}], "items": items})


def schema(call: Call) -> Answer:
    """GET the schema of one record type."""
    record_type = RECORD_TYPES.get(call.params["type"])
    if record_type is None:
        raise not_found()
    return Answer(200, _schema(record_type), media_type="application/schema+json")


def _schema(record_type: RecordType) -> dict[str, Any]:
    properties: dict[str, Any] = {known.name: _property(known) for known in record_type.fields.values()}
    for sublist in record_type.sublists.values():
        columns = {known.name: _property(known) for known in sublist.fields.values()}
        items = {"type": "array", "items": {"type": "object", "properties": columns}}
        properties[sublist.name] = {"type": "object", "properties": {"items": items}}
    return {"type": "object", "properties": properties}


def _property(known: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": _TYPES.get(known.kind, "string")}
    if known.kind in _FORMATS:
        shown["format"] = _FORMATS[known.kind]
    if known.label:
        shown["title"] = known.label
    if known.values:
        shown["properties"] = {"id": {"type": "string", "enum": list(known.values)}}
    if known.name.startswith("cust"):
        shown["x-ns-custom-field"] = True
    return shown
