"""The published catalogue: schemas, AsyncAPI, and the guard against incompatible changes."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from domain.event_schemas import (
    asyncapi,
    catalogue_changes,
    catalogue_document,
    data_schema,
    incompatible_changes,
)
from domain.events import newest
from gateway.catalog_file import ASYNCAPI, BASELINE, GATEWAY_URL, text_of, write

Schema = dict[str, Any]

HELP = """
An event changed in a way that breaks who sends or reads it:
  {}
Keep the old data model as it was, add a new version of the event type beside it in domain/events.py
(version + 1), and give the old one a sunset date. Then: python -m gateway.catalog_file
"""


def test_no_event_changed_incompatibly_since_the_committed_catalogue() -> None:
    baseline = json.loads(BASELINE.read_text(encoding="utf-8"))
    changes = catalogue_changes(baseline, catalogue_document())
    assert not changes, HELP.format("\n  ".join(changes))


@pytest.mark.parametrize(
    ("path", "document"), [(BASELINE, catalogue_document()), (ASYNCAPI, asyncapi(GATEWAY_URL))]
)
def test_the_committed_files_are_current(path: Any, document: Schema) -> None:
    current = path.read_text(encoding="utf-8") == text_of(document)
    assert current, f"{path.name} is not what the code says; run: python -m gateway.catalog_file"


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi(GATEWAY_URL)
    references = [text for text in _references(document) if not text.startswith("#/$defs/")]
    assert len(references) >= 7
    for reference in references:
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert node
    assert document["asyncapi"] == "3.0.0"
    assert document["servers"]["gateway"] == {"host": "127.0.0.1:8400", "protocol": "http"}


def test_the_schema_of_an_event_names_its_version() -> None:
    schema = data_schema(newest("deal.signed"))
    assert schema["$id"] == "urn:fairlead:event:deal.signed:1"
    assert set(schema["required"]) == {"deal", "version"}


def before() -> Schema:
    """A schema with something of everything."""
    return {
        "type": "object",
        "required": ["id", "line"],
        "properties": {
            "id": {"type": "string", "maxLength": 20, "pattern": "^[A-Z]+$"},
            "count": {"type": "integer", "minimum": 1},
            "state": {"enum": ["open", "closed"], "type": "string"},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "line": {"$ref": "#/$defs/Line"},
            "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
        },
        "$defs": {
            "Line": {"type": "object", "properties": {"price": {"type": "string"}}, "required": ["price"]}
        },
    }


def _set(*path: str, to: Any) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        node: Any = schema
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = to

    return change


def _drop(*path: str) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        node: Any = schema
        for part in path[:-1]:
            node = node[part]
        del node[path[-1]]

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("properties", "extra", to={"type": "string"}),
        _set("properties", "id", "maxLength", to=40),
        _drop("properties", "id", "pattern"),
        _set("properties", "count", "type", to="number"),
        _set("properties", "count", "minimum", to=0),
        _set("properties", "state", "enum", to=["open", "closed", "held"]),
        _set("required", to=["id"]),
        _set("properties", "note", "anyOf", to=[{"type": "integer"}, {"type": "null"}, {"type": "string"}]),
        _set("properties", "id", "description", to="now explained"),
    ],
)
def test_compatible_changes_pass(change: Callable[[Schema], None]) -> None:
    after = copy.deepcopy(before())
    change(after)
    assert incompatible_changes(before(), after) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop("properties", "count"), "data.count: was removed"),
        (_set("required", to=["id", "line", "count"]), "data.count: became required"),
        (_set("properties", "id", "type", to="integer"), "data.id: type string is no longer accepted"),
        (_set("properties", "id", "maxLength", to=10), "data.id: maxLength fell from 20 to 10"),
        (_set("properties", "id", "minLength", to=2), "data.id: minLength rose from none to 2"),
        (_set("properties", "id", "pattern", to="^[0-9]+$"), "data.id: pattern changed"),
        (_set("properties", "id", "format", to="uuid"), "data.id: format changed"),
        (_set("properties", "count", "minimum", to=5), "data.count: minimum rose from 1 to 5"),
        (_set("properties", "state", "enum", to=["open"]), "data.state: no longer accepts 'closed'"),
        (_set("properties", "id", "enum", to=["A"]), "data.id: is now limited to a list of values"),
        (_set("properties", "note", to={"type": "string"}), "data.note: type null is no longer accepted"),
        (_set("additionalProperties", to=False), "data: no longer accepts fields it does not know"),
        (_set("$defs", "Line", "properties", "price", "type", to="number"), "data.line.price: type string"),
        (_set("$defs", "Line", "required", to=["price", "vat"]), "data.lines[].vat: became required"),
    ],
)
def test_incompatible_changes_are_named(change: Callable[[Schema], None], said: str) -> None:
    after = copy.deepcopy(before())
    change(after)
    assert any(said in found for found in incompatible_changes(before(), after))


def test_a_version_may_only_go_after_it_was_given_a_sunset() -> None:
    old, new = catalogue_document(), catalogue_document()
    gone = new["events"].pop(0)
    assert catalogue_changes(old, new) == [f"{gone['name']} v1 is gone without a sunset date"]
    old["events"][0]["sunset"] = "2026-12-31"
    assert catalogue_changes(old, new) == []


def test_the_files_are_not_overwritten_by_an_incompatible_catalogue(tmp_path: Any) -> None:
    assert write(tmp_path) == []
    baseline = tmp_path / BASELINE.name
    stricter = catalogue_document()
    stricter["events"][0]["schema"]["properties"]["colour"] = {"type": "string"}
    baseline.write_text(text_of(stricter), encoding="utf-8")
    first = stricter["events"][0]["name"]
    assert write(tmp_path) == [f"{first} v1 data.colour: was removed"]
    assert baseline.read_text(encoding="utf-8") == text_of(stricter)


def test_writing_again_changes_nothing(tmp_path: Any) -> None:
    assert write(tmp_path) == []
    first = [(tmp_path / file.name).read_bytes() for file in (BASELINE, ASYNCAPI)]
    assert write(tmp_path) == []
    assert [(tmp_path / file.name).read_bytes() for file in (BASELINE, ASYNCAPI)] == first


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
