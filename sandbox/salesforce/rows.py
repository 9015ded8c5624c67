"""Creating, changing and deleting records by Salesforce's rules.

Bodies are checked in full before anything is written; what the system computes (stage flags, roll-ups,
contract end) follows each write. The effect key of a write is the
`Fairlead_Key__c` or `Fairlead_Billing_Key__c` its body carries.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.salesforce import ids, rollups
from sandbox.salesforce.errors import no_external_id_field, not_found, refuse
from sandbox.salesforce.objects import ORG
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.values import checked

KEY_FIELDS = ("Fairlead_Key__c", "Fairlead_Billing_Key__c")


def sobject(name: str) -> SObject:
    """The object of this name. Raises Refused with 404 NOT_FOUND."""
    found = ORG.object(name)
    if found is None:
        raise not_found()
    return found


def existing(store: RecordStore, kind: SObject, record_id: str) -> Record:
    """The live record of an id. Raises Refused: MALFORMED_ID, ENTITY_IS_DELETED or NOT_FOUND."""
    full = ids.normal(record_id)
    if full is None or not full.startswith(kind.prefix):
        raise refuse("MALFORMED_ID", f"{kind.name} ID: id value of incorrect type: {record_id}", ["Id"])
    record = store.get(kind.name, full)
    if record is None:
        if any(row.id == full for row in store.rows(kind.name, deleted=True)):
            raise refuse("ENTITY_IS_DELETED", "entity is deleted", [])
        raise not_found()
    return record


def by_external_id(store: RecordStore, kind: SObject, field_name: str, value: str) -> list[Record]:
    """Records with this external id. Raises Refused with 404 for a field that is none."""
    field = external_id(kind, field_name)
    return store.find(kind.name, field.name, value.lower())


def external_id(kind: SObject, field_name: str) -> Field:
    """The external id field of this name. Raises Refused with 404 NOT_FOUND."""
    field = kind.field(field_name)
    if field is None or not field.external_id:
        raise no_external_id_field()
    return field


def create(
    store: RecordStore, kind: SObject, body: Mapping[str, Any], *, owner: str, at: float | None = None
) -> Record:
    """Add a record from a request body, stamped `at` (default now). Raises Refused."""
    if not kind.writable:
        raise refuse("INSUFFICIENT_ACCESS_OR_READONLY", f"{kind.name} cannot be created by this user", [])
    sent = _values(store, kind, body, creating=True)
    values = {field.name: _default(field, owner) for field in kind.fields if field.createable}
    values |= sent
    missing = [field.name for field in kind.fields if field.required and values.get(field.name) is None]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise refuse("REQUIRED_FIELD_MISSING", message, missing)
    values |= rollups.computed(store, kind, values, sent)
    number = store.next_number(kind.name)
    record = store.create(
        kind.name,
        values,
        id=ids.record_id(kind.prefix, number),
        at=at,
        natural_key=str(values.get(kind.name_field) or ""),
        effect_key=_effect_key(sent),
        sent=sent,
    )
    rollups.follow(store, record, at)
    return record


def change(store: RecordStore, kind: SObject, record: Record, body: Mapping[str, Any]) -> Record:
    """Set the fields of a request body on a record. Raises Refused."""
    if not kind.writable:
        raise refuse("INSUFFICIENT_ACCESS_OR_READONLY", f"{kind.name} cannot be changed by this user", [])
    sent = _values(store, kind, body, creating=False)
    for field in kind.fields:
        if field.required and field.name in sent and sent[field.name] is None:
            message = f"Required fields are missing: [{field.name}]"
            raise refuse("REQUIRED_FIELD_MISSING", message, [field.name])
    if kind.name == "Opportunity" and record["HasOpportunityLineItem"]:
        sent.pop("Amount", None)  # documented: ignored, not refused, while the opportunity has products
    changes = {**sent, **rollups.computed(store, kind, {**record.data, **sent}, sent)}
    after = store.update(
        kind.name,
        record.id,
        changes,
        natural_key=str(record.get(kind.name_field) or ""),
        effect_key=_effect_key(sent),
    )
    if after is not record:
        rollups.follow(store, after)
    return after


def remove(store: RecordStore, kind: SObject, record: Record) -> None:
    """Move a record to the recycle bin. Raises Refused."""
    if not kind.writable:
        raise refuse("INSUFFICIENT_ACCESS_OR_READONLY", f"{kind.name} cannot be deleted by this user", [])
    natural_key = str(record.get(kind.name_field) or "")
    store.delete(kind.name, record.id, keep=True, natural_key=natural_key)
    rollups.follow(store, record)


def _values(store: RecordStore, kind: SObject, body: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in body.items():
        if name == "attributes":
            continue
        field = kind.field(name)
        if field is None:
            parent = kind.by_relationship.get(name.lower())
            if parent is None or not isinstance(value, Mapping):
                raise refuse("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}")
            values[parent.name] = _by_parent_key(store, parent, value)
            continue
        if not (field.createable if creating else field.updateable):
            message = f"Unable to create/update fields: {field.name}. Please check the security settings of"
            message += " this field and verify that it is read/write for your profile or permission set."
            raise refuse("INVALID_FIELD_FOR_INSERT_UPDATE", message, [field.name])
        values[field.name] = checked(kind, field, value)
        if field.reference_to and values[field.name] is not None:
            values[field.name] = _referred(store, kind, field, value)
    return values


def _referred(store: RecordStore, kind: SObject, field: Field, value: str) -> str:
    full = ids.normal(value)
    target = ORG.objects[field.reference_to]
    if full is None or not full.startswith(target.prefix):
        message = f"{field.relationship or field.name} ID: id value of incorrect type: {value}"
        raise refuse("MALFORMED_ID", message, [field.name])
    if store.get(target.name, full) is None:
        raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [field.name])
    return full


def _by_parent_key(store: RecordStore, field: Field, given: Mapping[str, Any]) -> str:
    """A lookup set by the parent's external id, e.g. `"Account": {"Tax_Id__c": "DE…"}`."""
    keys = [(name, value) for name, value in given.items() if name != "attributes"]
    parent = ORG.objects[field.reference_to]
    if len(keys) != 1 or not isinstance(keys[0][1], str):
        raise refuse("INVALID_FIELD", f"{field.relationship} must hold exactly one external id")
    key_field = parent.field(keys[0][0])
    if key_field is None or not key_field.external_id:
        message = (
            f"Field name provided, {keys[0][0]} is not an External ID or indexed field for {parent.name}"
        )
        raise refuse("INVALID_FIELD", message)
    found = store.find(parent.name, key_field.name, keys[0][1].lower())
    if len(found) != 1:
        what = "not found" if not found else "matched several records"
        message = (
            f"Foreign key external ID: {keys[0][1]} {what} for field {key_field.name} in entity {parent.name}"
        )
        raise refuse("INVALID_FIELD", message)
    return found[0].id


def _default(field: Field, owner: str) -> Any:
    return owner if field.name == "OwnerId" else field.default


def _effect_key(sent: Mapping[str, Any]) -> str | None:
    """The effect key a body carries, in the first of the tenant's key fields that it has."""
    return next((str(sent[name]) for name in KEY_FIELDS if sent.get(name)), None)
