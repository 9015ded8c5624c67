"""The event catalogue for others: JSON Schema, AsyncAPI 3.0, and the check that no change breaks a sender.

A change is compatible when everything a producer could send under the old schema is still accepted and
nothing a consumer could rely on has gone. Allowed: a new optional field, a wider limit, one more enum
value. Everything else needs a new version of the type.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.events import Envelope, EventType, catalogue
from domain.outbound_schemas import outbound_messages, published_changes, published_types

Schema = Mapping[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LOWER_LIMITS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_LIMITS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_FORMS = ("pattern", "format", "const", "multipleOf", "contentEncoding")


def data_schema(kind: EventType) -> dict[str, Any]:
    """JSON Schema (2020-12) of the data of one event type."""
    schema = kind.data.model_json_schema(mode="validation")
    return {"$schema": _DIALECT, "$id": kind.schema_urn, **schema}


def catalogue_document() -> dict[str, Any]:
    """The whole catalogue as plain JSON: what `docs/events/catalog.json` holds."""
    return {
        "envelope": Envelope.model_json_schema(mode="validation"),
        "events": [
            {
                "name": kind.name,
                "version": kind.version,
                "summary": kind.summary,
                "owner": kind.owner.value,
                "producers": list(kind.producers),
                "consumers": list(kind.consumers),
                "sunset": kind.sunset.isoformat() if kind.sunset else None,
                "example": dict(kind.example),
                "schema": data_schema(kind),
            }
            for kind in catalogue()
        ],
        "published": published_types(),
    }


def asyncapi(gateway_url: str) -> dict[str, Any]:
    """AsyncAPI 3.0: the channel where a registered source posts events, and that of each subscriber."""
    names = [f"{kind.name}.v{kind.version}" for kind in catalogue()]
    told = outbound_messages()
    protocol, _, host = gateway_url.partition("://")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fairlead events",
            "version": "1.0.0",
            "description": "Events that Fairlead accepts and tells, as CloudEvents 1.0 in structured mode.",
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {"gateway": {"host": host, "protocol": protocol}},
        "channels": {
            "hooks": {
                "address": "hooks/{source}",
                "parameters": {"source": {"description": "A source registered under [webhooks.<source>]."}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            },
            "subscribers": {
                "address": None,
                "description": "The url of a [subscribers.<name>]: signed by Standard Webhooks.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in told},
            },
        },
        "operations": {
            "receive": {
                "action": "receive",
                "channel": {"$ref": "#/channels/hooks"},
                "messages": [{"$ref": f"#/channels/hooks/messages/{name}"} for name in names],
            },
            "tell": {
                "action": "send",
                "channel": {"$ref": "#/channels/subscribers"},
                "messages": [{"$ref": f"#/channels/subscribers/messages/{name}"} for name in told],
            },
        },
        "components": {"messages": {f"{k.name}.v{k.version}": _message(k) for k in catalogue()} | told},
    }


def catalogue_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Incompatible changes between two catalogue documents, each with the event it is about."""
    now = {(event["name"], event["version"]): event for event in new["events"]}
    found = [f"envelope {change}" for change in incompatible_changes(old["envelope"], new["envelope"])]
    for event in old["events"]:
        name = f"{event['name']} v{event['version']}"
        current = now.get((event["name"], event["version"]))
        if current is not None:
            changes = incompatible_changes(event["schema"], current["schema"])
            found += [f"{name} {change}" for change in changes]
        elif event["sunset"] is None:
            found.append(f"{name} is gone without a sunset date")
    return found + published_changes(old.get("published", []), new.get("published", []))


def incompatible_changes(old_schema: Schema, new_schema: Schema) -> list[str]:
    """What in `new_schema` breaks senders or readers of `old_schema`; empty when nothing does."""
    return list(_compare(_Node(old_schema, old_schema), _Node(new_schema, new_schema), "data"))


class _Node:
    """A place in a schema document: `$ref` resolved, a choice of one taken as that one."""

    def __init__(self, schema: Schema, root: Schema) -> None:
        self.root = root
        while "$ref" in schema:
            schema = _pointer(root, schema["$ref"])
        self.schema = schema

    def below(self, schema: Schema) -> "_Node":
        return _Node(schema, self.root)

    @property
    def choices(self) -> list["_Node"]:
        for word in ("anyOf", "oneOf"):
            if word in self.schema:
                return [self.below(choice) for choice in self.schema[word]]
        return [self]

    @property
    def types(self) -> set[str]:
        """JSON types it accepts; empty means any."""
        kind = self.schema.get("type", [])
        return {kind} if isinstance(kind, str) else set(kind)


