"""The NetSuite account: routes, faults, hand edits.

Paths are those of the account's own host below `/netsuite`: the token endpoint, records, SuiteQL, jobs.
Reference: SuiteTalk REST web services, release 2026.1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.core.emulator import Context, Emulator, Route
from sandbox.core.records import Record, RecordStore
from sandbox.netsuite import jobs, metadata, oauth, seed, writes
from sandbox.netsuite.errors import NetSuiteErrors
from sandbox.netsuite.record_types import RECORD_TYPES
from sandbox.netsuite.representation import RECORDS
from sandbox.netsuite.rest import RecordService
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.suiteql import service as suiteql
from sandbox.netsuite.transactions import billing_run
from sandbox.seed.firm import Firm


class NetSuiteEmulator(Emulator):
    """Records, SuiteQL, asynchronous jobs and the token endpoint of one account."""

    name = "netsuite"
    errors = NetSuiteErrors()
    unknown_field = "custentity_unheard_of"
    missing_fields = ("companyName", "companyname", "periodname", "name", "id")
    enum_fields = (
        "status",
        "creditHoldOverride",
        "creditholdoverride",
        "scheduleType",
        "jobBillingType",
        "frequency",
    )

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.concurrency_limit = context.settings.netsuite_concurrency
        self._operations = 0
        writes.define(context.store)
        jobs.define(context.store)

    def routes(self) -> Sequence[Route]:
        asynchronous = jobs.Jobs()
        records = RecordService(asynchronous)
        token = oauth.TokenEndpoint(self.settings, self.tokens)
        collection, one, job = f"{RECORDS}/{{type}}", f"{RECORDS}/{{type}}/{{id}}", f"{jobs.PATH}/{{job}}"
        return [
            Route("POST", oauth.PATH, token.answer, kind="token"),
            Route("POST", suiteql.PATH, suiteql.run, kind="read"),
            Route("GET", f"{RECORDS}/metadata-catalog", metadata.catalog),
            Route("GET", f"{RECORDS}/metadata-catalog/{{type}}", metadata.schema),
            *_postings(records),
            Route("GET", collection, records.list),
            Route("POST", collection, records.create),
            Route("PUT", collection, records.upsert_all),
            Route("PATCH", collection, records.update_all),
            Route("GET", one, records.read),
            Route("PUT", one, records.upsert),
            Route("PATCH", one, records.update),
            Route("DELETE", one, records.delete),
            Route("POST", f"{one}/@{{action}}", records.act),
            Route("POST", f"{one}/!transform/{{target}}", records.transform, posting=True),
            Route("GET", job, asynchronous.job),
            Route("GET", f"{job}/task", asynchronous.tasks),
            Route("GET", f"{job}/task/{{task}}", asynchronous.task),
            Route("GET", f"{job}/task/{{task}}/result", asynchronous.result),
        ]

    def finish(self, call: Call, answer: Answer) -> None:
        """Every answer names its operation, for support."""
        self._operations += 1
        answer.headers.setdefault("X-N-OperationId", f"sandbox-{self._operations:08d}")

    def records_in(self, body: Any) -> Iterator[dict[str, Any]]:
        """Rows of a query, or a single record; a list of ids has no fields to spoil."""
        if not isinstance(body, dict):
            return
        items = body.get("items")
        if isinstance(items, list):
            yield from (item for item in items if isinstance(item, dict))
        elif "id" in body and "completed" not in body:
            yield body

    def seed(self, plan: Firm, store: RecordStore) -> None:
        seed.fill(plan, store)

    def add(self, object_name: str, fields: Mapping[str, Any]) -> Record:
        """A person creates a record, or has the account bill what is due (`billingRun`).

        Raises ValueError for an unknown type, Refused for bad fields.
        """
        if object_name == billing_run.RUN:
            return billing_run.run(self.store, fields)
        return self._by_hand("create", object_name, "", fields)

    def edit(self, object_name: str, record_id: str, fields: Mapping[str, Any]) -> Record:
        """A person edits a record by id or `eid:<external id>`, fields that the API keeps read-only too."""
        if writes.locate(self.store, _known(object_name), record_id) is None:
            raise KeyError(f"netsuite {object_name} {record_id} does not exist")
        return self._by_hand("update", object_name, record_id, fields)

    def _by_hand(self, action: writes.Action, name: str, address: str, fields: Mapping[str, Any]) -> Record:
        replace = ",".join(set(fields) & set(_known(name).sublists))
        write = writes.Write(action, _known(name), address, fields, replace, "error", privileged=True)
        return writes.Writer(self.store).store(write)


def _postings(records: RecordService) -> list[Route]:
    """The writes that may reach the ledger, as routes of their own for the fault `period_closed`."""

    def of(record_type: str, handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        def handle(call: Call) -> Answer:
            call.params["type"] = record_type
            return handler(call)

        return handle

    return [
        Route(method, f"{RECORDS}/{name}/{{id}}", of(name, handler), posting=True)
        for method, name, handler in (
            ("PATCH", "invoice", records.update),
            ("PUT", "journalEntry", records.upsert),
            ("PATCH", "journalEntry", records.update),
        )
    ]


def _known(object_name: str) -> RecordType:
    if object_name not in RECORD_TYPES:
        raise ValueError(f"unknown record type {object_name!r}; known: {', '.join(RECORD_TYPES)}")
    return RECORD_TYPES[object_name]


def build(context: Context) -> Emulator:
    """The emulator over a store."""
    return NetSuiteEmulator(context)
