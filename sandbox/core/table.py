"""Rows of one object type in memory, with its indexes and its recent past."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

HISTORY = 5000
"""How many replaced versions a table remembers for stale reads."""


@dataclass(slots=True, frozen=True)
class Record:
    """One row. Treat `data` as read-only: change it through the store. Stamps are epoch seconds, UTC."""

    object: str
    id: str
    data: dict[str, Any]
    created: float
    modified: float
    deleted: bool = False

    def __getitem__(self, field: str) -> Any:
        return self.data[field]

    def get(self, field: str, default: Any = None) -> Any:
        """The field's value, or `default` where the record has none."""
        return self.data.get(field, default)


@dataclass(frozen=True, slots=True)
class Index:
    """A way to find rows. `keys` gives a row's keys (none to leave it out); default: the field `name`.

    A unique index refuses a second live row with the same key.
    """

    name: str
    keys: Callable[[dict[str, Any]], Iterable[Hashable]] | None = None
    unique: bool = False

    def of(self, data: dict[str, Any]) -> Iterable[Hashable]:
        """The keys under which a row with this data is found."""
        if self.keys is not None:
            return self.keys(data)
        value = data.get(self.name)
        return () if value is None else (value,)


class UniqueClash(ValueError):
    """A second row with a key that must be unique; the vendor's duplicate error is made from this."""

    def __init__(self, object_name: str, index: str, key: Hashable, other_id: str) -> None:
        super().__init__(f"{object_name}.{index}={key!r} is already on record {other_id}")
        self.index, self.key, self.other_id = index, key, other_id


class Table:
    """Rows by id in order of creation; every change keeps the indexes true."""

    def __init__(self, name: str, indexes: Iterable[Index]) -> None:
        self.name = name
        self.rows: dict[str, Record] = {}
        self._indexes: dict[str, Index] = {}
        self._ids: dict[str, dict[Hashable, dict[str, None]]] = {}
        self._past: deque[tuple[float, str, Record | None]] = deque(maxlen=HISTORY)
        for index in indexes:
            self.add_index(index)

    def add_index(self, index: Index) -> None:
        """Add an index, over the rows that are there already."""
        self._indexes[index.name] = index
        self._ids[index.name] = {}
        for record in self.rows.values():
            self._link(index, record)

    def has_index(self, name: str) -> bool:
        """Whether rows can be found by this name."""
        return name in self._indexes

    def clash(self, record_id: str, data: dict[str, Any]) -> UniqueClash | None:
        """The unique index that a row with this data would break, if any."""
        for index in self._indexes.values():
            if not index.unique:
                continue
            for key in index.of(data):
                for other in self._ids[index.name].get(key, ()):
                    if other != record_id:
                        return UniqueClash(self.name, index.name, key, other)
        return None

    def put(self, record_id: str, record: Record | None, at: float) -> Callable[[], None]:
        """Set or remove a row. Returns the undo."""
        before = self._swap(record_id, record)
        entry = (at, record_id, before)
        self._past.append(entry)

        def undo() -> None:
            self._swap(record_id, before)
            if self._past and self._past[-1] is entry:
                self._past.pop()

        return undo

    def load(self, record: Record) -> None:
        """Add a row read from disk: no past, no undo."""
        self._swap(record.id, record)

    def get(self, record_id: str, horizon: float | None) -> Record | None:
        """The row as of `horizon` (None: now)."""
        if horizon is None:
            return self.rows.get(record_id)
        past = self._as_of(horizon)
        return past.get(record_id, self.rows.get(record_id))

    def all(self, horizon: float | None) -> Iterator[Record]:
        """Every row as of `horizon`, deleted-but-kept ones included, in order of creation."""
        if horizon is None:
            yield from self.rows.values()
            return
        past = self._as_of(horizon)
        for record_id, record in self.rows.items():
            shown = past.get(record_id, record)
            if shown is not None:
                yield shown
        for record_id, shown in past.items():
            if record_id not in self.rows and shown is not None:
                yield shown

    def find(self, name: str, key: Hashable, horizon: float | None) -> list[Record]:
        """Rows under a key of an index, in order of creation. Raises KeyError for an unknown index."""
        index = self._indexes[name]
        if horizon is not None:
            return [record for record in self.all(horizon) if key in index.of(record.data)]
        return [self.rows[record_id] for record_id in self._ids[name].get(key, ())]

    def _as_of(self, horizon: float) -> dict[str, Record | None]:
        past: dict[str, Record | None] = {}
        for at, record_id, before in reversed(self._past):
            if at > horizon:
                past[record_id] = before
        return past

    def _swap(self, record_id: str, record: Record | None) -> Record | None:
        before = self.rows.get(record_id)
        if before is not None:
            for index in self._indexes.values():
                self._unlink(index, before)
        if record is None:
            self.rows.pop(record_id, None)
            return before
        self.rows[record_id] = record
        for index in self._indexes.values():
            self._link(index, record)
        return before

    def _link(self, index: Index, record: Record) -> None:
        if record.deleted:
            return
        for key in index.of(record.data):
            self._ids[index.name].setdefault(key, {})[record.id] = None

    def _unlink(self, index: Index, record: Record) -> None:
        for key in index.of(record.data):
            ids = self._ids[index.name].get(key)
            if ids is not None:
                ids.pop(record.id, None)
                if not ids:
                    del self._ids[index.name][key]
