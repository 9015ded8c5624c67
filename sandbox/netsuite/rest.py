"""`/services/rest/record/v1`: records one by one and in collections.

Source: SuiteTalk REST record service: POST, PATCH, PUT and DELETE answer 204 with an empty body; a collection
lists ids only; writes of a whole collection, and any call with `Prefer: respond-async`, become jobs.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.netsuite.body import name_level
from sandbox.netsuite.errors import action_error, error, invalid_request, not_found
from sandbox.netsuite.jobs import Jobs
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.representation import RECORDS, Representation, counts
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.suiteql.service import page
from sandbox.netsuite.transactions.transforms import taken_over
from sandbox.netsuite.writes import EID, Action, Write, Writer, locate

SELECT_OPTIONS = "type=select-options"
COLLECTION = "type=collection"
MAX_BATCH = 100


class RecordService:
    """Handlers of the record resources."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def read(self, call: Call) -> Answer:
        """GET one record."""
        record_type = _type(call)
        record = locate(call.store, record_type, call.params["id"])
        if record is None:
            raise not_found()
        only = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
        shown = Representation(call.store, call.base_url).record(
            record,
            expand=_flag(call, "expandSubResources"),
            only=only,
            bare_enums=_flag(call, "simpleEnumFormat"),
        )
        return Answer(200, shown, media_type=f"application/vnd.oracle.resource+json; type={record_type.name}")

    def list(self, call: Call) -> Answer:
        """GET a collection: ids only."""
        record_type = _type(call)
        limit, offset = page(call)
        rows = list(call.store.rows(record_type.name))
        shown = Representation(call.store, call.base_url)
        items = [
            {"links": [{"rel": "self", "href": shown.href(record_type.name, row.id)}], "id": row.id}
            for row in rows[call.page_offset(offset) :][:limit]
        ]
        links = [{"rel": "self", "href": f"{call.base_url}{RECORDS}/{record_type.name}"}]
        return Answer(200, {"links": links, "items": items, **counts(len(items), len(rows), offset)})

    def create(self, call: Call) -> Answer:
        """POST: a record, a batch of records, or a question for select options."""
        if SELECT_OPTIONS in call.headers.get("accept", ""):
            return self._options(call)
        if COLLECTION in call.headers.get("content-type", ""):
            return self._batch(call, "create")
        return self._one(call, "create", call.json_object())

    def upsert(self, call: Call) -> Answer:
        """PUT a record by id or external id."""
        return self._one(call, "upsert", call.json_object(), call.params["id"])

    def update(self, call: Call) -> Answer:
        """PATCH a record."""
        if SELECT_OPTIONS in call.headers.get("accept", ""):
            return self._options(call)
        return self._one(call, "update", call.json_object(), call.params["id"])

    def delete(self, call: Call) -> Answer:
        """DELETE a record."""
        return self._one(call, "delete", {}, call.params["id"])

    def act(self, call: Call) -> Answer:
        """POST a record action such as `@approve`. None of this account's record types has one."""
        record_type = _type(call)
        if locate(call.store, record_type, call.params["id"]) is None:
            raise not_found()
        text = f"The '{call.params['action']}' action is not supported for '{record_type.name}' records."
        raise Refused(action_error(400, "INVALID_REQUEST", text))

    def transform(self, call: Call) -> Answer:
        """POST a new record made of another one: `/invoice/{id}/!transform/creditMemo`."""
        source = locate(call.store, _type(call), call.params["id"])
        if source is None:
            raise not_found()
        if _is_async(call):
            raise invalid_request("This sandbox transforms synchronously only.", header="Prefer")
        raw = call.json_object() if call.body else {}
        target = RECORD_TYPES.get(call.params["target"])
        if target is None:
            raise invalid_request(f"Record type '{call.params['target']}' does not exist.")
        taken = taken_over(source, target.name, raw, call.store)
        level = name_level(call.headers.get("x-netsuite-propertynamevalidation"))
        write = Write("create", target, "", raw, call.query.get("replace"), level, taken=taken)
        return Writer(call.store, call.base_url).perform(write)

    def upsert_all(self, call: Call) -> Answer:
        """PUT a batch: items carry `externalId`."""
        return self._batch(call, "upsert")

    def update_all(self, call: Call) -> Answer:
        """PATCH a batch: items carry `id` or `externalId`; the id wins."""
        return self._batch(call, "update")

    def _one(self, call: Call, action: Action, raw: Mapping[str, Any], address: str = "") -> Answer:
        write = _write(call, action, raw, address)
        if _is_async(call):
            return self._jobs.submit(call, [write])
        return Writer(call.store, call.base_url).perform(write)

    def _batch(self, call: Call, action: Action) -> Answer:
        if not _is_async(call):
            raise invalid_request("A batch needs the header 'Prefer: respond-async'.", header="Prefer")
        items = call.json_object().get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise invalid_request("The body must hold an array of records in 'items'.")
        if not 1 <= len(items) <= MAX_BATCH:
            raise invalid_request(f"A batch holds 1 to {MAX_BATCH} records, not {len(items)}.")
        writes = [_write(call, action, item, _address(action, item)) for item in items]
        return self._jobs.submit(call, writes)

    def _options(self, call: Call) -> Answer:
        record_type = _type(call)
        names = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
        shown = Representation(call.store, call.base_url)
        body: dict[str, Any] = {}
        for name in names or [f.name for f in record_type.fields.values() if f.kind in ("ref", "enum")]:
            known = record_type.fields.get(name)
            if known is None or known.kind not in ("ref", "enum"):
                raise invalid_request(f"The field '{name}' has no select options.", query="fields")
            body[name] = shown.options(known)
        return Answer(200, body, media_type="application/vnd.oracle.resource+json; type=select-options")


def _type(call: Call) -> RecordType:
    record_type = RECORD_TYPES.get(call.params["type"])
    if record_type is None:
        raise Refused(error(404, "NONEXISTENT_ID", f"Record type '{call.params['type']}' does not exist."))
    return record_type


def _write(call: Call, action: Action, raw: Mapping[str, Any], address: str) -> Write:
    level = name_level(call.headers.get("x-netsuite-propertynamevalidation"))
    return Write(action, _type(call), address, raw, call.query.get("replace"), level)


def _address(action: Action, item: Mapping[str, Any]) -> str:
    if action == "create":
        return ""
    if action == "update" and item.get("id"):
        return str(item["id"])
    if not item.get("externalId"):
        raise invalid_request("Each record of the batch must carry an 'externalId'.")
    return f"{EID}{item['externalId']}"


def _is_async(call: Call) -> bool:
    return "respond-async" in call.headers.get("prefer", "").lower()


def _flag(call: Call, name: str) -> bool:
    return call.query.get(name, "false").lower() == "true"
