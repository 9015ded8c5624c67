"""sObject collections: up to 200 records in one call, answered row by row.

Source: REST API developer guide, "sObject Collections". The call answers 200 even where rows fail; a failed
row carries `statusCode`, not `errorCode`. With allOrNone, one failure undoes all.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.records import RecordStore
from sandbox.salesforce import rows
from sandbox.salesforce.crud import Crud
from sandbox.salesforce.errors import SalesforceErrors, error, refuse, row_errors
from sandbox.salesforce.objects import ORG
from sandbox.salesforce.representation import whole
from sandbox.salesforce.schema import SObject

MOST_ROWS = 200
MOST_CHUNKS = 10
ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone"
    " header",
    "fields": [],
}

Row = dict[str, Any]
Work = Callable[[], Row]


class Collections:
    """The `/composite/sobjects` resources."""

    def __init__(self, store: RecordStore, crud: Crud) -> None:
        self._store = store
        self._crud = crud

    def create(self, call: Call) -> Answer:
        """`POST /composite/sobjects`."""
        records, all_or_none = _records(call)
        kinds = [_type_of(record) for record in records]
        chunks = 1 + sum(1 for one, other in pairwise(kinds) if one != other)
        if chunks > MOST_CHUNKS:
            raise refuse("INVALID_BATCH_SIZE", f"records change type {chunks - 1} times; at most 10 chunks")

        def create(record: Row) -> Row:
            kind = rows.sobject(_type_of(record))
            made = self._crud.put_new(kind, record, call.subject)
            return {"id": made.id, "success": True, "errors": []}

        return self._run(call, [lambda r=r: create(r) for r in records], all_or_none)  # type: ignore[misc]

    def update(self, call: Call) -> Answer:
        """`PATCH /composite/sobjects`: each record carries its `id`."""
        records, all_or_none = _records(call)

        def update(record: Row) -> Row:
            kind = rows.sobject(_type_of(record))
            body = {name: value for name, value in record.items() if name.lower() != "id"}
            record_id = next((str(value) for name, value in record.items() if name.lower() == "id"), "")
            if not record_id:
                raise refuse("MISSING_ARGUMENT", "Id not specified in an update call")
            before = rows.existing(self._store, kind, record_id)
            self._crud.change(kind, before, body)
            return {"id": before.id, "success": True, "errors": []}

        return self._run(call, [lambda r=r: update(r) for r in records], all_or_none)  # type: ignore[misc]

    def upsert(self, call: Call) -> Answer:
        """`PATCH /composite/sobjects/{object}/{field}`: the key is in each record."""
        records, all_or_none = _records(call)
        kind = rows.sobject(call.params["object"])
        field = rows.external_id(kind, call.params["field"])

        def upsert(record: Row) -> Row:
            if _type_of(record).lower() != kind.name.lower():
                raise refuse("INVALID_TYPE", f"every record must be of type {kind.name}")
            key = next((value for name, value in record.items() if name.lower() == field.name.lower()), None)
            if not isinstance(key, str) or not key:
                raise refuse("MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
            found = rows.by_external_id(self._store, kind, field.name, key)
            if len(found) > 1:
                message = f"{field.name}: more than one record found for external id field: {key}"
                raise refuse("DUPLICATE_EXTERNAL_ID", message, [field.name])
            body = {name: value for name, value in record.items() if name.lower() != field.name.lower()}
            after, made = self._crud.put(kind, field, key, body, found, call.subject)
            return {"id": after.id, "success": True, "errors": [], "created": made}

        return self._run(call, [lambda r=r: upsert(r) for r in records], all_or_none)  # type: ignore[misc]

    def delete(self, call: Call) -> Answer:
        """`DELETE /composite/sobjects?ids=…&allOrNone=…`."""
        record_ids = [part for part in call.query.get("ids", "").split(",") if part]
        _check_size(record_ids)

        def delete(record_id: str) -> Row:
            kind = _kind_of(record_id)
            record = rows.existing(self._store, kind, record_id)
            rows.remove(self._store, kind, record)
            return {"id": record.id, "success": True, "errors": []}

        all_or_none = call.query.get("allOrNone", "").lower() == "true"
        return self._run(call, [lambda r=r: delete(r) for r in record_ids], all_or_none)  # type: ignore[misc]

    def read(self, call: Call) -> Answer:
        """`GET /composite/sobjects/{object}?ids=…&fields=…`: null in the place of each unknown id."""
        kind = rows.sobject(call.params["object"])
        record_ids = [part for part in call.query.get("ids", "").split(",") if part]
        _check_size(record_ids)
        fields = [
            kind.field(name.strip()) for name in call.query.get("fields", "").split(",") if name.strip()
        ]
        known = [field for field in fields if field is not None]
        if len(known) != len(fields) or not known:
            raise refuse("INVALID_FIELD", f"fields must name columns of {kind.name}")
        answers: list[Row | None] = []
        for record_id in record_ids:
            try:
                record = rows.existing(self._store, kind, record_id)
                answers.append(whole(record, call.params["version"], [*known, kind.by_name["id"]]))
            except Refused:
                answers.append(None)
        return Answer(200, answers)

    def _run(self, call: Call, work: Sequence[Work], all_or_none: bool) -> Answer:
        locked_from = (len(work) + 1) // 2 if call.fires("partial_batch") else len(work)
        answers: list[Row] = []
        try:
            with self._store.database.savepoint():
                for number, one in enumerate(work):
                    answers.append(self._one(one, locked=number >= locked_from))
                if all_or_none and not all(answer["success"] for answer in answers):
                    raise _Undo
        except _Undo:
            undone = {"success": False, "errors": [ROLLED_BACK]}
            answers = [undone if answer["success"] else answer for answer in answers]
        return Answer(200, answers)

    def _one(self, work: Work, locked: bool) -> Row:
        if locked:
            return {"success": False, "errors": row_errors(SalesforceErrors().locked())}
        try:
            with self._store.database.savepoint():
                return work()
        except Refused as refused:
            return {"success": False, "errors": row_errors(refused.answer)}


class _Undo(Exception):
    """A row failed and allOrNone was asked for."""


def _kind_of(record_id: str) -> SObject:
    kind = ORG.of_id(record_id)
    if kind is None:
        raise refuse("MALFORMED_ID", f"malformed id {record_id}", ["Id"])
    return kind


def _records(call: Call) -> tuple[list[Row], bool]:
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise Refused(error(400, "JSON_PARSER_ERROR", "records must be an array of objects"))
    _check_size(records)
    return records, body.get("allOrNone") is True


def _check_size(found: Sequence[Any]) -> None:
    if not found:
        raise Refused(error(400, "MISSING_ARGUMENT", "at least one record is needed"))
    if len(found) > MOST_ROWS:
        message = f"record limit reached. cannot submit more than {MOST_ROWS} records into this call"
        raise Refused(error(400, "LIMIT_EXCEEDED", message))


def _type_of(record: Row) -> str:
    attributes = record.get("attributes")
    kind = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(kind, str) or not kind:
        raise refuse("INVALID_TYPE", "each record needs attributes.type")
    return kind
