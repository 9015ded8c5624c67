"""The record store every emulator keeps its state in.

    store.define("workspaces", Index("title"), Index("reference", keys=reference_keys, unique=True))
    row = store.create("workspaces", {"title": "Atlas"}, effect_key="activation/42/project")
    store.update("workspaces", row.id, {"title": "Atlas II"}, effect_key="activation/42/rename")
    store.get("workspaces", row.id)                       # Record or None
    store.find("workspaces", "title", "Atlas II")         # [Record, ...] by an index
    [r for r in store.rows("workspaces") if r["title"]]   # all live rows
    store.delete("workspaces", row.id)

Every write that changed something is an effect (see effects.py), logged in the same transaction. Say where
it came from: `effect_key` is the reference the caller sent in the field the tenant uses for it;
`natural_key` names the thing in business words (title, number). `derived=True` marks what the vendor
computes as a consequence (a roll-up, a status that follows): stored, but no effect of its own.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

from sandbox.core import clock, effects, wire
from sandbox.core.database import Database
from sandbox.core.table import Index, Record, Table

__all__ = ["Index", "Record", "RecordStore"]


class RecordStore:
    """Records of one system by (object, id), held in memory and written through to the file."""

    def __init__(self, database: Database, system: str) -> None:
        self.database = database
        self.system = system
        self._tables: dict[str, Table] = {}
        self._indexes: dict[str, list[Index]] = {}
        self._sequences: dict[str, int] = {}

    def define(self, object_name: str, *indexes: Index) -> None:
        """Declare indexes of an object type; once, when the emulator is built."""
        self._indexes.setdefault(object_name, []).extend(indexes)
        if object_name in self._tables:
            for index in indexes:
                self._tables[object_name].add_index(index)

    # ---- reads

    def get(self, object_name: str, record_id: str) -> Record | None:
        """The live record, or None."""
        record = self._table(object_name).get(record_id, self.database.horizon)
        return None if record is None or record.deleted else record

    def rows(self, object_name: str, *, deleted: bool = False) -> Iterator[Record]:
        """All records in order of creation; `deleted=True` includes those deleted but kept."""
        for record in self._table(object_name).all(self.database.horizon):
            if deleted or not record.deleted:
                yield record

    def find(self, object_name: str, index: str, key: Hashable) -> list[Record]:
        """Live records under a key of a defined index. Raises KeyError for an undefined index."""
        found = self._table(object_name).find(index, key, self.database.horizon)
        return [record for record in found if not record.deleted]

    def has_index(self, object_name: str, index: str) -> bool:
        """Whether `find` knows this index."""
        return self._table(object_name).has_index(index)

    def count(self, object_name: str) -> int:
        """How many live records there are."""
        return sum(1 for _ in self.rows(object_name))

    # ---- writes

    def create(
        self,
        object_name: str,
        data: Mapping[str, Any],
        *,
        id: str | None = None,
        at: float | None = None,
        natural_key: str = "",
        effect_key: str | None = None,
        sent: Mapping[str, Any] | None = None,
        derived: bool = False,
    ) -> Record:
        """Add a record. `id` defaults to the object's next number, `at` (epoch seconds) to now.

        `sent` is what the caller sent, where `data` holds more (numbers and defaults given by the system):
        it is what the effects log shows and compares. Raises UniqueClash, and ValueError for a taken id.
        """
        table = self._table(object_name)
        record_id = id or str(self.next_number(object_name))
        if record_id in table.rows:
            raise ValueError(f"{self.system} {object_name} {record_id} exists already")
        clash = table.clash(record_id, dict(data))
        if clash is not None:
            raise clash
        stamp = clock.now() if at is None else at
        record = Record(object_name, record_id, dict(data), stamp, stamp)
        self.database.write(
            "INSERT INTO records (system, object, id, data, created, modified) VALUES (?, ?, ?, ?, ?, ?)",
            (self.system, object_name, record_id, wire.encode(record.data).decode(), stamp, stamp),
            table.put(record_id, record, stamp),
        )
        if not derived:
            self._log(record, "create", natural_key, effect_key, data if sent is None else sent)
        return record

    def update(
        self,
        object_name: str,
        record_id: str,
        changes: Mapping[str, Any],
        *,
        at: float | None = None,
        natural_key: str = "",
        effect_key: str | None = None,
        action: str | None = None,
        derived: bool = False,
    ) -> Record:
        """Set top-level fields. A repeat that changes nothing is no write and no effect.

        `action` names a business action (`post`, `approve`, `submit`): the effect's operation is then
        `action` and its fields hold the name under `_action`. Raises KeyError, UniqueClash.
        """
        table = self._table(object_name)
        before = self._live(table, record_id)
        changed = {k: v for k, v in changes.items() if k not in before.data or before.data[k] != v}
        if not changed:
            return before
        data = {**before.data, **changed}
        clash = table.clash(record_id, data)
        if clash is not None:
            raise clash
        record = self._replace(table, before, data, at)
        if not derived:
            shown = {"_action": action, **changed} if action else changed
            operation = "action" if action else "update"
            self._log(record, operation, natural_key or record_id, effect_key, shown)
        return record

    def delete(
        self,
        object_name: str,
        record_id: str,
        *,
        keep: bool = False,
        natural_key: str = "",
        effect_key: str | None = None,
        derived: bool = False,
    ) -> None:
        """Remove a record; `keep=True` only marks it deleted (a recycle bin). Raises KeyError."""
        table = self._table(object_name)
        before = self._live(table, record_id)
        if keep:
            self._replace(table, before, before.data, None, deleted=True)
        else:
            self.database.write(
                "DELETE FROM records WHERE system = ? AND object = ? AND id = ?",
                (self.system, object_name, record_id),
                table.put(record_id, None, clock.now()),
            )
        if not derived:
            self._log(before, "delete", natural_key or record_id, effect_key, {})

    def next_number(self, sequence: str, start: int = 1) -> int:
        """The next number of a named sequence; unused numbers of a rolled back request are lost."""
        if sequence not in self._sequences:
            rows = self.database.read(
                "SELECT value FROM sequences WHERE system = ? AND name = ?", (self.system, sequence)
            )
            self._sequences[sequence] = int(rows[0][0]) if rows else start - 1
        value = self._sequences[sequence] = self._sequences[sequence] + 1
        self.database.write(
            "INSERT OR REPLACE INTO sequences (system, name, value) VALUES (?, ?, ?)",
            (self.system, sequence, value),
        )
        return value

    def forget(self) -> None:
        """Drop what is held in memory; it is read again from the file when asked for."""
        self._tables.clear()
        self._sequences.clear()

    # ---- inside

    def _live(self, table: Table, record_id: str) -> Record:
        record = table.rows.get(record_id)
        if record is None or record.deleted:
            raise KeyError(f"{self.system} {table.name} {record_id} does not exist")
        return record

    def _replace(
        self, table: Table, before: Record, data: dict[str, Any], at: float | None, deleted: bool = False
    ) -> Record:
        stamp = clock.now() if at is None else at
        record = Record(before.object, before.id, data, before.created, stamp, deleted)
        self.database.write(
            "UPDATE records SET data = ?, modified = ?, deleted = ?"
            " WHERE system = ? AND object = ? AND id = ?",
            (wire.encode(data).decode(), stamp, int(deleted), self.system, before.object, before.id),
            table.put(before.id, record, stamp),
        )
        return record

    def _log(
        self,
        record: Record,
        operation: str,
        natural_key: str,
        effect_key: str | None,
        fields: Mapping[str, Any],
    ) -> None:
        if self.database.origin != "seed":
            effects.log(
                self.database,
                self.system,
                record.object,
                operation,
                natural_key,
                effect_key,
                fields,
                record.id,
            )

    def _table(self, object_name: str) -> Table:
        table = self._tables.get(object_name)
        if table is None:
            table = self._tables[object_name] = Table(object_name, self._indexes.get(object_name, ()))
            for row in self._stored(object_name):
                table.load(row)
        return table

    def _stored(self, object_name: str) -> Iterable[Record]:
        rows = self.database.read(
            "SELECT id, data, created, modified, deleted FROM records"
            " WHERE system = ? AND object = ? ORDER BY seq",
            (self.system, object_name),
        )
        for record_id, data, created, modified, deleted in rows:
            yield Record(object_name, record_id, wire.decode(data), created, modified, bool(deleted))
