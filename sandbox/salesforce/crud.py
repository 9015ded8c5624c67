"""Single records: create, read, update, delete, upsert by external id.

Source: REST API developer guide, "sObject Rows", "sObject Rows by External ID", conditional requests.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.records import Record, RecordStore
from sandbox.salesforce import rows
from sandbox.salesforce.errors import error, no_external_id_field, refuse
from sandbox.salesforce.representation import whole
from sandbox.salesforce.schema import Field, SObject
from sandbox.salesforce.signed import SignedDeals
from sandbox.salesforce.values import http_date


class Crud:
    """The `/sobjects/…` resources."""

    def __init__(self, store: RecordStore, signed: SignedDeals) -> None:
        self._store = store
        self._signed = signed

    def create(self, call: Call) -> Answer:
        """`POST /sobjects/{object}`."""
        kind = rows.sobject(call.params["object"])
        return created(call, kind, self.put_new(kind, call.json_object(), call.subject))

    def read(self, call: Call) -> Answer:
        """`GET /sobjects/{object}/{id}`."""
        kind = rows.sobject(call.params["object"])
        record = rows.existing(self._store, kind, call.params["id"])
        since = call.headers.get("if-modified-since")
        if since is not None and int(record.modified) <= _condition(since):
            return Answer(304)
        return Answer(200, whole(record, call.params["version"], _chosen(kind, call)))

    def update(self, call: Call) -> Answer:
        """`PATCH /sobjects/{object}/{id}`."""
        kind = rows.sobject(call.params["object"])
        record = rows.existing(self._store, kind, call.params["id"])
        _unmodified(call, record)
        self.change(kind, record, call.json_object())
        return Answer(204)

    def change(self, kind: SObject, record: Record, body: dict[str, Any]) -> Record:
        """Set fields and tell the world if that signs a deal."""
        return self._signed.watching(record, lambda: rows.change(self._store, kind, record, body))

    def delete(self, call: Call) -> Answer:
        """`DELETE /sobjects/{object}/{id}`."""
        kind = rows.sobject(call.params["object"])
        rows.remove(self._store, kind, rows.existing(self._store, kind, call.params["id"]))
        return Answer(204)

    def read_by_key(self, call: Call) -> Answer:
        """`GET /sobjects/{object}/{field}/{value}`."""
        kind = rows.sobject(call.params["object"])
        found = rows.by_external_id(self._store, kind, call.params["field"], call.params["value"])
        if not found:
            raise no_external_id_field()
        if len(found) > 1:
            return self._several(call, kind, found)
        return Answer(200, whole(found[0], call.params["version"], _chosen(kind, call)))

    def upsert(self, call: Call) -> Answer:
        """`PATCH /sobjects/{object}/{field}/{value}`."""
        kind = rows.sobject(call.params["object"])
        if call.params["field"].lower() == "id":
            call.params["id"] = call.params["value"]
            return self.update(call)
        body = call.json_object()
        field = rows.external_id(kind, call.params["field"])
        if any(name.lower() == field.name.lower() for name in body):
            message = f"The {field.name} field should not be specified in the sobject data."
            raise refuse("INVALID_FIELD", message, [field.name])
        found = rows.by_external_id(self._store, kind, field.name, call.params["value"])
        if len(found) > 1:
            return self._several(call, kind, found)
        if found:
            _unmodified(call, found[0])
        if not found and call.query.get("updateOnly", "").lower() == "true":
            raise no_external_id_field()
        record, made = self.put(kind, field, call.params["value"], body, found, call.subject)
        if made:
            return created(call, kind, record, upserted=True)
        return Answer(200, {"id": record.id, "success": True, "errors": [], "created": False})

    def put(
        self, kind: SObject, field: Field, value: str, body: dict[str, Any], found: list[Record], owner: str
    ) -> tuple[Record, bool]:
        """Create or change the one record under an external id; whether it was created."""
        full = {**body, field.name: value}
        if found:
            return self.change(kind, found[0], full), False
        return self.put_new(kind, full, owner), True

    def put_new(self, kind: SObject, body: Mapping[str, Any], owner: str) -> Record:
        """Create a record and tell the world if it is a signed deal."""
        record = rows.create(self._store, kind, body, owner=owner)
        self._signed.look(record)
        return record

    def _several(self, call: Call, kind: SObject, found: list[Record]) -> Answer:
        version = call.params["version"]
        return Answer(300, [f"/services/data/{version}/sobjects/{kind.name}/{record.id}" for record in found])


def created(call: Call, kind: SObject, record: Record, upserted: bool = False) -> Answer:
    """201 with the new id."""
    body: dict[str, Any] = {"id": record.id, "success": True, "errors": []}
    if upserted:
        body["created"] = True
    location = f"/services/data/{call.params['version']}/sobjects/{kind.name}/{record.id}"
    return Answer(201, body, {"Location": location})


def _chosen(kind: SObject, call: Call) -> list[Field] | None:
    names = call.query.get("fields")
    if not names:
        return None
    chosen = []
    for name in names.split(","):
        field = kind.field(name.strip())
        if field is None:
            raise refuse("INVALID_FIELD", f"No such column '{name.strip()}' on sobject of type {kind.name}")
        chosen.append(field)
    return chosen if any(field.name == "Id" for field in chosen) else [*chosen, kind.by_name["id"]]


def _unmodified(call: Call, record: Record) -> None:
    since = call.headers.get("if-unmodified-since")
    if since is not None and int(record.modified) > _condition(since):
        message = "The record has been modified since the time given in If-Unmodified-Since."
        raise Refused(error(412, "PRECONDITION_FAILED", message))


def _condition(header: str) -> float:
    moment = http_date(header)
    if moment is None:
        raise Refused(error(400, "INVALID_HEADER", f"not an HTTP date: {header}"))
    return moment
