"""Records as the API shows them, and the envelope around them.

`results` holds the order; the collection maps may hold side-loaded rows too. The ids of associated records
(`workspace_id`, `user_id` ...) appear only when their association is included.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sandbox.core import clock
from sandbox.core.call import Answer, Call
from sandbox.core.records import Record, RecordStore
from sandbox.kantata import references, work_shapes
from sandbox.kantata.errors import bad_request
from sandbox.kantata.money import base_unit
from sandbox.kantata.resource import Association, Resource
from sandbox.kantata.resources import RESOURCES, STATUSES
from sandbox.kantata.selection import Page, second


def page_answer(call: Call, resource: Resource, page: Page) -> Answer:
    """A list's answer: one page."""
    meta = {"count": page.total, "page_count": page.count, "page_number": page.number, "page_size": page.size}
    return _answer(call, resource, page.records, meta)


def records_answer(call: Call, resource: Resource, records: list[Record]) -> Answer:
    """The answer to a show, create or update."""
    meta = {"count": len(records), "page_count": 1, "page_number": 1, "page_size": max(1, len(records))}
    return _answer(call, resource, records, meta)


def included(call: Call, resource: Resource) -> dict[str, Association]:
    """The associations asked for by `include`. Raises Refused with 400 for one the resource does not have."""
    names = [name for name in call.query.get("include", "").split(",") if name]
    unknown = [name for name in names if name not in resource.includes]
    if unknown:
        raise bad_request(f"{resource.collection} has no association {unknown[0]} to include")
    return {name: resource.includes[name] for name in names}


def shape(store: RecordStore, resource: Resource, record: Record) -> dict[str, Any]:
    """A record's own attributes, without associations."""
    shown: dict[str, Any] = {"id": record.id}
    shown |= {name: record.get(name) for name in resource.shown}
    if resource.collection == "workspaces":
        shown |= _workspace(record)
    elif resource.collection == "workspace_resources":
        shown |= _workspace_resource(store, record)
    elif resource.collection in work_shapes.SHAPED:
        shown |= work_shapes.computed(store, record)
    return {**shown, "created_at": moment(record.created), "updated_at": moment(record.modified)}


def moment(stamp: float) -> str:
    """A datetime as this API tells it: whole seconds with an offset."""
    return clock.utc(second(stamp)).isoformat()


def _answer(call: Call, resource: Resource, records: list[Record], meta: dict[str, int]) -> Answer:
    associations = included(call, resource)
    body: dict[str, Any] = {
        "count": meta["count"],
        "meta": meta,
        "results": [{"key": resource.collection, "id": record.id} for record in records],
        resource.collection: {},
    }
    for association in associations.values():
        body.setdefault(association.collection, {})
    for record in records:
        shown = shape(call.store, resource, record)
        for name, association in associations.items():
            ids = _associated(call.store, resource, record, name, association)
            shown[association.key] = ids if association.many else (ids[0] if ids else None)
            side = body[association.collection]
            for id in ids:
                if id in side:
                    continue
                loaded = _side_loaded(call.store, association.collection, id, record)
                if loaded is not None:
                    side.setdefault(id, loaded)
        body[resource.collection][record.id] = shown
    return Answer(200, body)


def _associated(
    store: RecordStore, resource: Resource, record: Record, name: str, association: Association
) -> list[str]:
    if name == "external_references":
        return [row.id for row in references.of(store, resource.noun, record.id)]
    if name == "custom_field_values":
        return [held["id"] for held in record.get("custom_field_values", {}).values()]
    if resource.collection == "workspaces" and name in (
        "billing_milestones",
        "workspace_resources_with_unnamed",
    ):
        return [row.id for row in store.find(association.collection, "workspace_id", record.id)]
    value = record.get(association.key)
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _side_loaded(store: RecordStore, collection: str, id: str, owner: Record) -> dict[str, Any] | None:
    if collection == "custom_field_values":
        return _custom_field_value(store, id, owner)
    record = store.get(collection, id)
    if record is None:
        return None
    if collection == references.COLLECTION:
        return reference_shape(record)
    return shape(store, RESOURCES[collection], record)


def reference_shape(record: Record) -> dict[str, Any]:
    """An external reference as shown."""
    shown = {"id": record.id, "subject_type": record["subject_type"], "subject_id": record["subject_id"]}
    shown |= {name: record.get(name) for name in references.FIELDS}
    return {**shown, "created_at": moment(record.created), "updated_at": moment(record.modified)}


def references_answer(records: Iterable[Record]) -> Answer:
    """A list of external references on one page."""
    rows = list(records)
    meta = {"count": len(rows), "page_count": 1, "page_number": 1, "page_size": max(1, len(rows))}
    return Answer(
        200,
        {
            "count": len(rows),
            "meta": meta,
            "results": [{"key": references.COLLECTION, "id": row.id} for row in rows],
            references.COLLECTION: {row.id: reference_shape(row) for row in rows},
        },
    )


def _custom_field_value(store: RecordStore, id: str, owner: Record) -> dict[str, Any] | None:
    for field_id, held in owner["custom_field_values"].items():
        if held["id"] == id:
            field = store.get("custom_fields", field_id)
            value_type = field["value_type"] if field else "string"
            return {
                "id": id,
                "custom_field_id": field_id,
                "custom_field_name": field["name"] if field else "",
                "subject_type": RESOURCES[owner.object].noun,
                "subject_id": owner.id,
                "type": value_type,
                "value": held["value"],
                "display_value": held["value"],
            }
    return None


def _workspace(record: Record) -> dict[str, Any]:
    key = int(record["status_key"])
    message, color = STATUSES[key]
    unit = base_unit(record["currency"])
    price = record.get("price")
    return {
        "status": {"key": key, "message": message, "color": color},
        "price": None if price is None else f"{price:,d}",
        "price_in_cents": None if price is None else int(Decimal(price) * unit),
        "currency_base_unit": unit,
        "currency_symbol": record["currency"],
    }


def _workspace_resource(store: RecordStore, record: Record) -> dict[str, Any]:
    role = store.get("roles", record["role_id"]) if record.get("role_id") else None
    user = store.get("users", record["user_id"]) if record.get("user_id") else None
    workspace = store.get("workspaces", record["workspace_id"])
    role_name = role["name"] if role else None
    return {
        "workspace_id": int(record["workspace_id"]),
        "workspace_title": workspace["title"] if workspace else None,
        "role_name": role_name,
        "full_name": user["full_name"] if user else None,
        "display_label": user["full_name"]
        if user
        else record.get("label") or role_name or "Unnamed Resource",
    }
