"""From a request body to checked rows: unknown fields are 400, values that do not fit are 422."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.core.call import Call
from sandbox.core.records import RecordStore
from sandbox.kantata import references
from sandbox.kantata.errors import ErrorLine, bad_request, invalid, line
from sandbox.kantata.fields import Wrong
from sandbox.kantata.resource import Resource


@dataclass(slots=True)
class Row:
    """One row of a create or update, as it will be kept."""

    sent: dict[str, Any]
    values: dict[str, Any]
    custom_fields: dict[str, Any] = field(default_factory=dict)
    reference: dict[str, Any] | None = None


def rows_of(call: Call, resource: Resource) -> tuple[list[dict[str, Any]], bool]:
    """The rows of a body `{"<singular>": {...}}` or, in bulk, `{"<collection>": [...]}`, and whether in bulk.

    Raises Refused with 400.
    """
    body = call.json_object()
    if set(body) == {resource.singular} and isinstance(body[resource.singular], dict):
        return [body[resource.singular]], False
    rows = body.get(resource.collection)
    if not resource.bulk or set(body) != {resource.collection} or not isinstance(rows, list):
        raise bad_request(f'the body must be {{"{resource.singular}": {{...}}}}')
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise bad_request(f"{resource.collection} must be a list of objects, and not empty")
    if len(rows) > resource.bulk:
        raise bad_request(f"{resource.collection} takes at most {resource.bulk} rows, not {len(rows)}")
    return rows, True


def checked(store: RecordStore, resource: Resource, sent: dict[str, Any], operation: str) -> Row:
    """One row, checked field by field. Raises Refused: 400 for an unknown field, else 422 with all errors."""
    errors: list[ErrorLine] = []
    row = Row(sent, {})
    for name, value in sent.items():
        if name == "external_reference" and resource.referenced:
            row.reference = references.checked(value, errors)
            continue
        known = resource.fields.get(name)
        if known is None or known.only not in ("", operation):
            raise bad_request(f"{resource.singular} has no field {name} that can be written on {operation}")
        try:
            row.values[name] = known.stored(value)
        except Wrong as wrong:
            errors.append(line("validation", f"{name} {wrong}", name))
            continue
        errors += _missing_targets(store, known.target, name, row.values[name])
    row.custom_fields = row.values.pop("custom_fields", None) or {}
    errors += _custom_field_errors(store, resource, row.custom_fields)
    if operation == "create":
        errors += [
            line("validation", f"{name} can't be blank", name)
            for name in resource.required
            if row.values.get(name) in (None, "", []) and not any(e.get("field") == name for e in errors)
        ]
    if errors:
        unknown = [error for error in errors if error["type"] == "system"]
        raise bad_request(unknown[0]["message"]) if unknown else invalid(errors)
    return row


def _missing_targets(store: RecordStore, target: str, name: str, value: Any) -> list[ErrorLine]:
    if not target or value is None:
        return []
    ids = value if isinstance(value, list) else [value]
    missing = [id for id in ids if store.get(target, id) is None]
    return [line("validation", f"{name}: {target} {id} does not exist", name) for id in missing]


def _custom_field_errors(store: RecordStore, resource: Resource, given: dict[str, Any]) -> list[ErrorLine]:
    # A resource request's custom fields are those of the workspace resource it asks for.
    noun = "WorkspaceResource" if resource.collection == "resource_requests" else resource.noun
    errors = []
    for field_id, value in given.items():
        known = store.get("custom_fields", field_id)
        if known is None or known["subject_type"] != noun:
            errors.append(
                line("validation", f"custom field {field_id} is not one of a {noun}", "custom_fields")
            )
        elif known["value_type"] == "string" and not (value is None or isinstance(value, str)):
            errors.append(line("validation", f"{known['name']} must be a string", "custom_fields"))
    return errors
