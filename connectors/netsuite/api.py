"""NetSuite's endpoints (SuiteTalk REST 2026.1): records, SuiteQL, select options, asynchronous jobs.

Vendor words in, vendor words out; what they mean for Fairlead is the client's business.
"""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from connectors.errors import Ambiguous, ConnectorError, Rejected
from connectors.http.paging import Keyset, PageRequest, walk
from connectors.http.resolution import Refusal
from connectors.http.shapes import read_as
from connectors.http.transport import OK, Answer, VendorHttp
from connectors.netsuite.jobs import AsyncJob, JobStatus, RecordResult, TaskList, TaskStatus, number_of

RECORDS = "/services/rest/record/v1"
SUITEQL = "/services/rest/query/v1/suiteql"
# Without it a mistyped field would be dropped in silence.
STRICT = {"X-NetSuite-PropertyNameValidation": "error"}
COLLECTION = "application/vnd.oracle.resource+json; type=collection"
SELECT_OPTIONS = "application/vnd.oracle.resource+json; type=select-options"
MAX_BATCH = 100
_KEYS = uuid.UUID("b7a8b2de-7c0d-5c51-9c39-2f4a3f1f4a10")
_TASK_FAILURES = frozenset(range(400, 600)) - {401, 429}


class NetSuiteApi:
    """One account over one `VendorHttp`."""

    def __init__(self, http: VendorHttp, page_size: int = 1000) -> None:
        self.http = http
        self._page_size = page_size

    # ---- records

    async def get(
        self, record_type: str, address: str, *, operation: str, missing_ok: bool = False
    ) -> Answer:
        """One record with its lines by id or `eid:<external id>`. With `missing_ok` a 404 is an answer."""
        return await self.http.call(
            "GET",
            _path(record_type, address),
            operation=operation,
            write=False,
            params={"expandSubResources": "true"},
            expect=(200, 404) if missing_ok else (200,),
        )

    async def upsert(
        self,
        record_type: str,
        external_id: str,
        body: Mapping[str, Any],
        *,
        operation: str,
        replace: Sequence[str] = (),
    ) -> Answer:
        """Create or change the record of an external id (PUT, 204). `replace` names the sublists in `body`:
        without it a repeated request would add its lines again.
        """
        return await self.http.call(
            "PUT",
            _path(record_type, f"eid:{external_id}"),
            operation=operation,
            write=True,
            params={"replace": ",".join(replace)} if replace else None,
            json=body,
            headers=STRICT,
        )

    async def update(
        self, record_type: str, record_id: str, body: Mapping[str, Any], *, operation: str
    ) -> Answer:
        """Change fields of one record (PATCH, 204)."""
        path = _path(record_type, record_id)
        return await self.http.call("PATCH", path, operation=operation, write=True, json=body, headers=STRICT)

    async def transform(
        self,
        record_type: str,
        record_id: str,
        target: str,
        body: Mapping[str, Any],
        *,
        operation: str,
        replace: Sequence[str] = (),
    ) -> Answer:
        """Make a `target` of a record (POST `!transform`, 204). A repeat would make a second one: `body`
        must carry an external id. `replace` names the sublists of `body`, else its lines are added to those
        taken over.
        """
        return await self.http.call(
            "POST",
            f"{_path(record_type, record_id)}/!transform/{target}",
            operation=operation,
            write=True,
            params={"replace": ",".join(replace)} if replace else None,
            json=body,
            headers=STRICT,
        )

    async def delete(self, record_type: str, record_id: str, *, operation: str) -> Answer:
        """Remove one record; 404 means that it is gone already."""
        path = _path(record_type, record_id)
        return await self.http.call("DELETE", path, operation=operation, write=True, expect=(204, 404))

    # ---- queries

    async def rows(
        self, query: str, params: Sequence[str | int], *, operation: str
    ) -> AsyncIterator[dict[str, Any]]:
        """All rows of a SuiteQL query, page by page.

        The query must select the unique `id`, have `AND <id> > ?` as its last condition, with its last
        placeholder, and end in `ORDER BY <id>`: pages by offset would repeat or lose rows that move.
        """
        first = PageRequest(SUITEQL, {"limit": self._page_size}, "POST", _statement(query, [*params, 0]))

        def after(request: PageRequest, row: Any) -> PageRequest:
            return PageRequest(SUITEQL, request.params, "POST", _statement(query, [*params, int(row["id"])]))

        async for row in walk(
            self.http,
            first,
            Keyset(self._page_size, after),
            operation=operation,
            items=lambda body: self._rows_of(body, operation),
            identity=lambda row: row["id"],
            headers={"Prefer": "transient"},
        ):
            yield row

    def _rows_of(self, body: Any, operation: str) -> Sequence[Any]:
        items = body.get("items") if isinstance(body, Mapping) else None
        rows = items if isinstance(items, list) else []
        whole = all(isinstance(row, Mapping) and str(row.get("id", "")).isdecimal() for row in rows)
        if not isinstance(items, list) or not whole:
            field = "suiteql.id" if isinstance(items, list) else "suiteql.items"
            raise Rejected(
                f"{self.http.system}: {operation}: the answer is not as documented: {field} is missing",
                system=self.http.system,
                operation=operation,
                field=field,
                rule="schema.missing_field",
            )
        return rows

    async def options(
        self, record_type: str, fields: Sequence[str], *, operation: str
    ) -> dict[str, dict[str, str]]:
        """What may be chosen for `fields`: field -> label -> id. Labels and ids are the account's own."""
        answer = await self.http.call(
            "POST",
            f"{RECORDS}/{record_type}",
            operation=operation,
            write=False,
            params={"fields": ",".join(fields)},
            json={},
            headers={"Accept": SELECT_OPTIONS},
        )
        body = answer.body if isinstance(answer.body, Mapping) else {}
        return {name: _labels(body.get(name)) for name in fields}

    async def field_names(self, record_type: str, *, operation: str) -> set[str]:
        """Names of the fields of a record type, custom ones included, from the metadata catalogue; columns of
        its sublists as `item.taxCode`.
        """
        answer = await self.http.call(
            "GET",
            f"{RECORDS}/metadata-catalog/{record_type}",
            operation=operation,
            write=False,
            headers={"Accept": "application/schema+json"},
        )
        properties = answer.body.get("properties") if isinstance(answer.body, Mapping) else None
        if not isinstance(properties, Mapping):
            return set()
        columns = {f"{name}.{column}" for name, shown in properties.items() for column in _columns_of(shown)}
        return set(properties) | columns

    # ---- asynchronous jobs

    async def submit(
        self,
        record_type: str,
        records: Mapping[str, Mapping[str, Any]],
        key: str,
        *,
        operation: str,
        replace: Sequence[str] = (),
    ) -> AsyncJob:
        """Upsert up to 100 records (external id -> body) as one job under the idempotency key of `key`.

        A repeat of the same key is answered with the first job (`repeated`), nothing is done again.
        """
        if not 1 <= len(records) <= MAX_BATCH:
            raise ValueError(f"a batch takes 1 to {MAX_BATCH} records, not {len(records)}")
        headers = {"Prefer": "respond-async", "X-NetSuite-Idempotency-Key": str(uuid.uuid5(_KEYS, key))}
        answer = await self.http.call(
            "PUT",
            f"{RECORDS}/{record_type}",
            operation=operation,
            write=True,
            params={"replace": ",".join(replace)} if replace else None,
            json={"items": [{**body, "externalId": external_id} for external_id, body in records.items()]},
            headers={**STRICT, **headers, "Content-Type": COLLECTION},
            expect=(202, 400),
        )
        location = answer.headers.get("location", "")
        if answer.status == 400 and _code_of(answer) != "IDEMPOTENCY_ERROR":
            refusal = Refusal(operation, 400, answer.body, True, answer.headers, answer.request_id)
            raise self.http.error_of(refusal)
        if not location:
            text = f"{self.http.system}: {operation}: accepted, but the answer does not name the job"
            raise Ambiguous(text, system=self.http.system, operation=operation, field="Location")
        return AsyncJob(number_of(location), tuple(records), repeated=answer.status == 400)

    async def results(self, job: AsyncJob, *, operation: str) -> tuple[RecordResult, ...] | None:
        """What became of each record of a job, in the order sent; None while it is not completed.

        Partial failure is normal: a failed record carries its error, the others stand.
        """
        status = self._shape(JobStatus, await self._job(job.path, operation), "job", operation)
        if not status.completed:
            return None
        tasks = self._shape(TaskList, await self._job(f"{job.path}/task", operation), "job.task", operation)
        if len(tasks.items) != len(job.external_ids):
            sent, shown = len(job.external_ids), len(tasks.items)
            words = f"job {job.id} shows {shown} tasks for {sent} records; look the records up by external id"
            text = f"{self.http.system}: {operation}: {words}"
            raise Ambiguous(text, system=self.http.system, operation=operation, field="job.task")
        return tuple(
            [
                await self._result(job, task.id, external_id, operation)
                for task, external_id in zip(tasks.items, job.external_ids, strict=True)
            ]
        )

    async def _result(self, job: AsyncJob, task_id: str, external_id: str, operation: str) -> RecordResult:
        path = f"{job.path}/task/{task_id}"
        task = self._shape(TaskStatus, await self._job(path, operation), "job.task", operation)
        failed = task.progress != "succeeded"
        answer = await self._job(f"{path}/result", operation, _TASK_FAILURES if failed else OK)
        if not failed:
            return RecordResult(external_id, number_of(answer.headers.get("location", "")))
        refusal = Refusal(operation, answer.status, answer.body, True, request_id=answer.request_id)
        error: ConnectorError = self.http.error_of(refusal)
        return RecordResult(external_id, error=error)

    async def _job(self, path: str, operation: str, expect: Any = OK) -> Answer:
        return await self.http.call("GET", path, operation=operation, write=False, expect=expect)

    def _shape(self, model: Any, answer: Answer, thing: str, operation: str) -> Any:
        return read_as(model, answer.body, system=self.http.system, thing=thing, operation=operation)


def _path(record_type: str, address: str) -> str:
    return f"{RECORDS}/{record_type}/{quote(address, safe=':')}"


def _statement(query: str, params: Sequence[str | int]) -> dict[str, Any]:
    return {"q": query, "params": list(params)}


def _labels(options: Any) -> dict[str, str]:
    entries = options.get("_selectOptions") if isinstance(options, Mapping) else None
    rows = entries if isinstance(entries, list) else []
    return {str(row["refName"]): str(row["id"]) for row in rows if "refName" in row and "id" in row}


def _columns_of(schema: Any) -> Sequence[str]:
    """Column names of a sublist's schema: an object whose `items` is an array of objects."""
    for name in ("properties", "items", "items", "properties"):
        schema = schema.get(name) if isinstance(schema, Mapping) else None
    return list(schema) if isinstance(schema, Mapping) else []


def _code_of(answer: Answer) -> str:
    details = answer.body.get("o:errorDetails") if isinstance(answer.body, Mapping) else None
    return str(details[0].get("o:errorCode", "")) if isinstance(details, list) and details else ""
