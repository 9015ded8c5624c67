"""SOQL over HTTP: query, queryAll, and the cursor for further pages.

Source: REST API developer guide, "Query", "QueryAll", "Query Options header".
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.records import RecordStore
from sandbox.salesforce.errors import error
from sandbox.salesforce.soql_lexer import SoqlError
from sandbox.salesforce.soql_parser import parse
from sandbox.salesforce.soql_run import Statement

CURSORS = 200
"""How many open cursors the org keeps; the oldest is closed first."""
LEAST, MOST = 200, 2000
"""Bounds of the batch size."""


@dataclass(frozen=True, slots=True)
class _Cursor:
    statement: Statement
    record_ids: tuple[str, ...]
    batch: int
    deleted: bool


class Queries:
    """The `/query` and `/queryAll` resources."""

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self._cursors: OrderedDict[str, _Cursor] = OrderedDict()

    def query(self, call: Call) -> Answer:
        """`GET /query?q=…`."""
        return self._run(call, deleted=False)

    def query_all(self, call: Call) -> Answer:
        """`GET /queryAll?q=…`: deleted records included."""
        return self._run(call, deleted=True)

    def more(self, call: Call) -> Answer:
        """`GET /query/{cursor}-{offset}`: a further page."""
        name, _, offset = call.params["cursor"].rpartition("-")
        cursor = self._cursors.get(name)
        if cursor is None or not offset.isdigit() or int(offset) >= len(cursor.record_ids):
            raise Refused(error(400, "INVALID_QUERY_LOCATOR", "invalid query locator"))
        return self._page(call, name, cursor, call.page_offset(int(offset)))

    def _run(self, call: Call, deleted: bool) -> Answer:
        text = call.query.get("q", "")
        if not text.strip():
            raise Refused(error(400, "MALFORMED_QUERY", "A query string has to be specified"))
        try:
            statement = Statement(self._store, parse(text))
        except SoqlError as wrong:
            raise Refused(error(400, wrong.code, _located(text, wrong))) from None
        found = statement.select(deleted)
        if statement.count:
            return Answer(200, {"totalSize": len(found), "done": True, "records": []})
        cursor = _Cursor(statement, tuple(record.id for record in found), _batch(call), deleted)
        name = (
            f"01g5g00000{self._store.next_number('query') % 100000:05d}AAA"
            if len(found) > cursor.batch
            else ""
        )
        if name:
            self._cursors[name] = cursor
            while len(self._cursors) > CURSORS:
                self._cursors.popitem(last=False)
        return self._page(call, name, cursor, 0)

    def _page(self, call: Call, name: str, cursor: _Cursor, start: int) -> Answer:
        version = call.params["version"]
        end = min(start + cursor.batch, len(cursor.record_ids))
        kind = cursor.statement.kind.name
        wanted = cursor.record_ids[start:end]
        if cursor.deleted:
            rows = {row.id: row for row in self._store.rows(kind, deleted=True)}
            records = [rows[record_id] for record_id in wanted if record_id in rows]
        else:
            records = [r for r in (self._store.get(kind, record_id) for record_id in wanted) if r is not None]
        body: dict[str, Any] = {"totalSize": len(cursor.record_ids), "done": end >= len(cursor.record_ids)}
        if not body["done"]:
            body["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
        body["records"] = [cursor.statement.project(record, version) for record in records]
        return Answer(200, body)


def _batch(call: Call) -> int:
    """The batch size asked for in `Sforce-Query-Options: batchSize=N`, within the org's bounds."""
    for part in call.headers.get("sforce-query-options", "").split(","):
        name, _, value = part.partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdigit():
            return min(max(int(value), LEAST), MOST)
    return MOST


def _located(text: str, wrong: SoqlError) -> str:
    """The message with the place in the statement, as Salesforce shows it."""
    row = text.count("\n", 0, wrong.at) + 1
    column = wrong.at - (text.rfind("\n", 0, wrong.at) + 1) + 1
    return f"\n{text}\n{' ' * (column - 1)}^\nERROR at Row:{row}:Column:{column}\n{wrong.message}"
