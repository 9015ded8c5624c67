"""The catalogue of what Fairlead tells, for others: JSON Schema, AsyncAPI, and the check of a change.

A receiver relies on what was promised: a field that always came must go on coming, in the same form. So
allowed is a new field, and nothing else; for the rest there is a new version of the type.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.events import Envelope
from domain.outbound import PRODUCER, OutboundType
from domain.outbound_events import published

Schema = Mapping[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WORDS = ("title", "description", "default")
"""Of a schema: they explain, they do not promise."""
EXAMPLE_TIME = "2026-11-25T14:05:00Z"


def outbound_schema(kind: OutboundType) -> dict[str, Any]:
    """JSON Schema (2020-12) of the data of one event type, as it is sent."""
    schema = kind.data.model_json_schema(mode="serialization")
    return {"$schema": _DIALECT, "$id": kind.schema_urn, **schema}


def published_types() -> list[dict[str, Any]]:
    """The types as plain JSON, for the catalogue document."""
    return [
        {
            "name": kind.name,
            "version": kind.version,
            "summary": kind.summary,
            "owner": kind.owner.value,
            "producers": [PRODUCER],
            "consumers": list(kind.consumers),
            "sunset": kind.sunset.isoformat() if kind.sunset else None,
            "subject": kind.data.subject_field,
            "example": dict(kind.example),
            "schema": outbound_schema(kind),
        }
        for kind in published()
    ]


def published_changes(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    """What in `new` breaks receivers of `old`, each with the event it is about."""
    now = {(event["name"], event["version"]): event for event in new}
    found: list[str] = []
    for event in old:
        name = f"{event['name']} v{event['version']}"
        current = now.get((event["name"], event["version"]))
        if current is not None:
            found += [f"{name} {change}" for change in _broken(event["schema"], current["schema"], "data")]
        elif event["sunset"] is None:
            found.append(f"{name} is gone without a sunset date")
    return found


def _broken(old: Schema, new: Schema, place: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name, schema in before.items():
        if name not in after:
            yield f"{place}.{name}: is no longer sent"
        elif name in old.get("required", ()) and name not in new.get("required", ()):
            yield f"{place}.{name}: is no longer sent always"
        elif _promise(schema) != _promise(after[name]):
            yield f"{place}.{name}: is sent in another form"
    inner_before, inner_after = old.get("$defs", {}), new.get("$defs", {})
    for name, schema in inner_before.items():
        if name in inner_after:
            yield from _broken(schema, inner_after[name], f"{place} {name}")


def _promise(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        return {word: _promise(value) for word, value in schema.items() if word not in _WORDS}
    return [_promise(value) for value in schema] if isinstance(schema, list) else schema


def outbound_messages() -> dict[str, Any]:
    """AsyncAPI messages by their name."""
    return {f"{kind.name}.v{kind.version}": _message(kind) for kind in published()}


def outbound_example(kind: OutboundType) -> dict[str, Any]:
    """A whole CloudEvent of this type, as a subscriber receives it."""
    data = kind.data.model_validate(kind.example)
    note = kind.note(f"example/{data.subject}", data)
    return {
        "specversion": "1.0",
        "id": note.id,
        "source": f"/{PRODUCER}/fairlead-demo",
        "type": kind.name,
        "subject": note.subject,
        "time": EXAMPLE_TIME,
        "datacontenttype": "application/json",
        "dataschema": kind.schema_urn,
        "data": note.data,
    }


def _message(kind: OutboundType) -> dict[str, Any]:
    envelope = Envelope.model_json_schema(mode="serialization")
    told = {**envelope["properties"], "type": {"const": kind.name}, "data": outbound_schema(kind)}
    return {
        "name": kind.name,
        "title": kind.summary,
        "contentType": "application/cloudevents+json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {**envelope, "properties": told},
        },
        "examples": [{"name": "typical", "payload": outbound_example(kind)}],
    }
