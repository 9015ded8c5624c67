"""Bulk creates in the effects log.

Rows of a bulk create carry `<effect key>#<row>`: the call is one effect under the part before `#`, its `ids`
and `rows` name what was made. A later call that only adds rows still missing under the same key (the rest of
a partial batch) completes that effect instead of being another; one that repeats a row is counted again.
"""

from typing import Any

from sandbox.core import effects, wire
from sandbox.core.records import Record, RecordStore
from sandbox.kantata import references
from sandbox.kantata.resource import Resource
from sandbox.kantata.validation import Row


def log(
    store: RecordStore, resource: Resource, key: str | None, made: list[tuple[Row, Record]], *, again: bool
) -> None:
    """Log the rows made under one key. `again`: one of them repeats a row that was there."""
    if store.database.origin == "seed":
        return
    refs = [references.effect_key(row.reference or {}, updating=False) or record.id for row, record in made]
    ids = [record.id for _, record in made]
    begun = None if again or key is None else _begun(store, resource, key)
    if begun is not None:
        _complete(store, begun, refs, ids)
        return
    natural, fields = key or ",".join(ids), {"rows": refs}
    effects.log(
        store.database,
        *(store.system, resource.collection, "create", natural, key, fields, ",".join(ids)),
    )


def _begun(store: RecordStore, resource: Resource, key: str) -> tuple[Any, ...] | None:
    rows = store.database.read(
        "SELECT seq, fields, record_id FROM effects WHERE system = ? AND object = ? AND effect_key = ?"
        " AND origin = ? ORDER BY seq DESC LIMIT 1",
        (store.system, resource.collection, key, store.database.origin),
    )
    return rows[0] if rows else None


def _complete(store: RecordStore, begun: tuple[Any, ...], refs: list[str], ids: list[str]) -> None:
    seq, fields, record_ids = begun
    rows = [*wire.decode(fields)["rows"], *refs]
    store.database.write(
        "UPDATE effects SET fields = ?, record_id = ? WHERE seq = ?",
        (wire.encode({"rows": rows}).decode(), ",".join([record_ids, *ids]), seq),
    )
