"""Running a parsed statement over the store: filter, order, page, project."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from sandbox.core.records import Record, RecordStore
from sandbox.salesforce import ids
from sandbox.salesforce.objects import ORG
from sandbox.salesforce.representation import attributes, shown
from sandbox.salesforce.schema import SObject
from sandbox.salesforce.soql_bind import Bound, bind, comparable, predicate, source
from sandbox.salesforce.soql_lexer import SoqlError
from sandbox.salesforce.soql_parser import Comparison, Condition, Group, Path, Query


class Statement:
    """A query bound to the org: all its names are checked before any record is read."""

    def __init__(self, store: RecordStore, query: Query, kind: SObject | None = None) -> None:
        self._store = store
        self._query = query
        self.kind = kind or source(query.source, query.source_at)
        self.count = query.count
        if not query.count and not query.fields and not query.children:
            raise SoqlError("a query needs at least one field", query.source_at)
        self._fields = [(path, bind(self.kind, path)) for path in query.fields]
        self._orders = [(bind(self.kind, order.path), order) for order in query.orders]
        self._where = predicate(store, self.kind, query.where) if query.where else None
        self._children = [self._child(child) for child in query.children]

    def select(self, deleted: bool = False) -> list[Record]:
        """The matching records, ordered, cut to LIMIT and OFFSET."""
        rows: Iterable[Record] = self._candidates(deleted)
        found = [row for row in rows if self._where is None or self._where(row)]
        return self._cut(found)

    def project(self, record: Record, version: str) -> dict[str, Any]:
        """A record as the answer shows it, with parents and child queries."""
        result: dict[str, Any] = {"attributes": attributes(self.kind, record.id, version)}
        for path, bound in self._fields:
            self._place(result, record, path, bound, version)
        for name, reference, statement in self._children:
            rows = self._store.find(statement.kind.name, reference, record.id)
            chosen = [row for row in rows if statement._where is None or statement._where(row)]
            chosen = statement._cut(chosen)
            shown_rows = [statement.project(row, version) for row in chosen]
            result[name] = {"totalSize": len(chosen), "done": True, "records": shown_rows} if chosen else None
        return result

    def _child(self, query: Query) -> tuple[str, str, "Statement"]:
        to = self.kind.child(query.source)
        if to is None:
            message = (
                f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are"
            )
            message += " attempting to use a custom relationship, be sure to append the '__r' after the name."
            raise SoqlError(message, query.source_at, "INVALID_TYPE")
        name = next(known for known in self.kind.children if known.lower() == query.source.lower())
        return name, to[1], Statement(self._store, query, ORG.objects[to[0]])

    def _place(self, result: dict[str, Any], record: Record, path: Path, bound: Bound, version: str) -> None:
        at: Record | None = record
        target = result
        for hop in bound.hops:
            parent_id = at.get(hop.name) if at is not None else None
            at = self._store.get(hop.reference_to, parent_id) if parent_id else None
            if at is None:
                target.setdefault(hop.relationship, None)
                return
            kind = ORG.objects[hop.reference_to]
            target = target.setdefault(hop.relationship, {"attributes": attributes(kind, at.id, version)})
        if at is not None:
            target[bound.field.name] = shown(at, bound.field)

    def _candidates(self, deleted: bool) -> Iterable[Record]:
        """All rows, or the few an indexed equality leaves."""
        found = None if deleted else self._indexed(self._query.where)
        return self._store.rows(self.kind.name, deleted=deleted) if found is None else found

    def _indexed(self, condition: Condition | None) -> list[Record] | None:
        if isinstance(condition, Group) and condition.joined_by == "AND":
            for part in condition.conditions:
                rows = self._indexed(part)
                if rows is not None:
                    return rows
            return None
        if not isinstance(condition, Comparison) or condition.operator not in ("=", "IN"):
            return None
        bound = bind(self.kind, condition.path)
        values = [literal.value for literal in condition.literals]
        if bound.hops or not all(isinstance(value, str) for value in values):
            return None
        if bound.field.type == "id":
            wanted = dict.fromkeys(ids.normal(str(value)) or "" for value in values)
            by_id = (self._store.get(self.kind.name, record_id) for record_id in wanted)
            return [row for row in by_id if row is not None]
        if not self._store.has_index(self.kind.name, bound.field.name):
            return None
        as_id = bound.field.type == "reference"
        keys = dict.fromkeys(ids.normal(str(v)) if as_id else str(v).lower() for v in values)
        return [row for key in keys for row in self._store.find(self.kind.name, bound.field.name, key)]

    def _cut(self, rows: list[Record]) -> list[Record]:
        rows = sorted(rows, key=lambda row: row.id) if self._orders else rows
        for bound, order in reversed(self._orders):
            keyed = [(comparable(bound.field, bound.value(self._store, row)), row) for row in rows]
            known = [pair for pair in keyed if pair[0] is not None]
            known.sort(key=itemgetter(0), reverse=order.descending)
            empty = [row for key, row in keyed if key is None]
            full = [row for _, row in known]
            rows = empty + full if order.nulls_first else full + empty
        start = self._query.offset
        stop = None if self._query.limit is None else start + self._query.limit
        return rows[start:stop]