def _compare(old: _Node, new: _Node, place: str) -> Iterator[str]:
    if len(old.choices) == len(new.choices) == 1:
        yield from _compare_one(old.choices[0], new.choices[0], place)
        return
    for choice in old.choices:
        answers = [list(_compare_one(choice, offer, place)) for offer in new.choices]
        if all(answers):
            yield min(answers, key=len)[0]


def _compare_one(old: _Node, new: _Node, place: str) -> Iterator[str]:
    lost_types = _lost_types(old, new)
    if lost_types:
        yield f"{place}: type {', '.join(sorted(lost_types))} is no longer accepted"
        return
    yield from _compare_values(old, new, place)
    yield from _compare_limits(old.schema, new.schema, place)
    yield from _compare_properties(old, new, place)
    if "items" in old.schema and "items" in new.schema:
        yield from _compare(old.below(old.schema["items"]), new.below(new.schema["items"]), f"{place}[]")


def _lost_types(old: _Node, new: _Node) -> set[str]:
    if not new.types:
        return set()
    accepted = new.types | ({"integer"} if "number" in new.types else set())
    return (old.types or {"any value"}) - accepted


def _compare_values(old: _Node, new: _Node, place: str) -> Iterator[str]:
    if "enum" in new.schema:
        before = old.schema.get("enum", [old.schema["const"]] if "const" in old.schema else None)
        if before is None:
            yield f"{place}: is now limited to a list of values"
        elif lost := [value for value in before if value not in new.schema["enum"]]:
            yield f"{place}: no longer accepts {', '.join(map(repr, lost))}"
    for word in _FORMS:
        widened = word == "const" and "enum" in new.schema
        if word in new.schema and not widened and new.schema[word] != old.schema.get(word):
            yield f"{place}: {word} changed from {old.schema.get(word)!r} to {new.schema[word]!r}"
    if new.schema.get("additionalProperties") is False and "properties" in old.schema:
        before_open = old.schema.get("additionalProperties") is not False
        if before_open:
            yield f"{place}: no longer accepts fields it does not know"


def _compare_limits(old: Schema, new: Schema, place: str) -> Iterator[str]:
    for word in _LOWER_LIMITS:
        if word in new and (word not in old or new[word] > old[word]):
            yield f"{place}: {word} rose from {old.get(word, 'none')} to {new[word]}"
    for word in _UPPER_LIMITS:
        if word in new and (word not in old or new[word] < old[word]):
            yield f"{place}: {word} fell from {old.get(word, 'none')} to {new[word]}"


def _compare_properties(old: _Node, new: _Node, place: str) -> Iterator[str]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    for name, schema in before.items():
        if name in after:
            yield from _compare(old.below(schema), new.below(after[name]), f"{place}.{name}")
        else:
            yield f"{place}.{name}: was removed"
    required = set(new.schema.get("required", ())) - set(old.schema.get("required", ()))
    for name in sorted(required):
        yield f"{place}.{name}: became required"


def _message(kind: EventType) -> dict[str, Any]:
    return {
        "name": kind.name,
        "title": kind.summary,
        "contentType": "application/cloudevents+json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": _whole_event(kind),
        },
        "examples": [{"name": "typical", "payload": example_event(kind)}],
    }


def _whole_event(kind: EventType) -> dict[str, Any]:
    """Schema of envelope and data together, with its definitions inside."""
    envelope = Envelope.model_json_schema(mode="validation")
    properties = {**envelope["properties"], "type": {"const": kind.name}, "data": data_schema(kind)}
    return {**envelope, "properties": properties}


def example_event(kind: EventType) -> dict[str, Any]:
    """A whole CloudEvent of this type, as a producer would send it."""
    data = kind.data.model_validate(kind.example)
    return {
        "specversion": "1.0",
        "id": f"{kind.name}/{data.subject}/{data.version:%Y%m%dT%H%M%SZ}",
        "source": f"/{kind.producers[0].replace(' ', '-')}",
        "type": kind.name,
        "subject": data.subject,
        "time": kind.example["version"],
        "datacontenttype": "application/json",
        "dataschema": kind.schema_urn,
        "data": dict(kind.example),
    }


def _pointer(root: Schema, reference: str) -> Schema:
    node: Any = root
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    found: Schema = node
    return found
